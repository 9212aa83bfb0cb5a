/**
 * A chosen span of a recording, and where the sound jumps while it plays: back to the span's beginning, over silence. Pure.
 * Times are ms of the recording.
 *
 * @typedef {{in_ms: number | null, out_ms: number | null, on: boolean}} Loop
 * @typedef {import("./replay-silence.js").Gap} Gap
 * @typedef {{to_ms: number, over: Gap | null}} Jump  `over`: the silence that is hopped, null for a loop
 */

import { offset } from "./replay-time.js";
import { gapAt } from "./replay-silence.js";

export const SHORTEST_MS = 200;
export const EDGE_MS = 80; // a loop up to the recording's end turns back so much before it: what has ended cannot be looped

/** @type {Loop} */
export const NO_SPAN = { in_ms: null, out_ms: null, on: false };

/**
 * The span begins here. An end that lies before is given up.
 * @param {Loop} loop @param {number} at_ms @returns {Loop}
 */
export function begins(loop, at_ms) {
  const keeps = loop.out_ms !== null && loop.out_ms - at_ms >= SHORTEST_MS;
  return { in_ms: at_ms, out_ms: keeps ? loop.out_ms : null, on: loop.on && keeps };
}

/**
 * The span ends here. A beginning that lies behind is given up.
 * @param {Loop} loop @param {number} at_ms @returns {Loop}
 */
export function ends(loop, at_ms) {
  const keeps = loop.in_ms !== null && at_ms - loop.in_ms >= SHORTEST_MS;
  return { in_ms: keeps ? loop.in_ms : null, out_ms: at_ms, on: loop.on && keeps };
}

/**
 * The span between two moments, in either order; null where it is too short to be one.
 * @param {Loop} loop @param {number} one_ms @param {number} other_ms @param {number} length_ms of the recording @returns {Loop | null}
 */
export function between(loop, one_ms, other_ms, length_ms) {
  const in_ms = Math.max(0, Math.min(one_ms, other_ms));
  const out_ms = Math.min(length_ms, Math.max(one_ms, other_ms));
  return out_ms - in_ms >= SHORTEST_MS ? { in_ms, out_ms, on: loop.on } : null;
}

/**
 * From where to where; what was not said is the recording's own beginning or end. Null where nothing was chosen.
 * @param {Loop} loop @param {number} length_ms @returns {[number, number] | null}
 */
export function spanOf({ in_ms, out_ms }, length_ms) {
  const [from, to] = [in_ms ?? 0, out_ms ?? length_ms];
  return (in_ms === null && out_ms === null) || to - from < SHORTEST_MS ? null : [from, to];
}

/**
 * The span in words, "" where there is none.
 * @param {Loop} loop @param {number} length_ms
 */
export function spanWords(loop, length_ms) {
  const span = spanOf(loop, length_ms);
  return span ? `${offset(span[0])} to ${offset(span[1])}` : "";
}

/**
 * Where the sound goes now that it came from `last_ms` to `at_ms`; null: on. A loop turns back only what plays through its end, so
 * who seeks past it goes on from there. A span without any sound is looped as it is.
 * @param {{last_ms: number, at_ms: number, loop: Loop, gaps: Gap[], length_ms: number}} now @returns {Jump | null}
 */
export function jump({ last_ms, at_ms, loop, gaps, length_ms }) {
  const span = loop.on ? spanOf(loop, length_ms) : null;
  const inside = span !== null && last_ms >= span[0] && last_ms < span[1];
  if (span && inside && at_ms >= Math.min(span[1], length_ms - EDGE_MS)) {
    return { to_ms: span[0], over: null };
  }
  const over = gapAt(gaps, at_ms);
  if (!over) {
    return null;
  }
  if (!span || !inside || over.to_ms < span[1]) {
    return { to_ms: over.to_ms, over };
  }
  return over.from_ms <= span[0] ? null : { to_ms: span[0], over: null };
}
