/**
 * How loud each side speaks, and what brings a whisper and a shout to the same. Pure. Gains are in dB; the recording is not touched
 * by them, they act on the way to the loudspeaker. Values of loudness are those of audio/peaks.py.
 */

import { QUIET } from "./replay-silence.js";

export const LEAST_DB = -12;
export const MOST_DB = 24;
const TARGET_DB = -12; // dBFS of the loudest sample of a tenth of a second of speech: ordinary speech on a telephone line
const FULL = 127;
const FAINT = 4; // -60 dBFS; below it nothing can be told from a line's own noise
const ENOUGH_BUCKETS = 5;
const TOP_SHARE = 0.9; // one bang does not count

/**
 * How loud a side's speech is, dBFS; null where nobody speaks. The middle one of the buckets that are not much quieter than the loud
 * ones: pauses and background count as little as a single bang.
 * @param {Uint8Array} values @returns {number | null}
 */
export function speechDb(values) {
  const above = (/** @type {number} */ floor) => values.filter((value) => value > floor);
  let spoken = above(QUIET);
  if (spoken.length < ENOUGH_BUCKETS) {
    spoken = above(FAINT);
  }
  if (spoken.length < ENOUGH_BUCKETS) {
    return null;
  }
  spoken.sort();
  const top = spoken[Math.floor((spoken.length - 1) * TOP_SHARE)];
  const speech = spoken.filter((value) => value * 2 >= top);
  return 40 * Math.log10(speech[speech.length >> 1] / FULL);
}

/**
 * What each side needs, whole dB; a side on which nobody speaks is left as it is.
 * @param {Uint8Array[]} sides @returns {number[]}
 */
export function gainsFor(sides) {
  return sides.map((values) => {
    const loud = speechDb(values);
    return loud === null ? 0 : within(Math.round(TARGET_DB - loud));
  });
}

/** @param {number} db */
export function within(db) {
  return Math.min(MOST_DB, Math.max(LEAST_DB, db)) || 0;
}

/** @param {number} db */
export function factor(db) {
  return 10 ** (db / 20);
}

/**
 * @param {number} db
 */
export function dbWords(db) {
  return `${db > 0 ? "+" : db < 0 ? "−" : ""}${Math.abs(db)} dB`;
}

/**
 * "+14 dB point, −3 dB heard".
 * @param {number[]} gains @param {string[]} names of the sides
 */
export function levelWords(gains, names) {
  return names.map((name, side) => `${dbWords(gains[side])} ${name}`).join(", ");
}
