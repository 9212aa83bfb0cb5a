/** What follows from the state: pure functions, nothing of it is kept. */

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Operator} Operator */
/** @typedef {import("./types.js").Point} Point */
/** @typedef {import("./types.js").Draft} Draft */

export const OLD_AFTER_MS = 2500;
const ON_DUTY = ["operator", "supervisor"];
const BEGUN = ["talking", "calling-back"];

/**
 * The service's clock, as far as the page knows it.
 * @param {State} state
 */
export function now_ms(state) {
  return state.at_ms + state.board.offset_ms;
}

/**
 * Whether what the page shows is old, for how long, and why: `connection` or `switchboard`. Null while it is live.
 * @param {State} state
 * @returns {{age_ms: number, why: "connection" | "switchboard"} | null}
 */
export function oldness(state) {
  const { epoch, beat_ms, live, live_ms } = state.board;
  if (!epoch) {
    return null;
  }
  if (state.at_ms - beat_ms > OLD_AFTER_MS) {
    return { age_ms: state.at_ms - Math.min(beat_ms, live_ms || beat_ms), why: "connection" };
  }
  return live ? null : { age_ms: state.at_ms - live_ms, why: "switchboard" };
}

/**
 * The operator that is signed in here, if it is one of the plan.
 * @param {State} state
 * @returns {Operator | null}
 */
export function myOperator(state) {
  const id = state.sign.person?.operator;
  return (id && state.board.operator[id]) || null;
}

/**
 * Whether this person may do anything to calls.
 * @param {State} state
 */
export function mayAct(state) {
  return ON_DUTY.includes(state.sign.person?.role ?? "");
}

/** @param {State} state @param {string | null | undefined} id @returns {Call | null} */
export function callOf(state, id) {
  return (id && state.board.call[id]) || null;
}

/**
 * The call that this person is in.
 * @param {State} state
 * @returns {Call | null}
 */
export function myCall(state) {
  const operator = myOperator(state);
  if (operator?.call && (operator.state === "talking" || state.talk)) {
    const call = callOf(state, operator.call);
    return call && (BEGUN.includes(call.state) || state.talk?.call === call.id) ? call : null;
  }
  return callOf(state, state.talk?.call) ?? (operator?.seat === "softphone" ? broughtInto(state, operator.id) : null);
}

/**
 * The call of a colleague into which an operator's seat was brought.
 * @param {State} state
 * @param {string} operator
 */
export function broughtInto(state, operator) {
  return Object.values(state.board.call).find((call) => call.legs.some((leg) => leg.role === "supervisor" && leg.party === operator && leg.state === "up")) ?? null;
}

/** @param {State} state @param {string} call @returns {Incident | null} */
export function lostIncident(state, call) {
  return Object.values(state.board.incident).find((one) => one.call === call) ?? null;
}

/**
 * The incident whose outcome is asked of this person now.
 * @param {State} state
 * @returns {Incident | null}
 */
export function wrapUp(state) {
  const operator = myOperator(state);
  const incident = operator?.incident ? state.board.incident[operator.incident] : undefined;
  return incident && (incident.state === "wrap-up" || operator?.state === "wrap-up") && !myCall(state) ? incident : null;
}

/**
 * What stands before the operator: `ring`, `talk`, `wrap-up`, `idle`; `watch` for those who answer no calls.
 * @param {State} state
 */
export function stage(state) {
  if (ringing(state)) {
    return "ring";
  }
  if (myCall(state)) {
    return "talk";
  }
  if (wrapUp(state)) {
    return "wrap-up";
  }
  return myOperator(state) ? "idle" : "watch";
}

/**
 * The call that rings for this person: here, or at the softphone (`leg` is "" then: it is answered there).
 * @param {State} state
 * `kind` says in words what it is, where it is no offer.
 * @returns {{leg: string, call: string, incident: string, place: string, class: string, again: boolean, accepted: boolean, kind: string} | null}
 */
export function ringing(state) {
  if (state.ring) {
    const { leg, call, incident, place, again, accepted_ms } = state.ring;
    return { leg, call, incident, place, class: state.ring.class, again, accepted: accepted_ms > 0, kind: ringKind(state, state.ring) };
  }
  const operator = myOperator(state);
  if (operator?.state !== "offered" || operator.seat !== "softphone" || !operator.incident) {
    return null;
  }
  const incident = state.board.incident[operator.incident];
  const call = operator.call ?? incident?.call ?? "";
  return incident ? { leg: "", call, incident: incident.id, place: incident.place, class: incident.class, again: false, accepted: false, kind: "" } : null;
}

/** @type {Record<string, string>} */
const BROUGHT = { private: "asks you", join: "wants you in the call", listen: "is to be listened to", whisper: "is to be whispered to", "take-over": "hands you the call" };

/** @param {State} state @param {import("./types.js").Ring} ring */
function ringKind(state, ring) {
  if (ring.called_out) {
    return "You call this point";
  }
  return BROUGHT[ring.mode] ? `${ring.with ? nameOf(state, ring.with) : "A colleague"} ${BROUGHT[ring.mode]}` : "";
}

/**
 * Waiting incidents, in the order in which they are served.
 * @param {State} state
 * @returns {Incident[]}
 */
export function waiting(state) {
  return byState(state.board.incident).waiting;
}

