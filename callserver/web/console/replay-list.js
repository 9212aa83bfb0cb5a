/** The list of incidents or calls with its search. A function of the state; what is typed and chosen goes to `act`. */

import { h } from "./dom.js";
import { hashOfKept } from "./replay-finding.js";
import { NOTHING, STATES, countOf, searchOf } from "./replay-search.js";
import { dayTime, offset } from "./replay-time.js";
import { utcMs } from "./replay-timeline.js";
import { filtersTold, longest, toldOf } from "./replay-told.js";
import { className, classTone, count } from "./words.js";

/** @typedef {import("./replay-search.js").Search} Search */
/**
 * @typedef {{search: Search, items: any[], more: boolean, page: number, state: "loading" | "ready" | "failed", error: any,
 *   names: any, now_ms: number, finding: any, role: string}} List
 * @typedef {{search: (change: Partial<Search>) => void, page: (step: number) => void, again: () => void, open: (item: any) => void,
 *   toggle: () => void, keep: () => void, forget: (kept: any) => void, take: () => void}} Acts
 */

const LENGTHS = ["10", "30", "60", "180", "600", "1800", "3600"];
const DAYS = [["1", "Today"], ["7", "Last 7 days"], ["31", "Last 31 days"], ["92", "Last 92 days"], ["366", "Last 366 days"]];
const MAY_TAKE = ["supervisor", "auditor"];

/** @param {List} list @param {Acts} act */
export function listView(list, act) {
  return [
    h("div", { class: "list", key: "list" },
      h("form", { class: "search panel", role: "search", "aria-label": "Search", on: { submit: (/** @type {Event} */ event) => event.preventDefault() } },
        h("div", { class: "first" }, whatTabs(list.search, act), words(list.search, act)),
        filters(list, act),
        keeping(list, act)),
      list.finding.open && kept(list, act),
      list.finding.trouble && h("p", { class: "is-red", role: "alert", key: "trouble" }, list.finding.trouble),
      h("div", { class: "found panel", "aria-busy": list.state === "loading" ? "true" : false }, found(list, act))),
  ];
}

/** @param {Search} search @param {Acts} act */
function whatTabs(search, act) {
  const tab = (/** @type {Search["what"]} */ what, /** @type {string} */ name) =>
    h("button", { type: "button", class: "choice", "aria-pressed": String(search.what === what), on: { click: () => act.search({ what, state: "" }) } }, name);
  return h("div", { class: "choices", role: "group", "aria-label": "What is listed" }, tab("incidents", "Incidents"), tab("calls", "Calls"));
}

/** @param {Search} search @param {Acts} act */
function words(search, act) {
  const typed = (/** @type {any} */ event) => act.search({ q: event.target.value });
  return h("div", { class: "words" },
    h("label", { for: "words", class: "only-heard" }, "Words: place, point, operator, outcome, note"),
    h("input", { id: "words", type: "search", value: search.q, maxlength: 200, autocomplete: "off", spellcheck: "false",
      placeholder: "Search place, point, operator, outcome, note", "aria-keyshortcuts": "/", on: { input: typed } }),
    h("kbd", { "aria-hidden": "true" }, "/"));
}

