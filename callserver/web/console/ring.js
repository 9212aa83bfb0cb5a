/** A ringing call beyond the page: the ring sound, the title, the tab's icon, a notification. Follows the state, decides nothing. */

import { ringing } from "./select.js";
import { audioOn, note } from "./sound-check.js";
import { className } from "./words.js";

/** @typedef {import("./types.js").State} State */

const CYCLE_S = 2;
const CYCLES = 90; // scheduled at once, so that a hidden page's slow timers do not silence it
const LOUDEST_AFTER = 8; // cycles
const QUIETEST = 0.05;
const NAME = "Console";

/** Something that follows the state: rings while a call rings. */
export function makeRing() {
  let leg = "";
  let title = 0;
  /** @type {AudioContext | null} */
  let audio = null;
  /** @type {Notification | null} */
  let notice = null;

  function start(/** @type {State} */ state, /** @type {NonNullable<ReturnType<typeof ringing>>} */ ring) {
    const incident = state.board.incident[ring.incident];
    const words = `${className(incident ?? ring)}: ${ring.place}`;
    let lit = true;
    const flash = () => {
      document.title = lit ? `\u25cf RINGING \u2013 ${ring.place}` : words;
      icon(lit);
      lit = !lit;
    };
    flash();
    title = window.setInterval(flash, 700);
    notice = notify(words);
    if (ring.leg) {
      void audioOn(state.settings.ringer).then((made) => (leg === ring.leg ? sound(made, state, incident?.priority ?? 2) : made.close()));
    }
  }

  function sound(/** @type {AudioContext} */ made, /** @type {State} */ state, /** @type {number} */ priority) {
    void audio?.close();
    audio = made;
    const master = new GainNode(made, { gain: Math.max(QUIETEST, state.settings.volume) });
    master.connect(made.destination);
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      const loud = Math.min(1, 0.35 + (0.65 * cycle) / LOUDEST_AFTER);
      const at_s = made.currentTime + 0.03 + cycle * CYCLE_S;
      chime(made, master, at_s, loud, priority);
    }
  }

  function stop() {
    clearInterval(title);
    document.title = NAME;
    icon(false);
    void audio?.close();
    audio = null;
    notice?.close();
    notice = null;
  }

  return {
    follow: (/** @type {State} */ state) => {
      const ring = ringing(state);
      const now = ring && !ring.accepted ? ring.leg || ring.call || ring.incident : "";
      if (now !== leg) {
        leg ? stop() : undefined;
        leg = now;
        ring && now ? start(state, ring) : undefined;
      }
    },
    sounding: () => audio?.state === "running",
  };
}

/** @param {AudioContext} audio @param {AudioNode} to @param {number} at_s @param {number} loud @param {number} priority */
function chime(audio, to, at_s, loud, priority) {
  const notes = priority === 0 ? [880, 1109, 880, 1109] : [659, 831, 659];
  notes.forEach((hz, place) => note(audio, to, at_s + place * 0.24, hz, 0.22, loud * 0.8));
}

/**
 * The ring sound once, as loud as it will be in the end.
 * @param {string} sink
 * @param {number} volume
 */
export async function tryRing(sink, volume) {
  const audio = await audioOn(sink);
  const master = new GainNode(audio, { gain: Math.max(QUIETEST, volume) });
  master.connect(audio.destination);
  chime(audio, master, audio.currentTime + 0.05, 1, 0);
  setTimeout(() => void audio.close(), 2000);
}

/** @param {boolean} lit */
function icon(lit) {
  const link = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=icon]"));
  const wanted = lit ? "/console/icon-ringing.svg" : "/console/icon.svg";
  if (link && link.getAttribute("href") !== wanted) {
    link.setAttribute("href", wanted);
  }
}

/** @param {string} words @returns {Notification | null} */
function notify(words) {
  if (!("Notification" in window) || Notification.permission !== "granted" || !document.hidden) {
    return null;
  }
  const notice = new Notification("A help point calls", { body: words, tag: "ring", requireInteraction: true, silent: true });
  notice.onclick = () => window.focus();
  return notice;
}
