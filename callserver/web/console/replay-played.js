/**
 * What was really heard of a recording: what passed the loudspeaker, not what was skipped, sought or loaded. Pure.
 * Spans are [from, to] in ms of the recording.
 *
 * @typedef {[number, number]} Span
 * @typedef {{at_ms: number | null, wall_ms: number, spans: Span[]}} Played  `at_ms`: where the sound was at `wall_ms`, null while it stood
 */

const JOIN_MS = 60; // pieces that lie nearer to each other are one
const SLACK_MS = 400; // a page that is busy looks late

/** @type {Played} */
export const NOTHING_PLAYED = { at_ms: null, wall_ms: 0, spans: [] };

/**
 * The sound is at `at_ms` now. What lies between this look and the one before was heard, unless the sound stood, went back, or came
 * further than it can have played.
 * @param {Played} played @param {{at_ms: number, wall_ms: number, rate: number, sounding: boolean}} now @returns {Played}
 */
export function looked(played, { at_ms, wall_ms, rate, sounding }) {
  const { at_ms: last, spans } = played;
  const passed = last === null ? 0 : at_ms - last;
  const heard = last !== null && passed > 0 && passed <= (wall_ms - played.wall_ms) * rate + SLACK_MS;
  return { at_ms: sounding ? at_ms : null, wall_ms, spans: heard ? joined(spans, [last, at_ms]) : spans };
}

/** @param {Span[]} spans @param {Span} more @returns {Span[]} */
function joined(spans, more) {
  const last = spans[spans.length - 1];
  if (last && more[0] >= last[0] && more[0] - last[1] <= JOIN_MS) {
    return [...spans.slice(0, -1), [last[0], Math.max(last[1], more[1])]];
  }
  return [...spans, more];
}

/**
 * Spans in order, none touching another, in whole ms.
 * @param {Span[]} spans @returns {Span[]}
 */
export function merged(spans) {
  /** @type {Span[]} */
  let found = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    found = joined(found, [Math.max(0, Math.round(from)), Math.round(to)]);
  }
  return found;
}
