/** The part of the model that is done with a live call: who is heard in it, who has it, what is taken, who is called. Pure. */

import { ask, order, tell } from "./model-told.js";
import { canBring, canGive, callable, callableGroups, colleagues, controlsOf, endsAt, gifts, isFree, isMine, isPrivate, leftTo, maySupervise, myLeg, partner, receivers, takeable } from "./select-call.js";
import { callOf, myCall, myOperator, nameOf, stage } from "./select.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Call} Call */

export const ARMED_FROM_MS = 400; // a double click is a slip, not an intention
export const ARMED_TO_MS = 3000;
const UNHEARD = ["listen", "whisper"];

/**
 * What is asked for twice, with a moment between: a slip ends nothing, an intention takes half a second.
 * @param {State} state
 * @param {string} what  "" hanging up, else a leg
 * @param {(state: State) => State} act
 * @returns {State}
 */
export function twice(state, what, act) {
  const since_ms = state.at_ms - state.armed_ms;
  if (!state.armed_ms || state.armed_for !== what || since_ms > ARMED_TO_MS) {
    return { ...state, armed_ms: state.at_ms || 1, armed_for: what };
  }
  return since_ms < ARMED_FROM_MS ? state : act({ ...state, armed_ms: 0, armed_for: "" });
}

/** @type {Record<string, (state: State, message: Message) => State>} */
export const LIVE_DEEDS = {
  "mute-leg": muteLeg,
  "drop-leg": dropLeg,
  private: speakPrivately,
  leave,
  transfer: openTransfer,
  "transfer-how": transferHow,
  "transfer-to": transferTo,
  "hand-over": handOver,
  park,
  renew,
  "take-list": (state) => (isFree(state) && takeable(state).length ? { ...state, dialog: "take" } : state),
  take,
  "call-list": (state) => (isFree(state) || canBring(state, mine(state)) ? { ...state, dialog: "call", sought: "" } : state),
  seek: (state, m) => ({ ...state, sought: m.text }),
  "call-point": callPoint,
  "call-group": callGroup,
  "control-list": (state) => (controlsOfMine(state).length ? { ...state, dialog: "controls" } : state),
  control,
  supervise: (state, m) => (maySupervise(state) && callOf(state, m.call) ? { ...state, dialog: "supervise", picked: m.call, reason: "" } : state),
  "reason-given": (state, m) => ({ ...state, reason: m.text }),
  "take-part": takePart,
  "take-over": takeOver,
};

/** @param {State} state */
function mine(state) {
  const call = myCall(state);
  return call && isMine(state, call) ? call : null;
}

/** @param {State} state @param {Message} m @returns {State} */
function muteLeg(state, m) {
  const call = mine(state);
  const leg = call?.legs.find((one) => one.id === m.leg);
  return call && leg ? ask(state, leg.muted ? "let be heard" : "mute", `/api/calls/${call.id}/mute`, { leg: leg.id, on: !leg.muted }) : state;
}

/** @param {State} state @param {Message} m @returns {State} */
function dropLeg(state, m) {
  const call = mine(state);
  return call ? twice(state, m.leg, (next) => ask(next, "drop", `/api/calls/${call.id}/drop`, { leg: m.leg })) : state;
}

/** @param {State} state @returns {State} */
function speakPrivately(state) {
  const call = mine(state);
  const other = call && partner(state, call);
  if (!call || !other) {
    return state;
  }
  const on = isPrivate(call);
  return ask(state, on ? "let the caller hear" : "speak privately", `/api/calls/${call.id}/mode`, { leg: other.id, mode: on ? "join" : "private" });
}

/** @param {State} state @returns {State} */
function leave(state) {
  const call = myCall(state);
  const leg = call && myLeg(state, call);
  if (!call || !leg || (leg.role === "operator" && !leftTo(state, call))) {
    return state;
  }
  return ask(state, "leave", `/api/calls/${call.id}/drop`, { leg: leg.id });
}

/** @param {State} state @returns {State} */
function openTransfer(state) {
  const call = mine(state);
  const asks = call ? colleagues(state, call).length > 0 : false;
  const gives = call ? canGive(state, call) && receivers(state).length > 0 : false;
  return asks || gives ? { ...state, dialog: "transfer", blind: !asks } : state;
}

/** @param {State} state @param {Message} m @returns {State} */
function transferHow(state, m) {
  const call = mine(state);
  const blind = m.blind ?? !state.blind;
  const possible = call && (blind ? canGive(state, call) && receivers(state).length : colleagues(state, call).length);
  return possible ? { ...state, blind } : state;
}

/** @param {State} state @param {Message} m @returns {State} */
function transferTo(state, m) {
  const call = mine(state);
  if (!call || !gifts(state, call).some((one) => one.id === m.to)) {
    return state;
  }
  const next = { ...state, dialog: "" };
  if (state.blind) {
    return canGive(state, call) ? ask(next, "transfer", `/api/calls/${call.id}/transfer`, { to: m.to }) : state;
  }
  return ask(next, `ask ${nameOf(state, m.to)}`, `/api/calls/${call.id}/bring`, { operator: m.to, mode: "private" });
}