/** @param {List} list @param {Acts} act */
function filters({ search, names }, act) {
  const by = (/** @type {Record<string, string>} */ named) => Object.entries(named ?? {}).sort((a, b) => a[1].localeCompare(b[1]));
  const select = (/** @type {keyof Search} */ key, /** @type {string} */ label, /** @type {string[][]} */ options, any = "Any") =>
    h("div", { class: "field" }, h("label", { for: key }, label),
      h("select", { id: key, class: search[key] ? "set" : "", on: { change: (/** @type {any} */ event) => act.search({ [key]: event.target.value }) } },
        h("option", { value: "", selected: !search[key] }, any),
        options.map(([value, name]) => h("option", { value, key: value, selected: search[key] === value }, name))));
  const long = (/** @type {keyof Search} */ key, /** @type {string} */ label) => select(key, label, withOwn(LENGTHS, search[key]).map((one) => [one, longest(one)]));
  const date = (/** @type {"from" | "to"} */ key, /** @type {string} */ label) =>
    h("div", { class: "field date" }, h("label", { for: key }, label),
      h("input", { id: key, type: "date", class: search[key] ? "set" : "", value: search[key], on: { change: (/** @type {any} */ event) => act.search({ [key]: event.target.value }) } }));
  const set = countOf(search) + (search.q ? 1 : 0);
  return h("div", { class: "filters" },
    select("days", "Days", withOwn(DAYS.map(([days]) => days), search.days).map((one) => [one, DAYS.find(([days]) => days === one)?.[1] ?? `Last ${one} days`])),
    date("from", "From"), date("to", "To"),
    select("point", "Place", by(names.points)),
    select("operator", "Operator", by(names.operators)),
    select("outcome", "Outcome", by(names.outcomes)),
    select("class", "Class", Object.values(names.classes ?? {}).map((name) => [name, className({ class: name })])),
    select("state", "State", STATES[search.what]),
    long("min_wait_s", "Waited at least"), long("max_wait_s", "Waited at most"),
    long("min_length_s", "Lasted at least"), long("max_length_s", "Lasted at most"),
    h("label", { class: "only-open" },
      h("input", { type: "checkbox", id: "open", checked: search.open === "true", on: { change: (/** @type {any} */ event) => act.search({ open: event.target.checked ? "true" : "" }) } }), "Open only"),
    h("button", { type: "button", class: "quiet clear", disabled: !set, on: { click: () => act.search({ ...NOTHING, what: search.what }) } }, "Clear"));
}

/**
 * The choices, with the one that is set where it is none of them.
 * @param {string[]} usual @param {string} own
 */
function withOwn(usual, own) {
  return own && !usual.includes(own) ? [...usual, own] : usual;
}

/** @param {List} list @param {Acts} act */
function keeping({ finding, role, search }, act) {
  const button = (/** @type {string} */ name, /** @type {string} */ key, /** @type {() => void} */ does, /** @type {Record<string, any>} */ more = {}) =>
    h("button", { type: "button", class: "quiet", "aria-keyshortcuts": key, on: { click: does }, ...more }, name, " ", h("kbd", { "aria-hidden": "true" }, key));
  return h("div", { class: "keeping" },
    button("Keep this search…", "Y", act.keep),
    button("Kept searches", "U", act.toggle, { id: "kept-searches", "aria-expanded": String(finding.open), "aria-controls": finding.open && "kept" }),
    MAY_TAKE.includes(role) && button(finding.taking ? "Making the file…" : `Take these ${search.what} away (CSV)`, "C", act.take, { disabled: finding.taking }));
}

/** @param {List} list @param {Acts} act */
function kept({ finding, names }, act) {
  const items = finding.kept;
  const heading = h("h2", { id: "kept-title" }, "Kept searches");
  if (!items?.length) {
    return h("section", { id: "kept", class: "kept panel", key: "kept", "aria-labelledby": "kept-title" }, heading,
      h("p", { class: "is-quiet" }, items ? "Nothing is kept yet. Set the filters, then press Y." : "Looking…"));
  }
  return h("section", { id: "kept", class: "kept panel", key: "kept", "aria-labelledby": "kept-title" }, heading,
    h("ul", null, items.map((/** @type {any} */ one) => {
      const search = { ...searchOf(new URLSearchParams(one.filters)), what: one.of };
      return h("li", { key: one.id },
        h("a", { href: `#${hashOfKept(one)}` }, one.name),
        h("span", { class: "is-quiet" }, [one.of === "calls" ? "Calls" : "Incidents", ...filtersTold(search, names)].join(", ")),
        one.shared && h("span", { class: "badge is-blue" }, one.mine ? "For everybody" : `From ${names.operators[one.by] ?? one.by}`),
        (one.mine || finding.may_share) && h("button", { type: "button", class: "quiet", "aria-label": `Take ${one.name} off the list`, on: { click: () => act.forget(one) } }, "Remove"));
    })));
}

