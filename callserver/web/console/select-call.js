/** What follows from the state about a live call: who takes part and how, and what can be done with it now. Pure. */

import { attended, callOf, mayAct, myOperator, parties, waiting } from "./select.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Leg} Leg */
/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./types.js").Operator} Operator */
/** @typedef {import("./types.js").Point} Point */
/** @typedef {import("./types.js").PointGroup} PointGroup */
/** @typedef {{id: string, name: string, group: boolean, outside?: boolean}} Receiver */

const SEATS = ["operator", "supervisor"];
const FREE = ["available", "paused"];
const LEGS_MOST = 4; // what a call carries
export const POINTS_SHOWN = 8;

/**
 * Whether a leg is one of a person who is in the conversation: answered, and taken by its key where it needs one.
 * @param {Leg} leg
 */
export function takesPart(leg) {
  return leg.state === "up" && leg.accepted !== false;
}

/**
 * Those of these roles who are in the conversation.
 * @param {Call} call
 * @param {...string} roles
 */
export function talkers(call, ...roles) {
  return call.legs.filter((leg) => roles.includes(leg.role) && takesPart(leg));
}

/**
 * Whether a leg is a supervisor's of whom the caller hears nothing.
 * @param {Leg} leg
 */
export function isUnheard(leg) {
  return leg.role === "supervisor" && ["listen", "whisper"].includes(leg.mode);
}

/**
 * The leg of this person's own seat.
 * @param {State} state
 * @param {Call} call
 * @returns {Leg | null}
 */
export function myLeg(state, call) {
  const me = state.sign.person?.operator;
  return (me && call.legs.find((leg) => SEATS.includes(leg.role) && leg.party === me && leg.state !== "ending")) || null;
}

/**
 * Whether this person has the call, so that all of it can be done here.
 * @param {State} state
 * @param {Call} call
 */
export function isMine(state, call) {
  const leg = myLeg(state, call);
  return leg ? leg.role === "operator" : !call.operator || call.operator === state.sign.person?.operator;
}

/**
 * Whom the operator can speak with while the caller waits: a colleague who was brought in, else an outside party.
 * @param {State} state
 * @param {Call} call
 * @returns {Leg | null}
 */
export function partner(state, call) {
  const mine = myLeg(state, call);
  const colleague = talkers(call, "supervisor").find((leg) => leg !== mine && !isUnheard(leg));
  return colleague ?? (call.state === "talking" ? talkers(call, "outside")[0] : undefined) ?? null;
}

/**
 * Whether the caller waits while those speak.
 * @param {Call} call
 */
export function isPrivate(call) {
  return (call.held && talkers(call, "outside").length > 0) || talkers(call, "supervisor").some((leg) => leg.mode === "private");
}

/**
 * To whom the call is left when this person goes: "" where it cannot go on without.
 * @param {State} state
 * @param {Call} call
 */
export function leftTo(state, call) {
  const stays = partner(state, call) ?? talkers(call, "outside")[0];
  return stays ? stays.name || stays.party || "the others" : "";
}

/**
 * Whether the call can be given away or parked: an outside party is not to be left waiting, and a point that is called not yet there.
 * @param {State} state
 * @param {Call} call
 */
export function canGive(state, call) {
  const awaited = call.state === "calling-back" && state.board.incident[call.incident]?.called_by;
  const others = call.legs.some((leg) => leg.role === "brought" && leg.state !== "ending");
  return !awaited && !others && isMine(state, call) && talkers(call, "outside").length === 0 && Boolean(myLeg(state, call));
}

/**
 * Colleagues whose seat is free, so that they can be asked first.
 * @param {State} state
 * @param {Call} call
 * @returns {Operator[]}
 */
export function colleagues(state, call) {
  const live = call.legs.filter((leg) => leg.state !== "ending").length;
  const taken = new Set(Object.values(state.board.call).flatMap((one) => one.legs.filter((leg) => SEATS.includes(leg.role)).map((leg) => leg.party)));
  return live >= LEGS_MOST ? [] : others(state).filter((one) => one.state === "available" && !taken.has(one.id));
}

