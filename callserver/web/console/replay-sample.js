/** The quality sample of a month on one page: which calls are drawn, what is done, and what was found. A function of the state. */

import { h } from "./dom.js";
import { dayTime } from "./replay-time.js";
import { utcMs } from "./replay-timeline.js";

/**
 * @typedef {{by: string, at: string, scores: Record<string, number>, most: Record<string, number>, comment: string}} Sheet
 * @typedef {{id: string, text: string, max: number}} Criterion
 * @typedef {{call: string, operator: string, point: string, started: string, state: "to-do" | "done" | "passed", sheets: Sheet[]}} Item
 * @typedef {{operator: string, answered: number, drawn: number, scored: number, passed_over: number, means: Record<string, {share: number, calls: number}>}} Line
 * @typedef {{month: string, zone: string, end: string, drawn: boolean, calls_per_operator: number, row: number | null, seed: string | null, doubt: string,
 *   criteria: Criterion[], lines: Line[], items: Item[]}} Sample
 * @typedef {{state: "loading" | "ready" | "failed", error: any, sample: Sample | null, names: any, now_ms: number}} Shown
 * @typedef {{turn: (step: number) => void, again: () => void, listAddress: () => string}} Acts
 */

const STATES = /** @type {Record<string, [string, string]>} */ ({ "to-do": ["to do", "is-amber"], done: ["done", "is-green"], passed: ["no sound left", ""] });

/**
 * A month in words: November 2026.
 * @param {string} month
 */
export function monthName(month) {
  return new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" }).format(Date.parse(`${month}-01T00:00:00Z`));
}

/**
 * The month so many after, or before.
 * @param {string} month @param {number} step
 */
export function monthAfter(month, step) {
  const count = Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)) - 1 + step;
  return `${String(Math.floor(count / 12)).padStart(4, "0")}-${String((count % 12) + 1).padStart(2, "0")}`;
}

/**
 * Where a drawn call is heard, with its sheet beside it.
 * @param {string} call @param {string} month
 */
export function callAddress(call, month) {
  return `#call=${encodeURIComponent(call)}&sample=${encodeURIComponent(month)}`;
}

/**
 * The criteria of the sheet, and those of older sheets, which have no words any more.
 * @param {Sample} sample @returns {Criterion[]}
 */
export function criteriaOf(sample) {
  const known = new Set(sample.criteria.map(({ id }) => id));
  const older = new Set(sample.lines.flatMap(({ means }) => Object.keys(means)).filter((id) => !known.has(id)));
  return [...sample.criteria, ...[...older].sort().map((id) => ({ id, text: "of an older sheet", max: 0 }))];
}

/** @param {Shown} shown @param {Acts} act */
export function sampleView(shown, act) {
  const back = h("a", { class: "back", href: act.listAddress(), "aria-keyshortcuts": "Escape" }, "← All incidents and calls");
  const { sample } = shown;
  if (!sample) {
    return [h("div", { class: "desk", key: "sample" }, back, shown.state === "failed"
      ? h("div", { class: "notice red" }, h("h1", null, shown.error.message), h("p", null, shown.error.what_to_do), h("button", { type: "button", on: { click: act.again } }, "Try again"))
      : h("p", { class: "waits", role: "status" }, "Loading…"))];
  }
  return [h("div", { class: "desk", key: "sample" }, back, head(sample, act),
    h("p", { class: "notice red", role: "alert", hidden: !sample.doubt }, sample.doubt ? `This is not what the journal draws: ${sample.doubt}.` : " "),
    sample.drawn ? calls(sample, shown.names) : undrawn(sample, shown.now_ms),
    figures(sample, shown.names))];
}

/** @param {Sample} sample @param {Acts} act */
function head({ month }, act) {
  const turn = (/** @type {number} */ step, /** @type {string} */ key) => h("button", { type: "button", class: "quiet", "aria-keyshortcuts": key, on: { click: () => act.turn(step) } },
    step < 0 ? `← ${monthName(monthAfter(month, step))}` : `${monthName(monthAfter(month, step))} →`);
  return h("header", { class: "head-of-sample" },
    h("h1", null, `Quality sample of ${monthName(month)}`),
    h("div", { class: "buttons" }, turn(-1, "P"), turn(1, "N"), h("a", { class: "button quiet", href: `/api/quality.csv?month=${month}`, download: true }, "CSV")));
}

