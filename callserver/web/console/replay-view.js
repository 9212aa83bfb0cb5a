/**
 * Which part of a call is looked at: a window on the timeline that zooms and moves, never out of it. Pure.
 *
 * @typedef {{from_ms: number, to_ms: number, whole_from_ms: number, whole_to_ms: number}} View
 */

export const NEAREST_MS = 2000;
export const ZOOM = 2;
const MARGIN = 0.15;

/**
 * The whole of it.
 * @param {number} from_ms @param {number} to_ms @returns {View}
 */
export function whole(from_ms, to_ms) {
  return { from_ms, to_ms, whole_from_ms: from_ms, whole_to_ms: to_ms };
}

/** @param {View} view */
export function isWhole(view) {
  return view.from_ms <= view.whole_from_ms && view.to_ms >= view.whole_to_ms;
}

/**
 * Zoom so that `at_ms` stays where it is; `by` above 1 goes nearer.
 * @param {View} view @param {number} by @param {number} at_ms @returns {View}
 */
export function zoom(view, by, at_ms) {
  const all = view.whole_to_ms - view.whole_from_ms;
  const length = Math.min(all, Math.max(Math.min(NEAREST_MS, all), (view.to_ms - view.from_ms) / by));
  const share = Math.min(1, Math.max(0, (at_ms - view.from_ms) / (view.to_ms - view.from_ms)));
  return placed(view, at_ms - share * length, length);
}

/**
 * Move by a share of what is seen.
 * @param {View} view @param {number} share @returns {View}
 */
export function moved(view, share) {
  const length = view.to_ms - view.from_ms;
  return placed(view, view.from_ms + share * length, length);
}

/**
 * Bring a moment into sight, if it is not.
 * @param {View} view @param {number} at_ms @returns {View}
 */
export function showing(view, at_ms) {
  const length = view.to_ms - view.from_ms;
  return at_ms >= view.from_ms && at_ms <= view.to_ms ? view : placed(view, at_ms - MARGIN * length, length);
}

/** @param {View} view @param {number} from_ms @param {number} length @returns {View} */
function placed(view, from_ms, length) {
  const from = Math.min(Math.max(from_ms, view.whole_from_ms), view.whole_to_ms - length);
  return { ...view, from_ms: from, to_ms: from + length };
}

/**
 * Where a moment lies, as a share of the width.
 * @param {View} view @param {number} at_ms
 */
export function shareOf(view, at_ms) {
  return (at_ms - view.from_ms) / (view.to_ms - view.from_ms);
}

/**
 * Which moment lies at a share of the width.
 * @param {View} view @param {number} share
 */
export function momentAt(view, share) {
  return view.from_ms + share * (view.to_ms - view.from_ms);
}

/**
 * Which moments get a label: none over another, those of the lower rank first where there is not room for all; `row` null for the rest.
 * @template {{at_ms: number, rank: number}} Moment
 * @param {Moment[]} moments in order of time @param {View} view @param {number} width px @param {number} rows
 * @param {(moment: Moment) => number} widthOf px
 * @returns {{moment: Moment, share: number, row: number | null, left: boolean}[]} `left`: the label stands to the left of its moment
 */
export function labelled(moments, view, width, rows, widthOf) {
  /** @type {[number, number][][]} */
  const taken = Array.from({ length: rows }, () => []);
  const seen = moments
    .filter(({ at_ms }) => at_ms >= view.from_ms && at_ms <= view.to_ms)
    .map((moment) => {
      const x = shareOf(view, moment.at_ms) * width;
      const wide = widthOf(moment);
      const left = x + wide > width;
      return { moment, share: x / width, row: /** @type {number | null} */ (null), left, from: left ? x - wide : x, to: left ? x : x + wide };
    });
  for (const one of [...seen].sort((a, b) => a.moment.rank - b.moment.rank)) {
    const row = taken.findIndex((others) => others.every(([from, to]) => one.to <= from || one.from >= to));
    if (row >= 0) {
      taken[row].push([one.from, one.to]);
      one.row = row;
    }
  }
  return seen.map(({ moment, share, row, left }) => ({ moment, share, row, left }));
}

/**
 * In which row each span stands, so that none lies over another.
 * @template {{from_ms: number, to_ms: number}} Span
 * @param {Span[]} spans in order of time @returns {{span: Span, row: number}[]}
 */
export function stacked(spans) {
  /** @type {number[]} */
  const ends = [];
  return spans.map((span) => {
    let row = ends.findIndex((end) => span.from_ms >= end);
    row = row < 0 ? ends.length : row;
    ends[row] = span.to_ms;
    return { span, row };
  });
}
