/**
 * The console's one model: `update(state, message)` is the next state, and nothing else happens here. No clock, no DOM, no network:
 * every message brings the page's clock along as `at_ms`, and what is to be done outside stands in the new state's `orders`.
 *
 * Change together: the table `MOVES`, the messages of live.js, seat.js and sound.js, tests/console/model.test.js.
 */

import { BOARD_MOVES, emptyBoard, expireBoard } from "./model-board.js";
import { DEEDS } from "./model-deeds.js";
import { passedOn } from "./model-list.js";
import { SEAT_MOVES, expireSeat, noSeat, wantAvailable } from "./model-seat.js";
import { order, tell } from "./model-told.js";
import { myCall } from "./select.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Settings} Settings */

const PENDING_LASTS_MS = 8000;

/** @type {Settings} */
export const SETTINGS = {
  microphone: "",
  speaker: "",
  ringer: "",
  volume: 0.8,
  echo_cancellation: true,
  noise_suppression: true,
  gain_control: true,
  seat: true,
  checked: false,
  single_keys: true,
  push_to_talk: false,
};

/**
 * The state of a page that knows nothing yet.
 * @returns {State}
 */
export function initial() {
  return {
    at_ms: 0,
    sign: { state: "asking", busy: false, fault: "", what_to_do: "", person: null },
    board: emptyBoard(),
    seat: noSeat(),
    sound: { fault: "", detail: "", locked: false, microphones: [], speakers: [], notify: "default", echo: "" },
    settings: SETTINGS,
    ring: null,
    missed: null,
    talk: null,
    in_call: "",
    wish: "",
    muted: false,
    pushed: false,
    armed_ms: 0,
    armed_for: "",
    blind: false,
    sought: "",
    reason: "",
    leaving: "",
    why: "",
    expected: null,
    drafts: {},
    pending: {},
    dialog: "",
    picked: "",
    news: [],
    counted: 0,
    orders: [],
  };
}

/** @type {Record<string, (state: State, message: Message) => State>} */
const MOVES = {
  ...BOARD_MOVES,
  ...SEAT_MOVES,
  tick: (state) => wantAvailable(expireSeat(expireBoard(expire(state)))),
  remembered,
  "signing-in": (state) => ({ ...state, sign: { ...state.sign, busy: true, fault: "", what_to_do: "" } }),
  "sign-failed": (state, m) => ({ ...state, sign: { ...state.sign, state: "out", busy: false, fault: m.text, what_to_do: m.what_to_do } }),
  "signed-in": signedIn,
  "signed-out": signedOut,
  sound: (state, m) => ({ ...state, sound: { ...state.sound, ...m.sound } }),
  settings: (state, m) => order({ ...state, settings: { ...state.settings, ...m.settings } }, { do: "sound", what: "settings" }),
  done: (state, m) => passedOn({ ...state, pending: without(state.pending, m.verb) }, m.verb),
  failed: (state, m) => tell({ ...state, pending: without(state.pending, m.verb) }, said(m), "red"),
  act: (state, m) => (DEEDS[m.what] ? DEEDS[m.what](state, m) : state),
};

/**
 * The next state. Messages of an unknown type change nothing but the clock.
 * @param {State} state
 * @param {Message} message
 * @returns {State}
 */
export function update(state, message) {
  const now = { ...state, at_ms: Math.max(state.at_ms, message.at_ms ?? 0), orders: [] };
  const move = MOVES[message.type];
  return move ? begunMuted(now, move(now, message)) : now;
}

/**
 * With push to talk a call begins muted, whichever tells of it first: the board, or the seat.
 * @param {State} old
 * @param {State} next
 * @returns {State}
 */
function begunMuted(old, next) {
  if (!next.settings.push_to_talk || !talksHere(next) || talksHere(old)) {
    return next;
  }
  return tell(order({ ...next, muted: true, pushed: false }, { do: "sound", what: "mute" }), "You are muted. Hold Space to speak.", "amber");
}

/** @param {State} state */
function talksHere(state) {
  return state.seat.state !== "none" && myCall(state) !== null;
}

/** @param {Message} m */
function said(m) {
  return m.what_to_do ? `${m.text} ${m.what_to_do}` : m.text;
}

/** @param {Record<string, number>} pending @param {string} verb */
function without(pending, verb) {
  const { [verb]: _gone, ...rest } = pending;
  return rest;
}

/**
 * What this tab and this machine kept over a reload.
 * @param {State} state
 * @param {Message} m
 * @returns {State}
 */
function remembered(state, m) {
  const tab = m.tab ?? {};
  return {
    ...state,
    settings: { ...state.settings, ...m.settings },
    seat: { ...state.seat, id: tab.seat ?? "" },
    wish: tab.wish ?? "",
    in_call: tab.in_call ?? "",
    drafts: tab.drafts ?? {},
  };
}

/** @param {State} state @param {Message} m @returns {State} */
function signedIn(state, m) {
  const person = { user: m.user, role: m.role, operator: m.operator || null, name: m.name || m.user };
  const next = { ...state, sign: { state: /** @type {const} */ ("in"), busy: false, fault: "", what_to_do: "", person } };
  const settings = m.role === "operator" || state.settings.checked ? next.settings : { ...next.settings, seat: false };
  const first = person.operator && settings.seat && !settings.checked;
  return order({ ...next, settings, dialog: first ? "sound" : "" }, { do: "connect" });
}

/**
 * Nothing of the last person stays on the page.
 * @param {State} state
 * @param {Message} m
 * @returns {State}
 */
function signedOut(state, m) {
  const blank = initial();
  const sign = { ...blank.sign, state: /** @type {const} */ ("out"), fault: m.fault ?? "", what_to_do: m.what_to_do ?? "" };
  const next = { ...blank, at_ms: state.at_ms, settings: state.settings, sign };
  return state.sign.state === "in" ? order(next, { do: "disconnect" }) : next;
}

/**
 * What ends by time alone: news, armed keys, requests without an answer.
 * @param {State} state
 * @returns {State}
 */
function expire(state) {
  const news = state.news.filter((one) => state.at_ms - one.at_ms < one.lasts_ms);
  const late = Object.entries(state.pending).filter(([, asked_ms]) => state.at_ms - asked_ms > PENDING_LASTS_MS);
  const armed_ms = state.armed_ms && state.at_ms - state.armed_ms > 3000 ? 0 : state.armed_ms;
  let next = news.length === state.news.length && armed_ms === state.armed_ms ? state : { ...state, news, armed_ms };
  for (const [verb] of late) {
    next = tell({ ...next, pending: without(next.pending, verb) }, `No answer from the service to “${verb}”. Try again.`, "red");
  }
  return next;
}