/** @param {Sample} sample @param {number} now_ms */
function undrawn(sample, now_ms) {
  const over = utcMs(sample.end) <= now_ms;
  if (over && sample.calls_per_operator && !sample.lines.length) {
    return h("section", { class: "panel empty", "aria-label": "Drawn calls" }, h("h2", null, "There is nothing to draw from"), h("p", null, "Nobody answered a call in that month."));
  }
  const title = !sample.calls_per_operator ? "No calls are drawn" : over ? "The calls are not drawn yet" : `The draw stands from ${dayTime(utcMs(sample.end), sample.zone)}`;
  const text = !sample.calls_per_operator ? "The configuration wants none: [quality] calls_per_operator is 0."
    : over ? "They are drawn within a minute of the first thing that happens after the month’s end."
      : "The month is not over. Nobody knows yet which calls it will be, not even the service.";
  return h("section", { class: "panel empty", "aria-label": "Drawn calls" }, h("h2", null, title), h("p", null, text));
}

/** @param {Sample} sample @param {any} names */
function calls(sample, names) {
  const left = sample.items.filter(({ state }) => state === "to-do").length;
  const told = h("span", { class: "is-quiet", role: "status" }, left ? `${left} to do` : "all done");
  const item = (/** @type {Item} */ one) => {
    const last = one.sheets[one.sheets.length - 1];
    const [words, tone] = STATES[one.state] ?? [one.state, ""];
    return h("tr", { key: one.call },
      h("td", { class: "operator" }, names.operators[one.operator] ?? one.operator),
      h("td", { class: "when" }, h("a", { href: callAddress(one.call, sample.month), class: "figures" }, dayTime(utcMs(one.started), sample.zone))),
      h("td", { class: "place" }, names.points[one.point] ?? one.point),
      h("td", null, h("span", { class: `badge ${tone}` }, words)),
      h("td", null, last ? `by ${last.by}, ${dayTime(utcMs(last.at), sample.zone)}${one.sheets.length > 1 ? `; sheets: ${one.sheets.length}, the last counts` : ""}`
        : one.state === "passed" ? "another was drawn in its place" : ""));
  };
  return h("section", { class: "panel found", "aria-labelledby": "drawn" },
    h("div", { class: "facts-head" }, h("h2", { id: "drawn" }, "Drawn calls"), told),
    !sample.items.length ? h("p", { class: "empty" }, "No operator answered a call in this month.")
      : h("table", null, h("thead", null, h("tr", null, ["Operator", "Call", "Place", "State", "Sheet"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", null, sample.items.map(item))),
    h("p", { class: "is-quiet seed" }, `${sample.calls_per_operator} of each operator, each call equally likely, by the hash of row ${sample.row} of the journal: `, h("code", null, sample.seed)));
}

/** @param {Sample} sample @param {any} names */
function figures(sample, names) {
  const criteria = criteriaOf(sample);
  const mean = (/** @type {{share: number, calls: number} | undefined} */ one) =>
    h("td", { class: "figures" }, one ? [`${Math.round(one.share * 100)} %`, h("span", { class: "is-quiet" }, ` of ${one.calls}`)] : "–");
  const line = (/** @type {Line} */ one) => h("tr", { key: one.operator },
    h("th", { scope: "row" }, names.operators[one.operator] ?? one.operator),
    [one.answered, one.drawn, one.scored, one.passed_over].map((count) => h("td", { class: "figures" }, count)),
    criteria.map(({ id }) => mean(one.means[id])));
  return h("section", { class: "panel found", "aria-labelledby": "figures" },
    h("div", { class: "facts-head" }, h("h2", { id: "figures" }, "Figures")),
    !sample.lines.length ? h("p", { class: "empty" }, "Nothing to count yet.")
      : h("table", { class: "report" },
        h("thead", null, h("tr", null, ["Operator", "Answered", "Drawn", "Scored", "Passed over", ...criteria.map(({ id }) => id)].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", null, sample.lines.map(line))),
    sample.drawn && h("dl", { class: "legend" }, criteria.map(({ id, text }) => h("div", { key: id }, h("dt", null, id), h("dd", null, text)))),
    sample.drawn && h("p", { class: "is-quiet few" }, "Each mean is of the points that there were to have, and over so many calls. So few show whether somebody needs help, not who is better."));
}
