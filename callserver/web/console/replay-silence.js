/**
 * Where nobody is heard, decided from the shape of the sound alone. Pure. Values are those of audio/peaks.py: 127 times the root of
 * the share of full scale, the greater of both extremes of each bucket. Times are ms of the recording.
 *
 * A bucket in which a side is exactly zero holds no record of that side: nothing arrived, or a device that sends nothing between words.
 * A microphone in the quietest room moves more.
 *
 * @typedef {{bucket_ms: number, length_ms: number, sides: Uint8Array[]}} Loudness
 * @typedef {{from_ms: number, to_ms: number, missing_ms: number}} Gap  what is hopped; `missing_ms` of it without a record of a side
 */

import { offset } from "./replay-time.js";

export const QUIET = 7; // -50 dBFS: no sample of the bucket is louder
export const LEAST_MS = 1000;
export const LEAD_MS = 200; // so much of a silence is still heard at its beginning, and before the next sound
const LANDED_MS = 30;

/**
 * Every stretch longer than a second in which no side is louder than `QUIET`, less its edges.
 * @param {Loudness} loudness @returns {Gap[]} in order
 */
export function gapsOf({ bucket_ms, length_ms, sides }) {
  const count = sides.length ? sides[0].length : 0;
  /** @type {Gap[]} */
  const gaps = [];
  let begin = 0;
  for (let n = 0; n <= count; n += 1) {
    if (n < count && sides.every((side) => side[n] <= QUIET)) {
      continue;
    }
    const [from, to] = [begin * bucket_ms, n === count ? length_ms : n * bucket_ms];
    if (to - from > LEAST_MS) {
      const gap = { from_ms: begin ? from + LEAD_MS : 0, to_ms: n < count ? to - LEAD_MS : length_ms };
      gaps.push({ ...gap, missing_ms: missing(sides, gap.from_ms, gap.to_ms, bucket_ms) });
    }
    begin = n + 1;
  }
  return gaps;
}

/** @param {Uint8Array[]} sides @param {number} from_ms @param {number} to_ms @param {number} bucket_ms */
function missing(sides, from_ms, to_ms, bucket_ms) {
  let sum = 0;
  for (let n = Math.floor(from_ms / bucket_ms); n * bucket_ms < to_ms && n < sides[0].length; n += 1) {
    const part = Math.min(to_ms, (n + 1) * bucket_ms) - Math.max(from_ms, n * bucket_ms);
    sum += sides.some((side) => side[n] === 0) ? part : 0;
  }
  return sum;
}

/**
 * The gap that a moment lies in, if it is worth a hop from there.
 * @param {Gap[]} gaps in order @param {number} at_ms @returns {Gap | null}
 */
export function gapAt(gaps, at_ms) {
  let [low, high] = [0, gaps.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { from_ms, to_ms } = gaps[middle];
    if (at_ms < from_ms) {
      high = middle - 1;
    } else if (at_ms >= to_ms - LANDED_MS) {
      low = middle + 1;
    } else {
      return gaps[middle];
    }
  }
  return null;
}

const NOTHING = ["nothing came", "nothing came", "nothing came from one side or both"]; // by the number of sides

/**
 * How much is hopped in all, in words.
 * @param {Gap[]} gaps @param {number} sides
 */
export function skipWords(gaps, sides) {
  if (!gaps.length) {
    return "No silence to skip";
  }
  const sum = (/** @type {(gap: Gap) => number} */ of) => gaps.reduce((all, gap) => all + of(gap), 0);
  const missing_ms = sum((gap) => gap.missing_ms);
  const of_it = missing_ms > 0 ? `, in ${offset(missing_ms)} of it ${NOTHING[sides]}` : "";
  return `Skips ${offset(sum((gap) => gap.to_ms - gap.from_ms))} in ${gaps.length} ${gaps.length > 1 ? "places" : "place"}${of_it}`;
}

/**
 * One hop in words; a silence and a stretch without a record are not the same.
 * @param {Gap} gap @param {number} at_ms where it was entered @param {number} sides
 */
export function hopWords(gap, at_ms, sides) {
  const what = gap.missing_ms * 2 > gap.to_ms - gap.from_ms ? `in which ${NOTHING[sides]}` : "of silence";
  return `Skipped ${offset(gap.to_ms - at_ms)} ${what}`;
}
