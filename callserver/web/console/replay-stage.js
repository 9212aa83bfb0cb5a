/** A call's sound and what happened, one above the other on one scale. Described from the state; the canvas is drawn beside it. */

import { h } from "./dom.js";
import { clockTime, offset, ticks } from "./replay-time.js";
import { isWhole, labelled, momentAt, shareOf, stacked } from "./replay-view.js";

/** @typedef {import("./replay-timeline.js").Timeline} Timeline */
/** @typedef {import("./replay-timeline.js").Lane} Lane */
/** @typedef {import("./replay-view.js").View} View */
/**
 * @typedef {{timeline: Timeline, view: View, zone: string, all: boolean, width: number, silent: {title: string, text: string} | null,
 *   solo: string, hearing: {track: string, track_name: string, span: [number, number] | null, loop: {on: boolean}} | null}} Stage
 * @typedef {{listenAt: (at_ms: number) => void, zoomAt: (by: number, at_ms: number) => void, move: (share: number) => void,
 *   drag: ReturnType<typeof import("./replay-drag.js").makeDrag>, canvas: (canvas: HTMLCanvasElement) => (() => void), plot: (plot: HTMLElement) => (() => void)}} Acts
 */

/** @type {Record<Lane, string>} */
const LANES = { caller: "Caller", operator: "Operators", outside: "Outside" };
const SPAN_REM = 1.75;
const LABEL_ROWS = 4;
const TICK_PX = 90;
const LETTER_PX = 7;
const LABEL_PX = 22;

/** @param {Stage} stage @param {Acts} act */
export function stageView(stage, act) {
  const lanes = stage.timeline.lanes.map((lane) => ({ lane, rows: rowsOf(stage, lane) }));
  return h("div", { class: "stage", key: "stage" },
    h("div", { class: "gutter", "aria-hidden": "true" },
      h("div", { class: "scale" }, h("span", null, "Time of day"), h("span", null, "From the start")),
      h("div", { class: "wave" }, !stage.silent && sideNames(stage)),
      lanes.map(({ lane, rows }) => h("div", { class: "lane", key: lane, vars: { "--rows": rows.count } }, LANES[lane])),
      h("div", { class: "marks" }, "What happened")),
    h("div", { class: "plot", role: "slider", tabindex: 0, "aria-label": "Position in the call", "aria-valuemin": 0,
      "aria-valuemax": Math.round((stage.timeline.to_ms - stage.timeline.from_ms) / 1000), "aria-disabled": stage.silent ? "true" : false,
      attach: act.plot, on: pointing(stage, act) },
      scale(stage),
      h("div", { class: "wave" }, stage.silent ? silence(stage.silent) : [h("canvas", { attach: act.canvas, "aria-hidden": "true" }), ...edges(stage), span(stage)]),
      lanes.map(({ lane, rows }) => h("div", { class: "lane", key: lane, vars: { "--rows": rows.count } }, rows.spans)),
      h("div", { class: "marks" }, marks(stage)),
      h("div", { class: "hover", "aria-hidden": "true" }),
      h("div", { class: "head", "aria-hidden": "true" })));
}

/** @param {Stage} stage */
function sideNames({ solo, hearing }) {
  if (hearing?.track) {
    return h("span", { class: "alone", key: "alone" }, hearing.track_name);
  }
  return [h("span", { class: solo === "heard" ? "off" : "" }, "Point said"), h("span", { class: solo === "point" ? "off" : "" }, "Point heard")];
}

/**
 * The chosen span, over the waveform.
 * @param {Stage} stage
 */
function span({ timeline, view, hearing }) {
  if (!hearing?.span || timeline.began_ms === null) {
    return null;
  }
  const began = timeline.began_ms;
  const [left, right] = hearing.span.map((ms) => Math.min(1, Math.max(0, shareOf(view, began + ms))));
  return right > left && h("div", { class: `chosen ${hearing.loop.on ? "on" : ""}`, key: "chosen", vars: { "--left": left, "--width": right - left } });
}

/** @param {{title: string, text: string}} silent */
function silence({ title, text }) {
  return h("div", { class: "silence" }, h("strong", null, title), h("p", null, text));
}

/**
 * Where there is no recording: before its beginning, after its end.
 * @param {Stage} stage
 */