/**
 * Incidents that somebody is talking with, the longest first.
 * @param {State} state
 * @returns {Incident[]}
 */
export function attended(state) {
  return byState(state.board.incident).attended;
}

/**
 * Incidents in wrap-up or without an outcome, the oldest first.
 * @param {State} state
 * @returns {Incident[]}
 */
export function unreviewed(state) {
  return byState(state.board.incident).unreviewed;
}

/** @type {WeakMap<Object, {waiting: Incident[], attended: Incident[], unreviewed: Incident[]}>} */
const sorted = new WeakMap();

/** @param {Record<string, Incident>} incidents */
function byState(incidents) {
  let found = sorted.get(incidents);
  if (!found) {
    const all = Object.values(incidents);
    const since = (/** @type {Incident} */ a, /** @type {Incident} */ b) => a.since_ms - b.since_ms || (a.id < b.id ? -1 : 1);
    found = {
      waiting: all.filter((one) => one.state === "waiting").sort(served),
      attended: all.filter((one) => one.state === "attended").sort(since),
      unreviewed: all.filter((one) => one.state === "unreviewed").sort(since),
    };
    sorted.set(incidents, found);
  }
  return found;
}

/** @param {Incident} a @param {Incident} b */
function served(a, b) {
  return a.order_ms - b.order_ms || a.priority - b.priority || (a.id < b.id ? -1 : 1);
}

/**
 * The incident that the keys for class and ladder are about: the one that rings, the one talked with, else the first that waits.
 * @param {State} state
 * @returns {Incident | null}
 */
export function inQuestion(state) {
  const id = ringing(state)?.incident ?? myCall(state)?.incident ?? waiting(state)[0]?.id;
  return (id && state.board.incident[id]) || null;
}

const SEAT_ORDER = ["offered", "talking", "available", "wrap-up", "paused", "off"];

/**
 * Operators: those who ring and talk first, those who are off last.
 * @param {State} state
 * @returns {Operator[]}
 */
export function seats(state) {
  const place = (/** @type {Operator} */ one) => SEAT_ORDER.indexOf(one.state);
  return Object.values(state.board.operator).sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name));
}

/**
 * Points: those that cannot be reached, those that call, those never heard of, the others by place, and last those of which the
 * plan expects no registration and nothing is known.
 * @param {State} state
 * @returns {Point[]}
 */
export function points(state) {
  const place = (/** @type {Point} */ one) => (one.reachable === false ? 0 : one.incident ? 1 : one.reachable ? 3 : one.expects_register ? 2 : 4);
  return Object.values(state.board.point).sort((a, b) => place(a) - place(b) || a.place.localeCompare(b.place));
}

/**
 * Alarms, the newest first, and trunks that cannot be reached.
 * @param {State} state
 * @returns {{key: string, text: string, raised_ms: number | null}[]}
 */
export function alarms(state) {
  const trunks = Object.values(state.board.trunk).filter((one) => one.reachable === false && !state.board.alarm[`trunk:${one.id}`]);
  const lines = trunks.map((one) => ({ key: `trunk-${one.id}`, text: `The trunk ${one.id} cannot be reached.`, raised_ms: null }));
  return [...Object.values(state.board.alarm).sort((a, b) => b.raised_ms - a.raised_ms), ...lines];
}

/**
 * Whether an incident has waited longer than one round of ringing lasts.
 * @param {State} state
 * @param {Incident} incident
 */
export function overdue(state, incident) {
  const limit_ms = state.board.queue[incident.queue]?.ring_ms;
  return Boolean(limit_ms) && now_ms(state) - incident.waiting_since_ms > Number(limit_ms);
}

/**
 * The plan's outcomes, each with a digit while there are any left: its own, else the first that is free.
 * @param {State} state
 * @returns {import("./types.js").Outcome[]}
 */
export function outcomes(state) {
  const all = state.board.service?.outcomes ?? [];
  const taken = all.map((one) => one.digit);
  const free = [..."123456789"].filter((digit) => !taken.includes(digit));
  return all.map((one) => (one.digit ? one : { ...one, digit: free.shift() ?? "" }));
}

/** @param {State} state */
export function parties(state) {
  return state.board.service?.parties ?? [];
}

/** @param {State} state @param {string | null} id */
export function partyName(state, id) {
  return parties(state).find((one) => one.id === id)?.name ?? id ?? "The other party";
}

/**
 * The leg of a party in a call, from the moment it is dialled.
 * @param {Call} call
 * @param {string} party
 */
export function partyLeg(call, party) {
  return call.legs.find((leg) => leg.party === party && leg.state !== "ending") ?? null;
}

/** @param {State} state @param {string} operator */
export function nameOf(state, operator) {
  return state.board.operator[operator]?.name ?? operator;
}

/**
 * Who else is rung with this call.
 * @param {State} state
 * @param {string} call
 * @returns {string[]}
 */
export function othersRung(state, call) {
  const me = state.sign.person?.operator;
  const rung = callOf(state, call)?.offer?.operators ?? [];
  return rung.filter((id) => id !== me).map((id) => nameOf(state, id));
}

/** @param {State} state @param {string} incident @returns {Draft} */
export function draftOf(state, incident) {
  return state.drafts[incident] ?? { note: "", outcome: "" };
}
