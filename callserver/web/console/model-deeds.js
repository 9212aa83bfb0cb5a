/** The part of the model that is what the operator does: each deed by its name, as keys and buttons call it. Pure. */

import { accept, noSeat, wantAvailable } from "./model-seat.js";
import { LIST_DEEDS, owes } from "./model-list.js";
import { LIVE_DEEDS, twice } from "./model-live.js";
import { ask, order, tell } from "./model-told.js";
import { draftOf, inQuestion, myCall, myOperator, mayAct, outcomes, parties, partyLeg, stage, wrapUp } from "./select.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */

/** @type {Record<string, (state: State, message: Message) => State>} */
export const DEEDS = {
  ...LIVE_DEEDS,
  ...LIST_DEEDS,
  answer: (state) => accept(state),
  mute,
  push: (state) => (state.muted && myCall(state) ? hush({ ...state, muted: false, pushed: true }) : state),
  release: (state) => (state.pushed ? hush({ ...state, muted: true, pushed: false }) : state),
  hold,
  party,
  parties: (state) => (myCall(state) && parties(state).length > 1 ? { ...state, dialog: "parties" } : state),
  "hang-up": hangUp,
  available,
  pause,
  "pause-list": (state) => (myOperator(state) ? { ...state, dialog: "pause" } : state),
  note: (state, m) => draft(state, m.incident, { note: m.text }),
  outcome: (state, m) => draft(state, m.incident, { outcome: m.outcome }),
  question,
  classify,
  climb,
  "focus-note": (state) => order(state, { do: "focus", id: state.dialog === "close" ? "note-review" : "note" }),
  close,
  review: (state, m) => ({ ...state, dialog: "close", picked: m.incident }),
  "review-first": reviewFirst,
  "sound-check": (state) => ({ ...state, dialog: "sound" }),
  "sound-checked": soundChecked,
  keys: (state) => ({ ...state, dialog: state.dialog === "keys" ? "" : "keys" }),
  dismiss: (state) => ({ ...state, dialog: "", picked: "", armed_ms: 0, sought: "", leaving: "" }),
  "forget-news": (state, m) => ({ ...state, news: state.news.filter((one) => one.id !== m.id) }),
  unlock: (state) => order(state, { do: "sound", what: "unlock" }),
  "take-seat": takeSeat,
};

/** @param {State} state @returns {State} */
function mute(state) {
  return myCall(state) && state.seat.state !== "none"
    ? hush({ ...state, muted: !state.muted, pushed: false })
    : state;
}

/** @param {State} state */
function hush(state) {
  return order(state, { do: "sound", what: "mute" });
}

/** @param {State} state @returns {State} */
function hold(state) {
  const call = myCall(state);
  return call ? ask(state, call.held ? "take off hold" : "hold", `/api/calls/${call.id}/hold`, { on: !call.held }) : state;
}

/**
 * Bring in a party: the one that is named, or the plan's first.
 * @param {State} state
 * @param {Message} m
 * @returns {State}
 */
function party(state, m) {
  const call = myCall(state);
  const found = parties(state).find((one) => !m.party || one.id === m.party);
  if (!call || !found) {
    return call ? tell(state, "The plan has no party that could be called.", "amber") : state;
  }
  const next = { ...state, dialog: state.dialog === "parties" ? "" : state.dialog };
  if (partyLeg(call, found.id)) {
    return tell(next, `${found.name} is called already.`);
  }
  return ask(next, `call ${found.name}`, `/api/calls/${call.id}/escalate`, { party: found.id });
}

/**
 * Twice, with a moment between: a slip ends nothing, an intention takes half a second.
 * @param {State} state
 * @returns {State}
 */
function hangUp(state) {
  const call = myCall(state);
  if (!call) {
    return state;
  }
  return twice(state, "", (next) => ask(next, "hang up", `/api/calls/${call.id}/hangup`));
}

/** @param {State} state @returns {State} */
function available(state) {
  const operator = myOperator(state);
  if (!operator || operator.state === "available" || ["offered", "talking"].includes(operator.state)) {
    return operator ? { ...state, wish: "available" } : state;
  }
  const next = { ...state, wish: "available", dialog: state.dialog === "pause" ? "" : state.dialog };
  if (operator.state === "off" && state.settings.seat) {
    return wantAvailable(next);
  }
  return ask(next, "go available", `/api/operators/${operator.id}/available`);
}

/** @param {State} state @param {Message} m @returns {State} */
function pause(state, m) {
  const operator = myOperator(state);
  if (!operator) {
    return state;
  }
  if (owes(state)) {
    return { ...state, dialog: "pass", leaving: "pause", why: m.reason ?? "" };
  }
  const next = { ...state, wish: "paused", dialog: "" };
  return ask(next, "pause", `/api/operators/${operator.id}/pause`, { reason: m.reason ?? "" });
}

/** @param {State} state @param {string} incident @param {Object} change @returns {State} */
function draft(state, incident, change) {
  return { ...state, drafts: { ...state.drafts, [incident]: { ...draftOf(state, incident), ...change } } };
}

/**
 * Close with the outcome chosen: the incident named, or the one in wrap-up here.
 * @param {State} state
 * @param {Message} m
 * @returns {State}
 */
function close(state, m) {
  const incident = m.incident || (state.dialog === "close" ? state.picked : wrapUp(state)?.id);
  if (!incident) {
    return state;
  }
  const { outcome, note } = draftOf(state, incident);
  if (!outcomes(state).some((one) => one.id === outcome)) {
    return tell(state, "Choose an outcome first, by its digit.", "amber");
  }
  return ask(state, "close", `/api/incidents/${incident}/close`, { outcome, note });
}

/**
 * Open the dialog with class and ladder: of the incident named, or of the one in question.
 * @param {State} state
 * @param {Message} m
 * @returns {State}
 */
function question(state, m) {
  const picked = m.incident || inQuestion(state)?.id;
  return picked && mayAct(state) ? { ...state, dialog: "incident", picked } : state;
}

/** @param {State} state @param {Message} m @returns {State} */
function classify(state, m) {
  const incident = state.board.incident[m.incident];
  const next = { ...state, dialog: state.dialog === "incident" ? "" : state.dialog };
  return !incident || incident.class === m.class ? next : ask(next, "change the class", `/api/incidents/${m.incident}/class`, { class: m.class });
}

/** @param {State} state @param {Message} m @returns {State} */
function climb(state, m) {
  if (!state.board.incident[m.incident]?.can_ask) {
    return state;
  }
  return ask({ ...state, dialog: state.dialog === "incident" ? "" : state.dialog }, "go up the ladder", `/api/incidents/${m.incident}/climb`);
}

/** @param {State} state @returns {State} */
function reviewFirst(state) {
  const open = Object.values(state.board.incident).filter((one) => one.state === "unreviewed");
  const first = open.sort((a, b) => a.since_ms - b.since_ms)[0];
  return first && mayAct(state) && stage(state) === "idle" ? { ...state, dialog: "close", picked: first.id } : state;
}

/** @param {State} state @param {Message} m @returns {State} */
function soundChecked(state, m) {
  const seat = m.seat ?? state.settings.seat;
  const next = { ...state, dialog: "", settings: { ...state.settings, checked: true, seat } };
  return order(seat ? next : { ...next, seat: noSeat() }, { do: "sound", what: "settings" });
}

/** @param {State} state @returns {State} */
function takeSeat(state) {
  const next = { ...state, seat: { ...noSeat(), id: state.seat.id }, settings: { ...state.settings, seat: true }, dialog: "sound" };
  return order(next, { do: "sound", what: "settings" });
}