/** @param {State} state @param {Message} m @returns {State} */
function handOver(state, m) {
  const call = mine(state);
  return call ? ask(state, "hand over", `/api/calls/${call.id}/take-over`, { operator: m.operator }) : state;
}

/** @param {State} state @returns {State} */
function park(state) {
  const call = mine(state);
  return call && canGive(state, call) ? ask(state, "park", `/api/calls/${call.id}/park`) : state;
}

/** @param {State} state @returns {State} */
function renew(state) {
  const call = mine(state);
  return call && endsAt(call) ? ask(state, "call back", `/api/calls/${call.id}/renew`) : state;
}

/** @param {State} state @param {Message} m @returns {State} */
function take(state, m) {
  const found = takeable(state).find((one) => one.id === m.incident);
  if (!found || !isFree(state)) {
    return state;
  }
  const expected = { incident: found.id, at_ms: state.at_ms };
  return ask({ ...state, expected, wish: "available", dialog: "" }, "take the call", `/api/incidents/${found.id}/take`);
}

/** @param {State} state */
function controlsOfMine(state) {
  const call = mine(state);
  return call ? controlsOf(call) : [];
}

/** @param {State} state @param {Message} m @returns {State} */
function control(state, m) {
  const call = mine(state);
  const found = controlsOfMine(state).find((one) => one.id === m.control && one.leg.id === m.leg);
  return call && found ? ask({ ...state, dialog: "" }, found.name, `/api/calls/${call.id}/control`, { control: found.id, leg: found.leg.id }) : state;
}

/** @param {State} state @param {Message} m @returns {State} */
function callGroup(state, m) {
  const found = callableGroups(state).find((one) => one.id === m.group);
  if (!found) {
    return state;
  }
  const expected = { point: found.points[0], at_ms: state.at_ms };
  const next = { ...state, expected, wish: /** @type {const} */ ("available"), dialog: "", sought: "" };
  return ask(next, `call ${found.name}`, `/api/point-groups/${found.id}/call`);
}

/** @param {State} state @param {Message} m @returns {State} */
function callPoint(state, m) {
  const found = m.point ? callable(state).find((one) => one.id === m.point) : callable(state)[0];
  const group = callableGroups(state)[0];
  if (!found) {
    return group ? callGroup(state, { ...m, group: group.id }) : tell(state, "No point fits that.", "amber");
  }
  const inside = mine(state);
  if (inside) {
    const next = { ...state, dialog: "", sought: "" };
    return canBring(state, inside) ? ask(next, `call ${found.place}`, `/api/calls/${inside.id}/bring-point`, { point: found.id }) : state;
  }
  const expected = { point: found.id, incident: found.incident || undefined, at_ms: state.at_ms };
  const next = { ...state, expected, wish: /** @type {const} */ ("available"), dialog: "", sought: "" };
  return isFree(state) ? ask(next, "call the point", `/api/points/${found.id}/call`) : state;
}

/**
 * A supervisor comes into a call, or takes part in it in another way. Who is not heard says why.
 * @param {State} state
 * @param {Message} m
 * @returns {State}
 */
function takePart(state, m) {
  const inside = stage(state) === "talk" ? myCall(state) : null;
  const call = inside ?? callOf(state, state.picked);
  const me = myOperator(state);
  if (!call || !me) {
    return state;
  }
  if (UNHEARD.includes(m.mode) && !state.reason.trim()) {
    const next = order({ ...state, dialog: "supervise", picked: call.id }, { do: "focus", id: "reason" });
    return tell(next, "Say why you listen; it is journalled with your name.", "amber");
  }
  const reason = UNHEARD.includes(m.mode) ? state.reason.trim() : "";
  const leg = inside && myLeg(state, inside);
  if (leg) {
    return ask({ ...state, dialog: "" }, m.mode, `/api/calls/${call.id}/mode`, { leg: leg.id, mode: m.mode, reason });
  }
  const next = { ...state, dialog: "", expected: { call: call.id, at_ms: state.at_ms } };
  return ask(next, m.mode, `/api/calls/${call.id}/bring`, { operator: me.id, mode: m.mode, reason });
}

/** @param {State} state @returns {State} */
function takeOver(state) {
  const inside = stage(state) === "talk" ? myCall(state) : null;
  const call = inside ?? callOf(state, state.picked);
  if (!call || (inside && isMine(state, inside))) {
    return state;
  }
  const expected = { call: call.id, at_ms: state.at_ms };
  return ask({ ...state, dialog: "", expected, wish: "available" }, "take over", `/api/calls/${call.id}/take-over`);
}
