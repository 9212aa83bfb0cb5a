/** What follows from the state about the call-back list: open incidents that nobody has. Pure functions. */

import { myOperator, nameOf, now_ms } from "./select.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./types.js").Operator} Operator */

const AWAY = ["off", "paused"];

/** @type {WeakMap<Object, Incident[]>} */
const sorted = new WeakMap();

/**
 * The whole list: what is due first stands first.
 * @param {State} state
 * @returns {Incident[]}
 */
export function listed(state) {
  const incidents = state.board.incident;
  let found = sorted.get(incidents);
  if (!found) {
    const due = (/** @type {Incident} */ one) => one.overdue_ms ?? one.since_ms;
    found = Object.values(incidents).filter((one) => one.listed || one.state === "unreviewed");
    found.sort((a, b) => due(a) - due(b) || (a.id < b.id ? -1 : 1));
    sorted.set(incidents, found);
  }
  return found;
}

/** @param {State} state @param {Incident} one */
export function isOwn(state, one) {
  return Boolean(one.owner) && one.owner === state.sign.person?.operator;
}

/**
 * What this operator owns.
 * @param {State} state
 * @returns {Incident[]}
 */
export function own(state) {
  return listed(state).filter((one) => isOwn(state, one));
}

/**
 * What was passed to this operator, and was not said to be seen.
 * @param {State} state
 * @returns {Incident[]}
 */
export function passed(state) {
  return own(state).filter((one) => one.acknowledge_ms);
}

/** @param {State} state @param {Incident} one */
export function isLate(state, one) {
  return Boolean(one.overdue_ms) && now_ms(state) >= Number(one.overdue_ms);
}

/**
 * Who could get what is on the list: colleagues on duty.
 * @param {State} state
 * @returns {Operator[]}
 */
export function successors(state) {
  const me = myOperator(state)?.id;
  const there = Object.values(state.board.operator).filter((one) => one.id !== me && one.reachable && !AWAY.includes(one.state));
  return there.sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * The list as its dialog shows it, for the digits: one's own first, then what is nobody's.
 * @param {State} state
 * @returns {Incident[]}
 */
export function choices(state) {
  const rank = (/** @type {Incident} */ one) => (isOwn(state, one) ? 0 : one.owner ? 2 : 1);
  return [...listed(state)].sort((a, b) => rank(a) - rank(b));
}

/**
 * Whose it is, in words.
 * @param {State} state
 * @param {Incident} one
 */
export function ownerWords(state, one) {
  return isOwn(state, one) ? "yours" : one.owner ? nameOf(state, one.owner) : "nobody\u2019s";
}

/** By the rule. */
export const NEXT = { id: "", name: "The next on duty" };

/**
 * Who can be given one of the list, in the order of their digits; oneself first, where it is not one's own.
 * @param {State} state
 * @returns {{id: string, name: string}[]}
 */
export function receiversOf(state) {
  const one = state.board.incident[state.picked];
  const me = state.sign.person?.operator;
  const myself = me && one && !isOwn(state, one) ? [{ id: me, name: "Take it yourself" }] : [];
  return [...myself, NEXT, ...successors(state)];
}
