/**
 * The part of the model that is this page as a seat: connected or not, fit or not, what rings, what talks. Pure.
 *
 *   none -> connecting          the page wants to be the seat
 *   connecting -> open          the service named the seat
 *   open -> connecting          the connection is lost; it is tried again for ever
 *   any -> displaced            another page is the seat; this one stops for good
 */

import { ask, order, tell } from "./model-told.js";
import { callOf, myOperator } from "./select.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Seat} Seat */

const ANSWER_LASTS_MS = 3000;
const TOLD_FROM_MS = 1000;
const EXPECTED_LASTS_MS = 20_000;

/**
 * A page that is no seat.
 * @returns {Seat}
 */
export function noSeat() {
  return { state: "none", id: "", fit: false, why: "", lost_ms: 0, ever_fit: false };
}

/** @type {Record<string, (state: State, message: Message) => State>} */
export const SEAT_MOVES = {
  "seat-connecting": (state) => (stopped(state) ? state : withSeat(state, { state: "connecting", why: "" })),
  "seat-lost": (state, m) => (stopped(state) ? state : withSeat(lost(state), { state: "connecting", fit: false, why: m.why ?? "" })),
  "seat-closed": (state) => tell({ ...state, seat: noSeat(), ring: null, talk: null }, "This account may not be a seat.", "amber"),
  opened: (state, m) => withSeat(state, { state: "open", id: m.seat }),
  renew: (state) => withSeat(lost(state), { fit: false, why: "the sound connection is being made anew" }),
  fit,
  ring,
  stop,
  talking,
  displaced: (state, m) => ({ ...withSeat(state, { state: "displaced", fit: false, why: m.why ?? "" }), ring: null, talk: null, wish: "" }),
  refused: (state, m) => tell({ ...state, ring: state.ring && { ...state.ring, accepted_ms: 0 } }, `The service refused: ${m.why}`, "red"),
};

/** @param {State} state */
function stopped(state) {
  return state.seat.state === "displaced";
}

/** @param {State} state @param {Partial<Seat>} seat @returns {State} */
function withSeat(state, seat) {
  return { ...state, seat: { ...state.seat, ...seat } };
}

/** @param {State} state @returns {State} */
function lost(state) {
  return state.seat.ever_fit && !state.seat.lost_ms ? withSeat(state, { lost_ms: state.at_ms }) : state;
}

/** @param {State} state @param {Message} m @returns {State} */
function fit(state, m) {
  if (!m.fit) {
    return withSeat(lost(state), { fit: false, why: m.why ?? "" });
  }
  const away_ms = state.seat.lost_ms ? state.at_ms - state.seat.lost_ms : 0;
  const next = withSeat(state, { fit: true, why: "", lost_ms: 0, ever_fit: true });
  const told = away_ms >= TOLD_FROM_MS ? tell(next, `Your seat was lost for ${Math.round(away_ms / 1000)} s and is back.`, "amber") : next;
  return wantAvailable(told);
}

/**
 * Whoever asked for calls gets them once sound is known to run, also after a reload.
 * @param {State} state
 * @returns {State}
 */
export function wantAvailable(state) {
  const operator = myOperator(state);
  if (state.wish !== "available" || !state.seat.fit || !operator || operator.state !== "off") {
    return state;
  }
  return ask(state, "go available", `/api/operators/${operator.id}/available`);
}

/** @param {State} state @param {Message} m @returns {State} */
function ring(state, m) {
  const resumed = (Boolean(m.again) && state.in_call === m.call) || isExpected(state, m);
  const { leg, call, incident, point, place, again } = m;
  const one = { leg, call, incident, point, place, class: m.class, again: Boolean(again), mode: m.mode ?? "", with: m.with ?? "", called_out: Boolean(m.called_out), at_ms: state.at_ms, accepted_ms: 0 };
  const next = order({ ...state, ring: one, expected: null, missed: null, dialog: "", picked: "" }, { do: "seat", message: { type: "ringing", leg } });
  return resumed ? accept(next) : next;
}

/**
 * Whether the operator asked for this ring a moment ago: then it is answered already.
 * @param {State} state
 * @param {Message} m
 */
function isExpected(state, m) {
  const wanted = state.expected;
  if (!wanted || state.at_ms - wanted.at_ms > EXPECTED_LASTS_MS) {
    return false;
  }
  return wanted.call === m.call || wanted.incident === m.incident || (wanted.point === m.point && Boolean(m.called_out));
}

/**
 * The answer, said once; a second press within a few seconds says nothing.
 * @param {State} state
 * @returns {State}
 */
export function accept(state) {
  if (!state.ring || state.ring.accepted_ms) {
    return state;
  }
  const next = { ...state, ring: { ...state.ring, accepted_ms: state.at_ms || 1 } };
  return order(next, { do: "seat", message: { type: "accept", leg: state.ring.leg } });
}

/** @param {State} state @param {Message} m @returns {State} */
function talking(state, m) {
  return { ...state, ring: null, missed: null, talk: { leg: m.leg, call: m.call }, in_call: m.call, armed_ms: 0 };
}

/** @param {State} state @param {Message} m @returns {State} */
function stop(state, m) {
  const ring = state.ring;
  if (ring && ring.leg === m.leg) {
    return { ...state, ring: null, missed: { call: ring.call, reason: m.reason ?? "", at_ms: state.at_ms } };
  }
  if (state.talk?.leg === m.leg) {
    const kept = callOf(state, m.call)?.state === "talking" && !state.seat.fit;
    return { ...state, talk: null, in_call: kept ? state.in_call : "", armed_ms: 0 };
  }
  return state;
}

/**
 * An answer that nobody confirmed may be given again.
 * @param {State} state
 * @returns {State}
 */
export function expireSeat(state) {
  if (!state.ring?.accepted_ms || state.at_ms - state.ring.accepted_ms < ANSWER_LASTS_MS) {
    return state;
  }
  return tell({ ...state, ring: { ...state.ring, accepted_ms: 0 } }, "The answer was not confirmed. Answer again.", "red");
}
