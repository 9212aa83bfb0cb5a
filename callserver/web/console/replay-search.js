/**
 * What is looked for: what stands behind the # of the page's address, the fields of the form, and the query of the API. Pure.
 *
 * @typedef {{what: "incidents" | "calls", q: string, from: string, to: string, point: string, operator: string, outcome: string,
 *   class: string, state: string, min_wait_s: string, max_wait_s: string, min_length_s: string, max_length_s: string}} Search
 * @typedef {{call: string} | {incident: string} | {desk: true} | {search: Search}} Place
 */

import { beginOfDay } from "./replay-time.js";

export const PAGE = 50;

/** @type {Search} */
export const NOTHING = {
  what: "incidents", q: "", from: "", to: "", point: "", operator: "", outcome: "", class: "", state: "",
  min_wait_s: "", max_wait_s: "", min_length_s: "", max_length_s: "",
};

/** @type {Record<string, [string, string][]>} */
export const STATES = {
  incidents: [["waiting", "Waiting"], ["attended", "Attended"], ["wrap-up", "Wrap-up"], ["unreviewed", "Unreviewed"], ["closed", "Closed"]],
  calls: [["waiting", "Waiting"], ["calling-back", "Calling back"], ["talking", "Talking"], ["wrap-up", "Wrap-up"], ["ending", "Ending"], ["ended", "Ended"]],
};

/**
 * Where the address leads.
 * @param {string} hash @returns {Place}
 */
export function placeOf(hash) {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const call = found.get("call");
  const incident = found.get("incident");
  if (call) {
    return { call };
  }
  if (found.has("desk")) {
    return { desk: true };
  }
  return incident ? { incident } : { search: searchOf(found) };
}

/** @param {URLSearchParams} found @returns {Search} */
function searchOf(found) {
  const search = { ...NOTHING };
  for (const key of /** @type {(keyof Search)[]} */ (Object.keys(NOTHING))) {
    /** @type {any} */ (search)[key] = found.get(key) ?? NOTHING[key];
  }
  search.what = search.what === "calls" ? "calls" : "incidents";
  return search;
}

/**
 * What stands behind the #, without what is not set.
 * @param {Search} search
 */
export function hashOf(search) {
  const set = Object.entries(search).filter(([key, value]) => value !== NOTHING[/** @type {keyof Search} */ (key)]);
  return new URLSearchParams(set).toString();
}

/**
 * How many filters are set besides the words.
 * @param {Search} search
 */
export function countOf(search) {
  return Object.entries(search).filter(([key, value]) => !["what", "q"].includes(key) && value).length;
}

/**
 * The API's address for a page of it; days are those of the plan's zone.
 * @param {Search} search @param {string} zone @param {number | null} before
 */
export function addressOf(search, zone, before) {
  const { what, from, to, ...rest } = search;
  const query = new URLSearchParams(Object.entries(rest).filter(([, value]) => value.trim()));
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
  return `/api/${what}?${query}`;
}
