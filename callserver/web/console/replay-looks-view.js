/**
 * The page "Who looked". A function of the state; what is typed and chosen goes to `act`. It is looked for once it is whole: each
 * search is journalled, and half a name is none.
 *
 * @typedef {import("./replay-looked.js").Sought} Sought
 * @typedef {import("./replay-looked.js").Fact} Fact
 * @typedef {{state: "loading" | "ready" | "failed", error: any, sought: Sought, from: string, items: Fact[], more: boolean, page: number, names: any}} Shown
 * @typedef {{typed: (change: Partial<Sought>) => void, seek: (change: Partial<Sought>) => void, page: (step: number) => void, again: () => void, listAddress: () => string}} Acts
 */

import { h } from "./dom.js";
import { ANYTHING, lineOf, WHATS } from "./replay-looked.js";
import { dayTime } from "./replay-time.js";
import { utcMs } from "./replay-timeline.js";

/** @param {Shown} shown @param {Acts} act */
export function looksView(shown, act) {
  return [h("div", { class: "desk looks", key: "looks" },
    h("a", { class: "back", href: act.listAddress(), "aria-keyshortcuts": "Escape" }, shown.from ? "← The call" : "← All incidents and calls"),
    h("form", { class: "search panel", role: "search", "aria-label": "Who looked", on: { submit: (/** @type {Event} */ event) => event.preventDefault() } },
      h("h1", null, "Who looked"), fields(shown, act)),
    h("section", { class: "panel found", "aria-label": "Looks", "aria-busy": shown.state === "loading" ? "true" : false }, found(shown, act)))];
}

/** @param {Shown} shown @param {Acts} act */
function fields({ sought, items, names }, act) {
  const field = (/** @type {keyof Sought} */ key, /** @type {string} */ label, /** @type {any} */ more = {}) =>
    h("div", { class: `field ${more.type === "date" ? "date" : ""}` }, h("label", { for: key }, label),
      h("input", { id: key, type: "text", class: sought[key] ? "set" : "", value: sought[key], maxlength: 128, autocomplete: "off", spellcheck: "false", ...more,
        on: { input: (/** @type {any} */ event) => act.typed({ [key]: event.target.value }), change: (/** @type {any} */ event) => act.seek({ [key]: event.target.value }) } }));
  const people = [...new Set(items.map((item) => lineOf(item, names).who))].sort();
  return h("div", { class: "filters" },
    field("by", "Person", { list: "people", "aria-keyshortcuts": "/" }), h("datalist", { id: "people" }, people.map((one) => h("option", { value: one, key: one }))),
    h("div", { class: "field" }, h("label", { for: "what" }, "What"),
      h("select", { id: "what", class: sought.what ? "set" : "", on: { change: (/** @type {any} */ event) => act.seek({ what: event.target.value }) } },
        h("option", { value: "", selected: !sought.what }, "Anything"),
        WHATS.map(([value, name]) => h("option", { value, key: value, selected: sought.what === value }, name)))),
    field("call", "Call"), field("from", "From", { type: "date" }), field("to", "To", { type: "date" }),
    h("button", { type: "button", class: "quiet clear", disabled: !Object.values(sought).some(Boolean), on: { click: () => act.seek(ANYTHING) } }, "Clear"));
}

/** @param {Shown} shown @param {Acts} act */
function found(shown, act) {
  if (shown.state === "failed") {
    return h("div", { class: "empty" }, h("h2", null, shown.error.message), h("p", null, shown.error.what_to_do),
      h("button", { type: "button", on: { click: act.again } }, "Try again"));
  }
  if (!shown.items.length) {
    return shown.state === "loading" ? h("p", { class: "empty", key: "wait" }, "Looking…") : nothing(shown);
  }
  return [
    h("table", { class: "looks" },
      h("caption", { class: "only-heard" }, "Looks, newest first"),
      h("thead", null, h("tr", null, ["When", "Who", "What", "Why", "From – to", "Of"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", null, shown.items.map((item) => row(item, shown.names)))),
    h("div", { class: "pages" },
      h("button", { type: "button", disabled: !shown.page, "aria-keyshortcuts": "P", on: { click: () => act.page(-1) } }, "Page before"),
      h("span", { class: "is-quiet" }, `Page ${shown.page + 1}`),
      h("button", { type: "button", disabled: !shown.more, "aria-keyshortcuts": "N", on: { click: () => act.page(1) } }, "Next page")),
  ];
}

/** @param {Shown} shown */
function nothing({ sought }) {
  const narrowed = Object.values(sought).some(Boolean);
  return h("div", { class: "empty" }, h("h2", null, narrowed ? "Nobody looked like that" : "Nobody has looked yet"),
    h("p", null, narrowed ? "Take a filter away. A person is found by the exact name of the account." : "Every sign-in, search and listening will stand here."));
}

/** @param {Fact} item @param {any} names */
function row(item, names) {
  const { who, what, why, stretch, of, address } = lineOf(item, names);
  return h("tr", { key: item.number },
    h("td", { class: "when figures", title: item.at }, dayTime(utcMs(item.at), names.time_zone)),
    h("td", null, names.operators[who] ?? who),
    h("td", { class: item.kind === "SignedIn" && !item.body.accepted ? "is-amber" : "" }, what),
    h("td", { class: "why" }, why),
    h("td", { class: "figures" }, stretch),
    h("td", null, address && h("a", { href: address }, of)));
}
