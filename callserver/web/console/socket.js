/** A WebSocket that is opened again for ever, after 100 ms at first, then up to 2 s apart. */

const FIRST_MS = 100;
const LONGEST_MS = 2000;

/**
 * Keep a WebSocket to `path` open.
 * @param {string} path
 * @param {{opened: (send: (message: Object) => void) => void, told: (message: any) => void, lost: (code: number, why: string) => boolean,
 *   silent_ms: number}} on  `lost` says whether to try again; after `silent_ms` without a message the connection counts as dead, 0: never
 * @returns {{send: (message: Object) => void, stop: () => void}}
 */
export function keepOpen(path, on) {
  let wait_ms = FIRST_MS;
  let stopped = false;
  /** @type {WebSocket | null} */
  let socket = null;
  let timer = 0;
  let heard_ms = 0;

  const send = (/** @type {Object} */ message) => {
    if (socket?.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify(message));
    }
  };

  function connect() {
    const one = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
    socket = one;
    heard_ms = performance.now();
    one.onopen = () => on.opened(send);
    one.onmessage = (event) => {
      wait_ms = FIRST_MS;
      heard_ms = performance.now();
      on.told(JSON.parse(event.data));
    };
    one.onclose = (event) => lost(one, event.code, event.reason);
  }

  function lost(/** @type {WebSocket} */ one, /** @type {number} */ code, /** @type {string} */ why) {
    if (stopped || one !== socket) {
      return;
    }
    socket = null;
    if (on.lost(code, why)) {
      timer = window.setTimeout(connect, wait_ms);
      wait_ms = Math.min(LONGEST_MS, wait_ms * 2);
    }
  }

  const watch = window.setInterval(() => {
    const one = socket;
    if (one && on.silent_ms && performance.now() - heard_ms > on.silent_ms) {
      one.close();
      lost(one, 0, "silent");
    }
  }, 500);

  connect();
  return { send, stop: () => stop() };

  function stop() {
    stopped = true;
    clearTimeout(timer);
    clearInterval(watch);
    socket?.close();
    socket = null;
  }
}
