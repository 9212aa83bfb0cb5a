/** The part of the model that is done with the call-back list: called back, given away, seen, passed on at the end of a shift. Pure. */

import { ask, order, tell } from "./model-told.js";
import { isFree } from "./select-call.js";
import { isOwn, listed, own, passed, successors } from "./select-list.js";
import { mayAct, myOperator, nameOf } from "./select.js";
import { count } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */

/** What is asked when somebody goes; when it was answered, who signs out is signed out. */
export const PASSING = "pause and pass on";

/** @type {Record<string, (state: State, message: Message) => State>} */
export const LIST_DEEDS = {
  "call-backs": (state) => (mayAct(state) ? { ...state, dialog: "list", picked: "" } : state),
  "see-to": (state, m) => (mayAct(state) && find(state, m.incident) ? { ...state, dialog: "listed", picked: m.incident } : state),
  "call-back": callBack,
  "give-list": (state) => (find(state, state.picked) ? { ...state, dialog: "give" } : state),
  give,
  seen,
  "seen-all": (state) => (passed(state).length ? ask(state, "say that all was seen", "/api/call-backs/acknowledge") : state),
  handover: (state) => ({ ...state, dialog: "handover" }),
  print: (state) => order(state, { do: "print" }),
  "pass-on": passOn,
  "sign-out": (state) => (owes(state) ? { ...state, dialog: "pass", leaving: "sign-out", why: "" } : order(state, { do: "sign-out" })),
};

/** @param {State} state @param {string} id */
function find(state, id) {
  return listed(state).find((one) => one.id === id) ?? null;
}

/**
 * Whether going off duty leaves something behind.
 * @param {State} state
 */
export function owes(state) {
  return own(state).length > 0 && !["off", "paused"].includes(myOperator(state)?.state ?? "off");
}

/** @param {State} state @param {Message} m @returns {State} */
function callBack(state, m) {
  const one = find(state, m.incident || state.picked);
  if (!one || !isFree(state)) {
    return one ? tell(state, "You are in a call, or have no seat here.", "amber") : state;
  }
  const expected = { incident: one.id, at_ms: state.at_ms };
  const next = { ...state, expected, wish: /** @type {const} */ ("available"), dialog: "", picked: "" };
  return ask(next, "call back", `/api/incidents/${one.id}/call-back`);
}

/** @param {State} state @param {Message} m @returns {State} */
function seen(state, m) {
  const fresh = passed(state).some((one) => one.id === m.incident);
  return fresh ? ask(state, "say that it was seen", `/api/incidents/${m.incident}/acknowledge`) : state;
}

/**
 * To a colleague; without one, to the next on duty.
 * @param {State} state
 * @param {Message} m
 * @returns {State}
 */
function give(state, m) {
  const one = find(state, m.incident || state.picked);
  const next = { ...state, dialog: "", picked: "" };
  return one ? ask(next, m.to ? `give it to ${nameOf(state, m.to)}` : "pass it on", `/api/incidents/${one.id}/give`, { to: m.to ?? "" }) : state;
}

/**
 * Who goes says who gets what they own. Without anybody there it is left to nobody, and that was said.
 * @param {State} state
 * @param {Message} m
 * @returns {State}
 */
function passOn(state, m) {
  const operator = myOperator(state);
  if (!operator || (m.to && !successors(state).some((one) => one.id === m.to))) {
    return state;
  }
  const next = { ...state, wish: /** @type {const} */ ("paused"), dialog: "" };
  return ask(next, PASSING, `/api/operators/${operator.id}/pause`, { reason: state.why, to: m.to ?? "" });
}

/**
 * What was asked is answered: who passed everything on to sign out does so now.
 * @param {State} state
 * @param {string} verb
 * @returns {State}
 */
export function passedOn(state, verb) {
  if (verb !== PASSING) {
    return state;
  }
  const next = { ...state, leaving: /** @type {const} */ ("") };
  return state.leaving === "sign-out" ? order(next, { do: "sign-out" }) : next;
}

/**
 * What came to this operator, or became nobody's, with this change of the board.
 * @param {State} old
 * @param {State} state
 * @returns {State}
 */
export function ofList(old, state) {
  if (old.board.incident === state.board.incident) {
    return state;
  }
  let next = state;
  const fresh = passed(state).filter((one) => !passed(old).some((was) => was.id === one.id));
  if (fresh.length) {
    next = tell(next, `${fresh.length === 1 ? fresh[0].place : count(fresh.length, "incident")} on the call-back list passed to you. G shows the list.`, "amber");
  }
  const lonely = listed(state).filter((one) => one.listed && !one.owner && old.board.incident[one.id]?.owner && !isOwn(state, one));
  return lonely.length && mayAct(state) ? tell(next, `${lonely[0].place} on the call-back list is nobody\u2019s now.`, "red") : next;
}