/** @param {State} state @returns {Operator[]} */
function others(state) {
  const me = state.sign.person?.operator;
  const known = Object.values(state.board.operator).filter((one) => one.id !== me && one.reachable && !["off", "paused"].includes(one.state));
  return known.sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * To whom a call can be given without asking: colleagues on duty, groups with one of them, and outside parties.
 * @param {State} state
 * @returns {Receiver[]}
 */
export function receivers(state) {
  const people = others(state);
  const outside = parties(state).map(({ id, name }) => ({ id, name, group: false, outside: true }));
  return [...people.map(({ id, name }) => ({ id, name, group: false })), ...groupsOf(state, people), ...outside];
}

/** @param {State} state @param {Operator[]} people @returns {Receiver[]} the groups that one of these is in */
function groupsOf(state, people) {
  const groups = (state.board.service?.groups ?? []).filter((group) => people.some((one) => one.groups.includes(group)));
  return groups.map((id) => ({ id, name: id, group: true }));
}

/**
 * What the dialog of giving a call away offers: to ask a colleague first, or somebody of a group, or to give it at once.
 * @param {State} state
 * @param {Call} call
 * @returns {Receiver[]}
 */
export function gifts(state, call) {
  if (state.blind) {
    return receivers(state);
  }
  const free = colleagues(state, call);
  return [...free.map(({ id, name }) => ({ id, name, group: false })), ...groupsOf(state, free)];
}

/**
 * What the devices of the points in a call can be told to do, each with its leg.
 * @param {Call} call
 * @returns {{leg: import("./types.js").Leg, id: string, name: string}[]}
 */
export function controlsOf(call) {
  const there = call.legs.filter((leg) => ["point", "brought"].includes(leg.role) && leg.state === "up");
  return there.flatMap((leg) => (leg.controls ?? []).map(({ id, name }) => ({ leg, id, name })));
}

/**
 * Whether one more point can be called into a call.
 * @param {State} state
 * @param {Call | null} call
 */
export function canBring(state, call) {
  const guests = call ? call.legs.filter((leg) => leg.role !== "point" && leg.state !== "ending").length : LEGS_MOST;
  return Boolean(call && isMine(state, call) && myLeg(state, call)?.role === "operator" && guests < LEGS_MOST - 1);
}

/**
 * Whether this person's seat is free to be rung for something that is chosen here.
 * @param {State} state
 */
export function isFree(state) {
  const me = myOperator(state);
  return Boolean(me && mayAct(state) && me.reachable && FREE.includes(me.state) && !state.talk && !state.ring);
}

/**
 * Whether an incident's conversation goes on with an outside party alone.
 * @param {State} state
 * @param {Incident} incident
 */
export function isLeft(state, incident) {
  const call = callOf(state, incident.call);
  return Boolean(call && incident.state === "attended" && talkers(call, "outside").length && !call.legs.some((leg) => leg.role === "operator" && leg.state !== "ending"));
}

/**
 * What can be taken: who waits, in their order, and conversations that were left to an outside party.
 * @param {State} state
 * @returns {Incident[]}
 */
export function takeable(state) {
  return [...waiting(state), ...attended(state).filter((one) => isLeft(state, one))];
}

/**
 * With whom a conversation is left, by name.
 * @param {State} state
 * @param {Incident} incident
 */
export function leftWith(state, incident) {
  const leg = talkers(/** @type {Call} */ (callOf(state, incident.call)), "outside")[0];
  return leg.name || parties(state).find((one) => one.id === leg.party)?.name || "an outside party";
}

/**
 * Points that can be called, as they are looked for: each word must stand in place or id.
 * @param {State} state
 * @returns {Point[]}
 */
export function callable(state) {
  const words = state.sought.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (/** @type {Point} */ one) => words.every((word) => `${one.place} ${one.id}`.toLowerCase().includes(word));
  const inside = talked(state).map((leg) => leg.party);
  const free = Object.values(state.board.point).filter((one) => fits(one) && !isAttended(state, one) && !inside.includes(one.id));
  return free.sort((a, b) => Number(a.reachable === false) - Number(b.reachable === false) || a.place.localeCompare(b.place));
}

/** @param {State} state @returns {Leg[]} the legs of the call that is talked in here */
function talked(state) {
  return (state.talk && callOf(state, state.talk.call)?.legs.filter((leg) => leg.state !== "ending")) || [];
}

/**
 * Groups of points that can be called as one, as they are looked for; none into a conversation.
 * @param {State} state
 * @returns {PointGroup[]}
 */
export function callableGroups(state) {
  const words = state.sought.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (/** @type {PointGroup} */ one) => words.every((word) => `${one.name} ${one.id}`.toLowerCase().includes(word));
  return isFree(state) ? (state.board.service?.point_groups ?? []).filter(fits) : [];
}

/** @param {State} state @param {Point} point */
function isAttended(state, point) {
  const incident = point.incident ? state.board.incident[point.incident] : undefined;
  return Boolean(incident && incident.state !== "waiting" && incident.state !== "unreviewed");
}

/**
 * Whether this person may take part in the calls of others, from a seat of the plan.
 * @param {State} state
 */
export function maySupervise(state) {
  const off = myOperator(state)?.state === "off" && Boolean(myOperator(state)?.reachable) && !state.talk && !state.ring;
  return state.sign.person?.role === "supervisor" && (off || isFree(state));
}

/**
 * When the point's device ends the call by itself, once that is near.
 * @param {Call} call
 */
export function endsAt(call) {
  return call.legs.find((leg) => leg.role === "point" && leg.state === "up" && leg.limit_ms)?.limit_ms ?? null;
}
