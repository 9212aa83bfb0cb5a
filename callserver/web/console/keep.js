/** What outlives a reload: of this tab (seat, wish, call, drafts) and of this machine (settings). */

/** @typedef {import("./types.js").State} State */

const TAB = "callserver.tab";
const MACHINE = "callserver.settings";

/**
 * What was kept, as the model's first message.
 * @returns {import("./types.js").Message}
 */
export function remembered() {
  return { type: "remembered", tab: read(sessionStorage, TAB), settings: read(localStorage, MACHINE) };
}

/** Something that writes down what has changed. */
export function makeKeeper() {
  /** @type {any[]} */
  let tab = [];
  /** @type {any} */
  let settings = null;
  return (/** @type {State} */ state) => {
    const now = [state.seat.id, state.wish, state.in_call, state.drafts];
    if (now.some((one, place) => one !== tab[place])) {
      tab = now;
      write(sessionStorage, TAB, { seat: state.seat.id, wish: state.wish, in_call: state.in_call, drafts: state.drafts });
    }
    if (state.settings !== settings) {
      settings = state.settings;
      write(localStorage, MACHINE, settings);
    }
  };
}

/** @param {Storage} storage @param {string} key @returns {Record<string, any>} */
function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? "{}");
  } catch {
    return {}; // written by something else, or forbidden
  }
}

/** @param {Storage} storage @param {string} key @param {Object} value */
function write(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // full or forbidden: a reload then starts afresh
  }
}
