/** The part of the model that takes in the board, and notices on it what the operator should be told. Pure. */

import { ofList } from "./model-list.js";
import { tell } from "./model-told.js";
import { isFree, isUnheard, myLeg, takesPart, talkers } from "./select-call.js";
import { lostIncident, myCall, myOperator, nameOf, partyName } from "./select.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Board} Board */
/** @typedef {import("./types.js").Call} Call */

const KINDS = /** @type {const} */ (["incident", "call", "operator", "queue", "point", "trunk", "alarm", "sound", "disk"]);
const MISSED_TOLD_AFTER_MS = 1500;
const JOINING = ["outside", "supervisor", "brought"];

/**
 * A board of which nothing is known.
 * @returns {Board}
 */
export function emptyBoard() {
  const kinds = { incident: {}, call: {}, operator: {}, queue: {}, point: {}, trunk: {}, alarm: {}, sound: {}, disk: {} };
  return { epoch: "", number: 0, offset_ms: 0, beat_ms: 0, live_ms: 0, live: false, service: null, ...kinds };
}

/** @type {Record<string, (state: State, message: Message) => State>} */
export const BOARD_MOVES = {
  snapshot: (state, m) => {
    const board = taken(emptyBoard(), m.items);
    return noticed(state, { ...state, board: { ...board, epoch: m.epoch, number: m.number, ...heard(state, m, true) } });
  },
  changes: (state, m) => {
    if (!state.board.epoch) {
      return state;
    }
    const offset_ms = m.now_ms - state.at_ms;
    return noticed(state, { ...state, board: { ...taken(state.board, m.items), number: m.number, offset_ms } });
  },
  beat: (state, m) => ({ ...state, board: { ...state.board, ...heard(state, m, m.live) } }),
};

/** @param {State} state @param {Message} m @param {boolean} live */
function heard(state, m, live) {
  return { offset_ms: m.now_ms - state.at_ms, beat_ms: state.at_ms, live, live_ms: live ? state.at_ms : state.board.live_ms };
}

/**
 * The board with these items; the kinds that did not change stay the same objects.
 * @param {Board} board
 * @param {Record<string, any>} items
 * @returns {Board}
 */
function taken(board, items) {
  /** @type {any} */
  const next = { ...board };
  for (const [key, item] of Object.entries(items)) {
    const cut = key.indexOf("/");
    const kind = cut < 0 ? key : key.slice(0, cut);
    if (kind === "service") {
      next.service = item;
    } else if (KINDS.includes(/** @type {any} */ (kind))) {
      put(next, board, kind, key.slice(cut + 1), item);
    }
  }
  return next;
}

/** @param {any} next @param {any} old @param {string} kind @param {string} id @param {any} item */
function put(next, old, kind, id, item) {
  if (next[kind] === old[kind]) {
    next[kind] = { ...old[kind] };
  }
  if (item === null) {
    delete next[kind][id];
  } else {
    next[kind][id] = item;
  }
}

/**
 * What the change means for the person at this page.
 * @param {State} old
 * @param {State} state
 * @returns {State}
 */
function noticed(old, state) {
  let next = ofList(old, ofParked(old, ofMyCall(old, state)));
  next = ofMissed(next, false);
  const operator = myOperator(next);
  if (operator && next.in_call && !next.board.call[next.in_call]) {
    next = { ...next, in_call: "" };
  }
  if (operator && (next.muted || next.pushed) && !myCall(next)) {
    next = { ...next, muted: false, pushed: false, orders: [...next.orders, { do: "sound", what: "mute" }] };
  }
  return dropDrafts(closeVoid(next));
}

/** @type {Record<string, (state: State) => boolean>} whether what a dialog is about is there still */
const ABOUT = {
  parties: (state) => Boolean(myCall(state)),
  transfer: (state) => Boolean(myCall(state)),
  supervise: (state) => Boolean(state.board.call[state.picked]),
  take: isFree,
  call: isFree,
};

/**
 * A dialog whose subject is gone closes, so that keys act again.
 * @param {State} state
 * @returns {State}
 */
function closeVoid(state) {
  const stays = ABOUT[state.dialog]?.(state) ?? true;
  return stays || !state.board.epoch ? state : { ...state, dialog: "", picked: "" };
}

