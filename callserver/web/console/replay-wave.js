/**
 * Drawing the shape of both sides on a canvas, at the resolution of the screen.
 *
 * @typedef {{from_ms: number, to_ms: number, sides: {name: string, peaks: [number, number][]}[]}} Shape  offsets into the recording
 * @typedef {import("./replay-view.js").View} View
 */

export const MOST_BUCKETS = 4000;
const FULL = 127;
const MUTED = 0.28;
const DOT = 3;

/**
 * How many buckets a canvas can show.
 * @param {HTMLCanvasElement} canvas
 */
export function bucketsOf(canvas) {
  return Math.min(MOST_BUCKETS, Math.max(1, Math.round(canvas.clientWidth * density())));
}

function density() {
  return Math.min(2, window.devicePixelRatio || 1);
}

/**
 * Draw what is known: the finest shape that covers a moment wins. `began_ms` is where the recording begins on the timeline.
 * @param {HTMLCanvasElement} canvas @param {View} view @param {number} began_ms @param {Shape[]} shapes coarse first
 * Where a side has no record at all its line is dotted. What is skipped lies under a shade.
 * @param {string[]} colours of each side @param {string} solo the side that is heard alone, or "both"
 * @param {{gaps: {from_ms: number, to_ms: number}[], colour: string}} skipped
 */
export function draw(canvas, view, began_ms, shapes, colours, solo, skipped) {
  const scale = density();
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const pen = canvas.getContext("2d");
  if (!pen || !width) {
    return;
  }
  pen.clearRect(0, 0, width, height);
  const place = (/** @type {number} */ ms) => ((ms + began_ms - view.from_ms) / (view.to_ms - view.from_ms)) * width;
  pen.fillStyle = skipped.colour;
  for (const { from_ms, to_ms } of skipped.gaps) {
    pen.fillRect(place(from_ms), 0, place(to_ms) - place(from_ms), height);
  }
  colours.forEach((colour, side) => {
    const middle = ((side + 0.5) * height) / colours.length;
    const reach = height / colours.length / 2 - 3 * scale;
    pen.fillStyle = colour;
    pen.globalAlpha = solo === "both" || shapes[0]?.sides[side]?.name === solo ? 1 : MUTED;
    for (let x = 0; x < width; x += 1) {
      const from = view.from_ms + ((view.to_ms - view.from_ms) * x) / width - began_ms;
      const peak = peakAt(shapes, side, from);
      if (peak && (peak[0] || peak[1] || x % (DOT * 2) < DOT)) {
        const top = middle - (peak[1] / FULL) * reach;
        pen.fillRect(x, top, 1, Math.max(scale, ((peak[1] - peak[0]) / FULL) * reach));
      }
    }
  });
  pen.globalAlpha = 1;
}

/** @param {Shape[]} shapes @param {number} side @param {number} ms @returns {[number, number] | null} */
function peakAt(shapes, side, ms) {
  for (let n = shapes.length - 1; n >= 0; n -= 1) {
    const { from_ms, to_ms, sides } = shapes[n];
    if (ms >= from_ms && ms < to_ms && sides[side]) {
      const { peaks } = sides[side];
      return peaks[Math.min(peaks.length - 1, Math.floor(((ms - from_ms) / (to_ms - from_ms)) * peaks.length))];
    }
  }
  return null;
}
