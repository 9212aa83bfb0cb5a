/** What was looked for, in words. Pure. */

import { COUNTED, STATES } from "./replay-search.js";
import { className, count } from "./words.js";

/** @typedef {import("./replay-search.js").Search} Search */
/** @typedef {{found: number, more: boolean} | null} Count  null: not known */

/**
 * A number of seconds as people say it: 45 s, 10 min, 1 h 30 min.
 * @param {string} seconds
 */
export function longest(seconds) {
  const all = Number(seconds);
  if (all < 60 || all % 60) {
    return `${all} s`;
  }
  const hours = Math.floor(all / 3600);
  const minutes = (all % 3600) / 60;
  return [hours && `${hours} h`, (minutes || !hours) && `${minutes} min`].filter(Boolean).join(" ");
}

/**
 * Each filter that is set, in words.
 * @param {Search} search @param {any} names @returns {string[]}
 */
export function filtersTold(search, names) {
  const named = (/** @type {any} */ table, /** @type {string} */ id) => table?.[id] ?? id;
  const state = STATES[search.what].find(([id]) => id === search.state)?.[1] ?? search.state;
  return [
    search.open && "open only",
    search.state && `in the state ${state.toLowerCase()}`,
    search.class && `class ${className({ class: search.class })}`,
    search.point && `at ${named(names.points, search.point)}`,
    search.operator && `with ${named(names.operators, search.operator)}`,
    search.outcome && `outcome ${named(names.outcomes, search.outcome)}`,
    search.days && (search.days === "1" ? "of today" : `of the last ${search.days} days`),
    search.from && `from ${search.from}`,
    search.to && `to ${search.to}`,
    search.min_wait_s && `waited at least ${longest(search.min_wait_s)}`,
    search.max_wait_s && `waited at most ${longest(search.max_wait_s)}`,
    search.min_length_s && `lasted at least ${longest(search.min_length_s)}`,
    search.max_length_s && `lasted at most ${longest(search.max_length_s)}`,
    search.q.trim() && `with “${search.q.trim().split(/\s+/).join("”, “")}”`,
  ].filter((/** @type {any} */ one) => one);
}

/**
 * What stands above a list: how many there are, of what.
 * @param {Search} search @param {any} names @param {Count} found
 */
export function toldOf(search, names, found) {
  const one = search.what === "calls" ? "call" : "incident";
  const many = found === null ? `${one}s`.replace(/^./, (first) => first.toUpperCase()) : found.more ? `More than ${COUNTED} ${one}s` : count(found.found, one);
  return [many, ...filtersTold(search, names)].join(", ");
}