/** @param {State} old @param {State} state @returns {State} */
function ofMyCall(old, state) {
  const before = myCall(old);
  const call = before && state.board.call[before.id];
  if (!before || !call) {
    return state;
  }
  let next = state;
  if (Number(call.worker_replaced) > Number(before.worker_replaced)) {
    next = tell(next, "The line to the call was rebuilt. You hear each other again.", "amber");
  }
  if (call.state === "calling-back" && before.state !== "calling-back") {
    next = tell(next, "The line to the point was lost. It is being called back.", "amber");
  }
  if (call.state === "talking" && before.state === "calling-back") {
    next = tell(next, "The point is back on the line.", "green");
  }
  if (limit(call) && !limit(before)) {
    next = tell(next, "The point's device will end this call within a minute. R has it called back at a moment that you pick.", "amber");
  }
  if (isDeaf(call) !== isDeaf(before)) {
    next = isDeaf(call) ? tell(next, "The caller cannot hear us. It is being mended: speak on.", "red") : tell(next, "The caller hears us again.", "green");
  }
  return ofLegs(before, call, ofOwner(before, call, next));
}

/** @param {Call} call @returns {boolean} whether the point's device does not hear */
function isDeaf(call) {
  return call.legs.some((leg) => leg.role === "point" && Boolean(leg.one_way?.includes("out")));
}

/**
 * The call that was interrupted for a more urgent one.
 * @param {State} old
 * @param {State} state
 * @returns {State}
 */
function ofParked(old, state) {
  const before = myCall(old);
  const incident = before && state.board.incident[before.incident];
  if (!incident?.parked || old.board.incident[incident.id]?.parked) {
    return state;
  }
  if (incident.by_hand) {
    return tell(state, `${incident.place} is parked, and is offered again after a while. W takes it back.`);
  }
  return tell(state, `${incident.place} was interrupted for a more urgent call. The caller knows, and comes back to you.`, "amber");
}

/** @param {Call} call */
function limit(call) {
  return call.legs.find((leg) => leg.limit_ms)?.limit_ms ?? null;
}

/**
 * Who has the call now, where it was this person's.
 * @param {Call} before
 * @param {Call} call
 * @param {State} state
 * @returns {State}
 */
function ofOwner(before, call, state) {
  const was = myLeg(state, before);
  if (was?.role !== "operator" || myLeg(state, call) || call.state === "waiting") {
    return state;
  }
  if (call.operator && call.operator !== was.party) {
    return tell(state, `${nameOf(state, call.operator)} has the call now.`);
  }
  const left = talkers(call, "outside")[0];
  return left ? tell(state, `You left the call to ${left.name || partyName(state, left.party)}. It goes on; W brings you back.`) : state;
}

/** @param {Call} before @param {Call} call @param {State} state @returns {State} */
function ofLegs(before, call, state) {
  let next = state;
  for (const leg of call.legs) {
    const was = before.legs.find((one) => one.id === leg.id);
    if (JOINING.includes(leg.role) && takesPart(leg) && was && !takesPart(was) && leg !== myLeg(state, call) && !isUnheard(leg)) {
      next = tell(next, `${leg.name || partyName(state, leg.party)} is in the call.`, "green");
    }
  }
  for (const leg of before.legs) {
    if (JOINING.includes(leg.role) && !isUnheard(leg) && leg !== myLeg(state, before) && !call.legs.some((one) => one.id === leg.id)) {
      const name = leg.name || partyName(state, leg.party);
      next = tell(next, takesPart(leg) ? `${name} left the call.` : `${name} ${leg.state === "up" ? "did not take the call" : "could not be reached"}.`, takesPart(leg) ? "" : "red");
    }
  }
  return next;
}

/**
 * Why a call rings here no more, as soon as the board says it.
 * @param {State} state
 * @param {boolean} late
 * @returns {State}
 */
function ofMissed(state, late) {
  const missed = state.missed;
  if (!missed) {
    return state;
  }
  const call = state.board.call[missed.call];
  const incident = call ? state.board.incident[call.incident] : lostIncident(state, missed.call);
  const taker = call?.operator || incident?.operator;
  const me = state.sign.person?.operator;
  if (taker && taker !== me) {
    return tell({ ...state, missed: null }, `Taken by ${nameOf(state, taker)}.`);
  }
  if (!late) {
    return state;
  }
  const why = missed.reason ? ` (${missed.reason})` : "";
  return tell({ ...state, missed: null }, call ? `The call rings here no more${why}.` : `The call ended${why}.`);
}

/**
 * Notes of incidents that are closed go.
 * @param {State} state
 * @returns {State}
 */
function dropDrafts(state) {
  const gone = Object.keys(state.drafts).filter((id) => !state.board.incident[id]);
  if (!gone.length || !state.board.epoch) {
    return state;
  }
  const drafts = Object.fromEntries(Object.entries(state.drafts).filter(([id]) => !gone.includes(id)));
  const closed = state.picked && gone.includes(state.picked);
  return { ...state, drafts, ...(closed ? { picked: "", dialog: "" } : {}) };
}

/**
 * What ends by time.
 * @param {State} state
 * @returns {State}
 */
export function expireBoard(state) {
  return state.missed && state.at_ms - state.missed.at_ms > MISSED_TOLD_AFTER_MS ? ofMissed(state, true) : state;
}
