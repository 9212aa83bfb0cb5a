/**
 * The sound of a recording: one media element that seeks by HTTP ranges, and a graph behind it that lets one side be heard alone or
 * louder. Nothing is loaded before `open`, which has the reason; the service journals it before it sends a byte.
 *
 * @typedef {"both" | "point" | "heard"} Solo
 */

import { makeGraph } from "./replay-graph.js";

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
/** What each side of the recording gives to each ear: [point to left, point to right, heard to left, heard to right]. */
const EARS = { both: [1, 0, 0, 1], point: [1, 1, 0, 0], heard: [0, 0, 1, 1] };

/**
 * `moving`: the sound leaves the place where it is, for another one or (null) for good.
 * @param {{changed: () => void, failed: (address: string) => void, moving: (to_ms: number | null) => void}} told
 */
export function makeSound(told) {
  const player = new Audio();
  player.preload = "auto";
  player.preservesPitch = true;
  /** @type {ReturnType<typeof makeGraph> | null} */
  let made = null;
  /** @type {Solo} */
  let solo = "both";
  /** @type {number[] | null} */
  let levels = null;
  let rate = 1;
  let wanted_ms = 0;
  let address = "";
  let call = "";
  let reason = "";
  let leg = "";
  for (const name of ["play", "pause", "ended", "seeked", "waiting", "playing"]) {
    player.addEventListener(name, () => told.changed());
  }
  player.addEventListener("loadedmetadata", () => {
    player.playbackRate = rate; // the element forgets it with each new source
    if (wanted_ms > 0) {
      player.currentTime = wanted_ms / 1000;
    }
  });
  player.addEventListener("error", () => {
    if (address) {
      told.failed(address);
    }
  });

  /** One leg's file has one side, which is heard in both ears. */
  const ears = () => EARS[leg ? "point" : solo];

  /** The graph is made at the first sound: browsers allow none before somebody pressed something. */
  function graph() {
    if (!made) {
      made = makeGraph(player, ears());
      made.level(levels);
    }
    return made.resume();
  }

  return {
    /**
     * Load a call's recording, or one leg's, for a reason.
     * @param {string} wanted @param {string} why @param {string} [alone] the leg
     */
    open(wanted, why, alone = "") {
      [call, reason, leg] = [wanted, why, alone];
      address = `/api/calls/${encodeURIComponent(call)}/recording?reason=${encodeURIComponent(reason)}`;
      address += leg ? `&leg=${encodeURIComponent(leg)}` : "";
      player.src = address;
      made?.hear(ears());
    },
    /** Give the recording back: nothing is loaded any more. */
    close() {
      told.moving(null);
      address = "";
      wanted_ms = 0;
      player.pause();
      player.removeAttribute("src");
      player.load();
    },
    async play() {
      try {
        await Promise.all([graph(), player.play()]);
      } catch (error) {
        if (/** @type {DOMException} */ (error).name !== "AbortError") {
          told.changed(); // what is wrong with the source is told by its own event
        }
      }
    },
    pause() {
      player.pause();
    },
    /** @param {number} ms */
    seek(ms) {
      told.moving(ms);
      wanted_ms = ms;
      if (player.readyState > 0) {
        player.currentTime = ms / 1000;
      }
    },
    /** Where the sound is, ms. */
    at() {
      return player.readyState > 0 ? player.currentTime * 1000 : wanted_ms;
    },
    isOpen: () => address !== "",
    isPlaying: () => !player.paused && !player.ended,
    isEnded: () => player.ended,
    isWaiting: () => !player.paused && player.readyState < 3,
    isSounding: () => !player.paused && !player.ended && !player.seeking && player.readyState >= 3,
    /** Whose sound it is, and why it is listened to. */
    opened: () => ({ call, reason, leg }),
    rate: () => rate,
    /**
     * One step slower (-1) or faster (1); the pitch stays.
     * @param {number} step
     */
    changeRate(step) {
      const place = RATES.indexOf(rate) + step;
      rate = RATES[Math.min(RATES.length - 1, Math.max(0, place))];
      player.playbackRate = rate;
    },
    solo: () => solo,
    /** @param {Solo} value */
    hear(value) {
      solo = value;
      made?.hear(ears());
    },
    /**
     * As recorded (null), or each side with a gain in dB.
     * @param {number[] | null} gains
     */
    level(gains) {
      levels = gains;
      made?.level(gains);
    },
  };
}