/** @param {List} list @param {Acts} act */
function found(list, act) {
  if (list.state === "failed") {
    return h("div", { class: "empty" }, h("h2", null, list.error.message), h("p", null, list.error.what_to_do),
      h("button", { type: "button", on: { click: act.again } }, "Try again"));
  }
  if (!list.items.length) {
    return list.state === "loading" ? h("p", { class: "empty", key: "wait" }, "Looking…") : nothing(list);
  }
  return [
    h("p", { class: "told", key: "told", role: "status" }, list.state === "loading" ? "Looking…" : toldOf(list.search, list.names, list.finding.count)),
    h("table", { class: list.search.what },
      h("caption", { class: "only-heard" }, `${list.search.what === "calls" ? "Calls" : "Incidents"}, newest first`),
      h("thead", null, h("tr", null, ["When", "Place", "Class", "Waited", "Lasted", "Operator", "Outcome", "Note"].map((name) => h("th", { scope: "col", class: name.toLowerCase() }, name)))),
      h("tbody", null, list.items.map((item) => row(item, list, act)))),
    pages(list, act),
  ];
}

/** @param {List} list */
function nothing({ search, names, finding }) {
  const what = search.what;
  return h("div", { class: "empty" },
    h("h2", null, countOf(search) || search.q ? `No ${what} fit this search` : `There are no ${what} yet`),
    h("p", null, countOf(search) || search.q ? "Take a filter away, or look for fewer words. What was erased is not found." : "The first press will stand here."),
    h("p", { class: "told", role: "status" }, toldOf(search, names, finding.count)));
}

/** @param {any} item @param {List} list @param {Acts} act */
function row(item, { search, names, now_ms }, act) {
  const calls = search.what === "calls";
  const began = utcMs(calls ? item.started : item.opened);
  const end = calls ? item.ended : item.closed;
  const waiting = !item.answered && item.state === "waiting";
  const wait = waiting ? now_ms : utcMs(item.answered ?? (calls ? item.ended : item.changed) ?? "") || now_ms;
  const address = `#${calls ? "call" : "incident"}=${encodeURIComponent(item.id)}`;
  return h("tr", { key: item.id, on: { click: (/** @type {any} */ event) => event.target.closest("a") || act.open(item) } },
    h("td", { class: "when" }, h("a", { href: address, class: "figures" }, dayTime(began, names.time_zone))),
    h("td", { class: "place" }, names.points[item.point] ?? item.point, item.presses > 1 && h("span", { class: "again" }, ` pressed ${item.presses} times`)),
    h("td", { class: "class" }, h("span", { class: `is-${classTone(item.priority ?? undefined)}` }, className(item))),
    h("td", { class: "waited figures" }, offset(wait - began, false), !item.answered && h("span", { class: waiting ? "is-red" : "is-amber" }, waiting ? " waiting" : " unanswered")),
    h("td", { class: "lasted figures" }, end ? offset(utcMs(end) - began, false) : "–"),
    h("td", { class: "operator" }, item.operator ? names.operators[item.operator] ?? item.operator : "–"),
    h("td", { class: "outcome" }, item.outcome ? names.outcomes[item.outcome] ?? item.outcome : end === null ? stateOf(item, search.what) : "–"),
    h("td", { class: "note", title: item.note || false }, item.note));
}

/** @param {any} item @param {string} what */
function stateOf(item, what) {
  const [, name] = STATES[what].find(([id]) => id === item.state) ?? ["", item.state];
  return h("span", { class: `badge ${item.state === "unreviewed" ? "is-amber" : "is-green"}` }, name);
}

/** @param {List} list @param {Acts} act */
function pages({ items, more, page, search }, act) {
  const what = search.what === "calls" ? "call" : "incident";
  return h("div", { class: "pages" },
    h("p", null, `${count(items.length, what)}${more || page ? ` on page ${page + 1}` : ""}`),
    h("button", { type: "button", class: "quiet", disabled: !page, "aria-keyshortcuts": "P", on: { click: () => act.page(-1) } }, "Newer"),
    h("button", { type: "button", class: "quiet", disabled: !more, "aria-keyshortcuts": "N", on: { click: () => act.page(1) } }, "Older"));
}