function edges({ timeline, view }) {
  const { began_ms, sound_ms } = timeline;
  if (began_ms === null) {
    return [];
  }
  const clamp = (/** @type {number} */ at) => Math.min(1, Math.max(0, shareOf(view, at)));
  const [begin, end] = [clamp(began_ms), clamp(began_ms + sound_ms)];
  return [
    begin > 0 && h("div", { class: "unheard", key: "before", vars: { "--left": 0, "--width": begin } }),
    end < 1 && h("div", { class: "unheard", key: "after", vars: { "--left": end, "--width": 1 - end } }),
  ];
}

/** @param {Stage} stage */
function scale({ timeline, view, zone, width }) {
  const zero = timeline.began_ms ?? timeline.from_ms;
  return h("div", { class: "scale" },
    ticks(view.from_ms, view.to_ms, zero, Math.max(2, width / TICK_PX))
      .filter((at) => (1 - shareOf(view, at)) * width > TICK_PX - LABEL_PX)
      .map((at) => h("div", { class: "tick", key: at, vars: { "--left": shareOf(view, at) } },
        h("span", null, clockTime(at, zone)), h("span", null, offset(at - zero, view.to_ms - view.from_ms < 12_000)))));
}

/** @param {Stage} stage @param {Lane} lane */
function rowsOf({ timeline, view, width }, lane) {
  const over = (/** @type {string} */ kind) => kind === "hold" || kind === "silent";
  const all = timeline.spans.filter((span) => span.lane === lane);
  const placed = stacked(all.filter((span) => !over(span.kind)));
  const count = Math.max(1, ...placed.map(({ row }) => row + 1));
  const wide = all.filter((span) => over(span.kind)).map((span) => ({ span, row: 0 }));
  const spans = [...placed, ...wide].flatMap(({ span, row }, place) => {
    const left = Math.max(0, shareOf(view, span.from_ms));
    const right = Math.min(1, shareOf(view, span.to_ms));
    const room = (right - left) * width > span.text.length * LETTER_PX;
    return right <= 0 || left >= 1 || right <= left ? [] : h("div", { class: `span ${span.kind}`, key: `${place}`, title: `${span.text}, ${offset(span.to_ms - span.from_ms)}`,
      vars: { "--left": left, "--width": right - left, "--row": `${row * SPAN_REM}rem` } }, room && span.text);
  });
  return { count, spans };
}

/** @param {Stage} stage */
function marks({ timeline, view, all, width }) {
  const shown = timeline.marks.filter((one) => (all || !one.minor) && !one.after);
  const widthOf = (/** @type {{title: string}} */ one) => one.title.length * LETTER_PX + LABEL_PX;
  return labelled(shown, view, width, LABEL_ROWS, widthOf).map(({ moment, share, row, left }) =>
    h("div", { class: `mark tone-${moment.tone} ${left ? "left" : ""} ${row === null ? "bare" : ""}`, key: moment.number, "data-at": moment.at_ms,
      title: row === null ? moment.title : moment.detail || false, vars: { "--left": share, "--row": row ?? 0 } }, row !== null && h("span", null, moment.title)));
}

/** @param {Stage} stage @param {Acts} act */
function pointing({ view, timeline, zone }, act) {
  const momentOf = (/** @type {any} */ event) => {
    const box = event.currentTarget?.getBoundingClientRect() ?? { left: 0, width: 1 };
    return momentAt(view, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  };
  return {
    pointerdown: (/** @type {any} */ event) => act.drag.down(event, momentOf(event)),
    pointerup: (/** @type {any} */ event) => act.drag.up(momentOf(event)),
    click: (/** @type {any} */ event) => {
      if (act.drag.ended()) {
        return;
      }
      const mark = event.target.closest("[data-at]");
      act.listenAt(mark ? Number(mark.dataset.at) : momentOf(event));
    },
    pointermove: (/** @type {any} */ event) => {
      const at = momentOf(event);
      act.drag.move(event, at);
      const line = event.currentTarget.querySelector(".hover");
      line.style.setProperty("--left", String(shareOf(view, at)));
      line.dataset.time = `${clockTime(at, zone)}   ${offset(at - (timeline.began_ms ?? timeline.from_ms))}`;
      line.classList.toggle("left", shareOf(view, at) > 0.85);
    },
    wheel: (/** @type {any} */ event) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        act.zoomAt(event.deltaY < 0 ? 1.25 : 0.8, momentOf(event));
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && !isWhole(view)) {
        event.preventDefault();
        act.move(event.deltaX / 1000);
      }
    },
  };
}
