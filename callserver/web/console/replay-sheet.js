/** The sheet of one call, beside the player: what is judged, what was found before, who may. A function of the state. */

import { h } from "./dom.js";
import { monthName } from "./replay-sample.js";
import { dayTime } from "./replay-time.js";
import { utcMs } from "./replay-timeline.js";

const MOST = 2000;

/**
 * @typedef {import("./replay-sample.js").Criterion} Criterion
 * @typedef {import("./replay-sample.js").Sheet} Sheet
 * @typedef {{call: string, month: string, drawn: boolean, refused: string, criteria: Criterion[], sheets: Sheet[]}} Standing
 * @typedef {{standing: Standing | null, error: any, given: Record<string, string>, trouble: string, zone: string}} Shown  `given`: points and comment, as typed
 * @typedef {{give: (name: string, value: string) => void, enter: () => void, close: () => void, leave: () => void, attach: (element: HTMLElement) => void}} Acts
 */

export const COMMENT = "comment";

/**
 * The points that were given, without criteria that did not arise.
 * @param {Record<string, string>} given @param {Criterion[]} criteria @returns {Record<string, number>}
 */
export function pointsOf(given, criteria) {
  return Object.fromEntries(criteria.filter(({ id }) => given[id]).map(({ id }) => [id, Number(given[id])]));
}

/** @param {Shown} shown @param {Acts} act */
export function sheetView(shown, act) {
  const { standing } = shown;
  const leave = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      act.leave();
    }
  };
  return h("aside", { class: "panel sheet", key: "sheet", "aria-labelledby": "sheet-title", attach: act.attach, on: { keydown: leave } },
    h("div", { class: "facts-head" }, h("h2", { id: "sheet-title", tabindex: "-1" }, "Sheet"),
      h("button", { type: "button", class: "quiet", on: { click: act.close } }, "Close")),
    shown.error ? h("p", { class: "notice red" }, `${shown.error.message} ${shown.error.what_to_do}`)
      : !standing ? h("p", { class: "is-quiet", role: "status" }, "Loading…")
        : [entry(standing, shown, act), before(standing, shown.zone)]);
}

/** @param {Standing} standing @param {Shown} shown @param {Acts} act */
function entry(standing, { given, trouble }, act) {
  if (!standing.drawn) {
    return h("p", { class: "is-quiet" }, `This call is not drawn for the sample of ${monthName(standing.month)}; a month is drawn once it is over. Only drawn calls that can be heard are scored: others would bend the figures.`);
  }
  if (standing.refused) {
    return h("p", { class: "notice amber" }, `This is your call: ${standing.refused}.`);
  }
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    act.enter();
  };
  const field = (/** @type {Criterion} */ { id, text, max }) => h("div", { class: "criterion", key: id },
    h("label", { for: `sheet-${id}` }, text),
    h("select", { id: `sheet-${id}`, value: given[id] ?? "", "aria-describedby": "sheet-fault", on: { change: (/** @type {any} */ event) => act.give(id, event.target.value) } },
      h("option", { value: "", key: "none" }, "did not arise"),
      Array.from({ length: max + 1 }, (_, points) => h("option", { value: String(points), key: points }, `${points} of ${max}`))));
  return h("form", { novalidate: true, key: "entry", on: { submit } },
    h("p", { class: "is-quiet" }, `Drawn for the sample of ${monthName(standing.month)}. Esc goes to the player, G comes back.`),
    standing.criteria.map(field),
    h("label", { for: "sheet-comment" }, "What else there is to say"),
    h("textarea", { id: "sheet-comment", rows: "3", maxlength: MOST, value: given[COMMENT] ?? "", on: { input: (/** @type {any} */ event) => act.give(COMMENT, event.target.value) } }),
    h("p", { id: "sheet-fault", class: "is-red", role: "alert" }, trouble),
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, standing.sheets.length ? "Enter another sheet" : "Enter the sheet")));
}

/** @param {Standing} standing @param {string} zone */
function before({ sheets, criteria }, zone) {
  const words = Object.fromEntries(criteria.map(({ id, text }) => [id, text]));
  return sheets.length > 0 && h("section", { key: "before", "aria-labelledby": "sheets" },
    h("h3", { id: "sheets" }, sheets.length > 1 ? "Filled in; the last one counts" : "Filled in"),
    h("ol", null, sheets.map((one) => h("li", { key: `${one.at} ${one.by}` },
      h("p", null, h("strong", null, one.by), `, ${dayTime(utcMs(one.at), zone)}`),
      h("dl", null, Object.entries(one.scores).map(([id, points]) => h("div", { key: id }, h("dt", null, words[id] ?? id), h("dd", { class: "figures" }, `${points} of ${one.most[id]}`)))),
      one.comment && h("p", null, one.comment)))));
}
