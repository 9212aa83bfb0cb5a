/** This page as a seat: the connection to `/api/seat`, the peer connection that carries sound, and the heartbeat. */

import { makePeer } from "./peer.js";
import { keepOpen } from "./socket.js";

const NOT_SIGNED_IN = 4401;
const NOT_ALLOWED = 4403;
const ANEW_AFTER_MS = 1000;
const TOLD = ["opened", "renew", "fit", "ring", "stop", "talking", "displaced", "refused"];

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./sound.js").SeatSound} SeatSound */

/**
 * Be the operator's seat until `stop()`.
 * @param {(message: Message) => void} say
 * @param {() => import("./types.js").State} state
 * @param {SeatSound} sound
 */
export function takeSeat(say, state, sound) {
  let open = false;
  let stopped = false;
  let offers = 0;
  let beats = 0;
  let timer = 0;
  /** @type {ReturnType<typeof makePeer> | null} */
  let peer = null;

  const socket = keepOpen("/api/seat", {
    silent_ms: 0, // the heartbeat is ours; the service closes what it does not hear
    opened: (send) => send({ type: "open", seat: state().seat.id }),
    told,
    lost,
  });
  queueMicrotask(() => say({ type: "seat-connecting" }));

  function told(/** @type {Message} */ message) {
    if (message.type === "opened") {
      open = true;
      state().seat.id !== message.seat || !stands() ? renew() : undefined;
    } else if (message.type === "renew") {
      renew();
    } else if (message.type === "sdp_answer" && message.number === offers) {
      peer?.answer(message.sdp).catch(() => renewLater());
    } else if (message.type === "displaced") {
      stop();
    }
    if (TOLD.includes(message.type)) {
      say(message);
    }
    if (message.type === "opened") {
      sound.troubles().forEach(([what, text]) => socket.send({ type: "trouble", what, text }));
    }
  }

  function lost(/** @type {number} */ code, /** @type {string} */ why) {
    open = false;
    if (code === NOT_SIGNED_IN) {
      say({ type: "signed-out", fault: "You were signed out.", what_to_do: "Sign in again." });
    } else if (code === NOT_ALLOWED) {
      say({ type: "seat-closed" });
    } else if (!stopped) {
      say({ type: "seat-lost", why: why || "the connection to the service is lost" });
    }
    return !stopped && code !== NOT_SIGNED_IN && code !== NOT_ALLOWED;
  }

  function stands() {
    return peer !== null && peer.peer.connectionState === "connected";
  }

  function renewLater() {
    clearTimeout(timer);
    timer = window.setTimeout(renew, ANEW_AFTER_MS);
  }

  function renew() {
    clearTimeout(timer);
    peer?.close();
    peer = null;
    const track = sound.track();
    if (track && open && !stopped) {
      connect(track).catch((error) => sound.failed(String(error.message ?? error)));
    }
  }

  async function connect(/** @type {MediaStreamTrack} */ track) {
    const one = makePeer(track, {
      heard: (stream) => sound.play(stream),
      state: (now) => (now === "failed" && peer === one ? renewLater() : undefined),
    });
    peer = one;
    offers += 1;
    const number = offers;
    const sdp = await one.offer();
    if (peer !== one) {
      return;
    }
    sdp.includes("a=candidate") ? sound.addressed(true) : sound.addressed(false);
    socket.send({ type: "sdp_offer", sdp, number });
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    sound.onBeat(null);
    sound.onTrack(null);
    sound.onTrouble(null);
    peer?.close();
    peer = null;
    socket.stop();
  }

  sound.onBeat((audio_ms) => {
    beats += 1;
    socket.send({ type: "beat", number: beats, audio_ms, muted: state().muted, hidden: document.hidden });
  });
  sound.onTrack((track) => (peer && stands() ? peer.speak(track).catch(renew) : renew()));
  sound.onTrouble((what, text) => socket.send({ type: "trouble", what, text }));
  return { send: socket.send, stop, leave: () => socket.send({ type: "leave" }) };
}
