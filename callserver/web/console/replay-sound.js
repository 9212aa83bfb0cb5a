/**
 * The sound of a recording: one media element that seeks by HTTP ranges, and a graph behind it that lets one side be heard alone.
 * Nothing is loaded before `open`, which has the reason; the service journals it before it sends a byte.
 *
 * @typedef {"both" | "point" | "heard"} Solo
 */

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const FADE_S = 0.01;
/** What each side of the recording gives to each ear: [point to left, point to right, heard to left, heard to right]. */
const EARS = { both: [1, 0, 0, 1], point: [1, 1, 0, 0], heard: [0, 0, 1, 1] };

/**
 * @param {{changed: () => void, failed: (address: string) => void}} told
 */
export function makeSound(told) {
  const player = new Audio();
  player.preload = "auto";
  player.preservesPitch = true;
  /** @type {AudioContext | null} */
  let audio = null;
  /** @type {GainNode[]} */
  let gains = [];
  /** @type {Solo} */
  let solo = "both";
  let rate = 1;
  let wanted_ms = 0;
  let address = "";
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

  /** The graph is made at the first sound: browsers allow none before somebody pressed something. */
  function graph() {
    if (!audio) {
      const made = new AudioContext();
      const sides = made.createChannelSplitter(2);
      const ears = made.createChannelMerger(2);
      made.createMediaElementSource(player).connect(sides);
      gains = EARS[solo].map((value, place) => {
        const gain = new GainNode(made, { gain: value });
        sides.connect(gain, place >> 1);
        gain.connect(ears, 0, place & 1);
        return gain;
      });
      ears.connect(made.destination);
      audio = made;
    }
    return audio.resume();
  }

  return {
    /**
     * Load a call's recording, for a reason.
     * @param {string} call @param {string} reason
     */
    open(call, reason) {
      address = `/api/calls/${encodeURIComponent(call)}/recording?reason=${encodeURIComponent(reason)}`;
      player.src = address;
    },
    /** Give the recording back: nothing is loaded any more. */
    close() {
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
    isWaiting: () => !player.paused && player.readyState < 3,
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
      gains.forEach((gain, place) => gain.gain.setTargetAtTime(EARS[value][place], gain.context.currentTime, FADE_S));
    },
  };
}
