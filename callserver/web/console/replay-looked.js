/**
 * Who looked: the lines of the list, its address and its query. Pure.
 *
 * @typedef {{by: string, what: string, call: string, from: string, to: string}} Sought  days are those of the plan's zone
 * @typedef {{number: number, id: string, at: string, kind: string, body: Record<string, any>}} Fact
 * @typedef {{who: string, what: string, why: string, stretch: string, of: string, address: string}} Line
 */

import { NOTHING, searchOf } from "./replay-search.js";
import { beginOfDay } from "./replay-time.js";
import { filtersTold } from "./replay-told.js";
import { say, spansOf } from "./replay-words.js";

export const PAGE = 50;

/** @type {Sought} */
export const ANYTHING = { by: "", what: "", call: "", from: "", to: "" };

/** @type {[string, string][]} */
export const WHATS = [
  ["signed-in", "Signed in"], ["searched", "Searched"], ["listened", "Listened, and why"], ["heard", "What was heard and sent"], ["taken", "Took a file away"],
  ["exports", "Exports and disclosures"], ["accounts", "Changed an account"], ["settings", "Plan and configuration"],
];

/** @type {Record<string, string>} what was searched, in words */
const SEARCHED = { calls: "searched calls", incidents: "searched incidents", looks: "looked at who looked", journal: "read the journal" };

/**
 * What stands behind the # of the page's address.
 * @param {Sought} sought
 */
export function looksHash(sought) {
  const set = Object.entries(sought).filter(([, value]) => value);
  return ["looks", new URLSearchParams(set).toString()].filter(Boolean).join("&");
}

/**
 * What the address looks for.
 * @param {URLSearchParams} found @returns {Sought}
 */
export function soughtIn(found) {
  const sought = { ...ANYTHING };
  for (const key of /** @type {(keyof Sought)[]} */ (Object.keys(ANYTHING))) {
    sought[key] = found.get(key) ?? "";
  }
  sought.what = WHATS.some(([id]) => id === sought.what) ? sought.what : "";
  return sought;
}

/**
 * The API's address of a page; it asks for one more than is shown, to know whether there are more.
 * @param {Sought} sought @param {string} zone @param {number | null} before
 */
export function looksAddress({ by, what, call, from, to }, zone, before) {
  const query = new URLSearchParams(Object.entries({ by: by.trim(), what, call: call.trim() }).filter(([, value]) => value));
  const begin = from ? beginOfDay(from, zone) : null;
  const end = to ? beginOfDay(to, zone, 1) : null;
  if (begin !== null) {
    query.set("from", new Date(begin).toISOString());
  }
  if (end !== null) {
    query.set("to", new Date(end).toISOString());
  }
  query.set("limit", String(PAGE + 1));
  if (before !== null) {
    query.set("before", String(before));
  }
  return `/api/looks?${query}`;
}

/**
 * A look as a line. Who did it stands apart, so it does not begin the words again.
 * @param {Fact} fact @param {any} names @returns {Line}
 */
export function lineOf(fact, names) {
  const { body, kind } = fact;
  const who = kind === "ConfigurationRead" ? "the service" : kind === "SignedIn" ? body.user : body.by;
  const call = kind === "ExportAsked" || kind === "RedactionMade" ? body.of : body.call;
  const of = call || body.incident || "";
  const address = of && `#${call ? "call" : "incident"}=${encodeURIComponent(of)}`;
  return { who: who || "nobody known", what: "", why: "", stretch: "", of, address, ...told(fact, who, names) };
}

/** @param {Fact} fact @param {string} who @param {any} names @returns {Partial<Line>} */
function told(fact, who, names) {
  const { body, kind } = fact;
  switch (kind) {
    case "Searched":
      return { what: SEARCHED[body.of] ?? `searched ${body.of}`, why: filters(body, names) };
    case "SearchExported":
      return { what: `took ${body.rows} ${body.of} away`, why: filters(body, names) };
    case "Played":
      return { what: `heard${body.leg ? " one party" : ""}`, why: body.reason || "the reason was erased", stretch: spansOf(body.spans) };
    case "RecordingSent":
      return { what: `was sent sound${body.leg ? " of one party" : ""}`, stretch: body.spans.length ? spansOf(body.spans) : "no whole sound", why: body.reason || "the reason was erased" };
    case "SignedIn":
      return { what: body.accepted ? "signed in" : "failed to sign in", why: body.source ? `from ${body.source}` : "" };
    case "Listened":
      return { what: `listened${body.leg ? " to one party" : ""}`, why: body.reason || "the reason was erased" };
    default: {
      const { title, detail } = say(fact, { ...names, legs: {} });
      return { what: title.startsWith(`${who} `) ? title.slice(who.length + 1) : title, why: (detail ?? "").replace(`by ${who}`, "").replace(/^, /, "") };
    }
  }
}

/**
 * Filters of a search, for people, as the list itself tells them; what the page has no field for stands as it was asked.
 * @param {Record<string, any>} body @param {any} names
 */
function filters({ of, what }, names) {
  const asked = new URLSearchParams(what);
  const listed = of === "calls" || of === "incidents";
  const told = listed ? filtersTold({ ...searchOf(asked), what: of }, names) : [];
  const said = (/** @type {string} */ name, /** @type {string} */ value) => (name === "what" ? WHATS.find(([id]) => id === value)?.[1].toLowerCase() : null) ?? `${name.replaceAll("_", " ")} ${value}`;
  const others = [...asked].filter(([name]) => !listed || !(name in NOTHING) || name === "what");
  return [...told, ...others.map(([name, value]) => said(name, value))].join(", ");
}
