/**
 * What is looked for: what stands behind the # of the page's address, the fields of the form, and the query of the API. Pure.
 *
 * @typedef {{what: "incidents" | "calls", q: string, from: string, to: string, point: string, operator: string, outcome: string,
 *   class: string, state: string, days: string, open: string, min_wait_s: string, max_wait_s: string, min_length_s: string,
 *   max_length_s: string}} Search  `days`: today and those before it, so many in all; `open`: "true" or ""
 * @typedef {{call: string, sample?: string} | {incident: string} | {desk: true} | {looks: import("./replay-looked.js").Sought} | {sample: string} | {search: Search}} Place  `sample`: a month, "" for the last;
 *   of a call the one from whose page it is opened
 */

import { soughtIn } from "./replay-looked.js";
export const PAGE = 50;
export const COUNTED = "1,000"; // the service counts no further

/** @type {Search} */
export const NOTHING = {
  what: "incidents", q: "", from: "", to: "", point: "", operator: "", outcome: "", class: "", state: "",
  days: "", open: "", min_wait_s: "", max_wait_s: "", min_length_s: "", max_length_s: "",
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
  if (found.has("looks")) {
    return { looks: soughtIn(found) };
  }
  const call = found.get("call");
  const incident = found.get("incident");
  if (call) {
    const sample = found.get("sample");
    return sample ? { call, sample } : { call };
  }
  if (found.has("desk")) {
    return { desk: true };
  }
  if (found.has("sample")) {
    return { sample: found.get("sample") ?? "" };
  }
  return incident ? { incident } : { search: searchOf(found) };
}

/**
 * The fields that an address or the query of the API sets.
 * @param {URLSearchParams} found @returns {Search}
 */
export function searchOf(found) {
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
 * The filters as the API's query; days are those of the plan's zone there too.
 * @param {Search} search
 */
export function filtersOf({ what, ...rest }) {
  return new URLSearchParams(Object.entries(rest).filter(([, value]) => value.trim())).toString();
}

/**
 * The API's address for a page of it.
 * @param {Search} search @param {number | null} before
 */
export function addressOf(search, before) {
  const query = new URLSearchParams(filtersOf(search));
  query.set("limit", String(PAGE + 1));
  if (before !== null) {
    query.set("before", String(before));
  }
  return `/api/${search.what}?${query}`;
}
