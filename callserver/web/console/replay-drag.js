/**
 * Drawing over the waveform chooses a span; a press that stays where it is remains a click.
 *
 * @typedef {{clientX: number, button: number, pointerType: string, pointerId: number, target: any, currentTarget: any}} Pointer
 */

const FAR_PX = 4;

/** @param {(from_ms: number, to_ms: number, done: boolean) => void} chosen */
export function makeDrag(chosen) {
  /** @type {{x: number, at_ms: number} | null} */
  let from = null;
  let drawing = false;
  return {
    /** @param {Pointer} event @param {number} at_ms */
    down(event, at_ms) {
      drawing = false;
      const drawn = event.button === 0 && event.pointerType !== "touch" && event.target.closest(".wave");
      from = drawn ? { x: event.clientX, at_ms } : null;
    },
    /** @param {Pointer} event @param {number} at_ms */
    move(event, at_ms) {
      if (from && !drawing && Math.abs(event.clientX - from.x) >= FAR_PX) {
        drawing = true;
        event.currentTarget.setPointerCapture(event.pointerId);
      }
      if (from && drawing) {
        chosen(from.at_ms, at_ms, false);
      }
    },
    /** @param {number} at_ms */
    up(at_ms) {
      if (from && drawing) {
        chosen(from.at_ms, at_ms, true);
      }
      from = null;
    },
    /** Whether the click that comes now is the end of a drawing. */
    ended() {
      const was = drawing;
      drawing = false;
      return was;
    },
  };
}
