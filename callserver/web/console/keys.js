/**
 * Which key does what, by what stands before the operator. Pure: `deed(state, key)` is the message to be sent, or null.
 * The same table is shown by `?`. Keys never act while somebody types; F2 answers all the same.
 */

import { controlsOf, gifts, myLeg, takeable } from "./select-call.js";
import { NEXT, choices, receiversOf, successors } from "./select-list.js";
import { mayAct, myCall, myOperator, outcomes, parties, ringing, stage, wrapUp } from "./select.js";
import { CLASS_WORDS } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */

const PAUSES = ["Break", "Meal", "Handover", "Training", "Other work"];

/**
 * The reasons for a pause: the plan's, or a few usual ones where it has none.
 * @param {State} state
 * @returns {{id: string, name: string}[]}
 */
export function pauses(state) {
  const planned = state.board.service?.pauses ?? [];
  return planned.length ? planned : PAUSES.map((name) => ({ id: name, name }));
}

/**
 * Keys as they are shown, with what they do.
 * @type {[string, [string, string][]][]}
 */
export const SHOWN = [
  ["When a call rings", [["Space", "Answer"], ["F2", "Answer, also while typing"]]],
  [
    "In a call",
    [
      ["M", "Mute, and speak again"],
      ["Space", "Muted: speak for as long as it is held"],
      ["H", "Hold, and take off hold"],
      ["P", "Call the police: the plan's first party"],
      ["O", "Call another party, then its digit"],
      ["U", "Speak privately with whom you called in, and let the caller hear again"],
      ["L", "Leave: the call goes on without you"],
      ["T", "Transfer: ask a colleague first, or not"],
      ["K", "Park: the caller waits, nobody is rung for a while"],
      ["R", "Call the point back before its device ends the call"],
      ["D", "Call one more point into the conversation"],
      ["E", "Have the point's device do something, then its digit"],
      ["N", "Write a note; Enter leaves it"],
      ["X X", "Hang up: twice within three seconds"],
    ],
  ],
  ["After a call", [["1–9", "Choose the outcome"], ["N", "Write a note"], ["Enter", "Close the incident"]]],
  [
    "At any time",
    [
      ["A", "Go available"],
      ["B", "Take a break: pause, then a digit for the reason"],
      ["C", "Class and ladder: of the call that rings or is talked with, else of the first that waits. Then 1–4, or L"],
      ["W", "Take a call that waits, or come back to one that you left"],
      ["D", "Call a point"],
      ["U", "Close the oldest incident without an outcome"],
      ["G", "Call-back list: then its digit, then what to do about it"],
      ["Y", "Sheet for the next shift; then P prints it"],
      ["S", "Sound check"],
      ["?", "These keys"],
      ["Esc", "Close a dialog, leave a note"],
    ],
  ],
];

/** @type {Record<string, (state: State, key: string) => Message | null>} */
const BY_DIALOG = {
  pause: (state, key) => {
    const reason = pauses(state)[Number(key) - 1];
    return reason ? act("pause", { reason: reason.id }) : null;
  },
  incident: (state, key) => {
    const word = CLASS_WORDS[Number(key) - 1];
    return word ? act("classify", { incident: state.picked, class: word.toLowerCase() }) : key.toLowerCase() === "l" ? act("climb", { incident: state.picked }) : null;
  },
  parties: (state, key) => {
    const party = parties(state)[Number(key) - 1];
    return party ? act("party", { party: party.id }) : key.toLowerCase() === "d" ? act("call-list") : null;
  },
  transfer: (state, key) => {
    const call = myCall(state);
    const to = call && gifts(state, call)[Number(key) - 1];
    return to ? act("transfer-to", { to: to.id }) : key.toLowerCase() === "t" ? act("transfer-how") : null;
  },
  take: (state, key) => {
    const one = takeable(state)[Number(key) - 1];
    return one ? act("take", { incident: one.id }) : null;
  },
  controls: (state, key) => {
    const call = myCall(state);
    const one = call && controlsOf(call)[Number(key) - 1];
    return one ? act("control", { control: one.id, leg: one.leg.id }) : null;
  },
  call: () => null,
  list: (state, key) => {
    const one = choices(state)[Number(key) - 1];
    return one ? act("see-to", { incident: one.id }) : key.toLowerCase() === "y" ? act("handover") : null;
  },
  listed: (state, key) => (LISTED[key] ? act(LISTED[key], { incident: state.picked }) : null),
  give: (state, key) => {
    const to = receiversOf(state)[Number(key) - 1];
    return to ? act("give", { to: to.id }) : null;
  },
  pass: (state, key) => {
    const to = [NEXT, ...successors(state)][Number(key) - 1];
    return to ? act("pass-on", { to: to.id }) : null;
  },
  handover: (_state, key) => (key.toLowerCase() === "p" ? act("print") : null),
  supervise: () => null, // its reason is being written
  close: (state, key) => (key.toLowerCase() === "n" ? act("focus-note") : outcomeKey(state, state.picked, key)),
  keys: (_state, key) => (key === "?" ? act("dismiss") : null),
  sound: () => null,
};

/** @type {Record<string, string>} */
const IN_CALL = { m: "mute", h: "hold", p: "party", o: "parties", u: "private", l: "leave", t: "transfer", k: "park", r: "renew", d: "call-list", e: "control-list", x: "hang-up", n: "focus-note" };
/** @type {Record<string, string>} */
const AS_GUEST = { m: "mute", l: "leave", n: "focus-note" };
/** @type {Record<string, string>} */
const LISTED = { 1: "call-back", 2: "review", 3: "give-list", 4: "seen" };
/** @type {Record<string, string>} */
const ALWAYS = { g: "call-backs", y: "handover", a: "available", b: "pause-list", c: "question", w: "take-list", d: "call-list", u: "review-first", s: "sound-check", "?": "keys" };

/** @param {string} what @param {Object} [more] @returns {Message} */
function act(what, more = {}) {
  return { type: "act", what, ...more };
}

/** @param {string} key @returns {Message | null} */
function guestKey(key) {
  const mode = ["listen", "whisper", "join"][Number(key) - 1];
  return mode ? act("take-part", { mode }) : key === "4" ? act("take-over") : null;
}

/** @param {State} state @param {string} incident @param {string} key @returns {Message | null} */
function outcomeKey(state, incident, key) {
  if (key === "Enter") {
    return act("close", { incident });
  }
  const found = outcomes(state).find((one) => one.digit === key);
  return found && incident ? act("outcome", { incident, outcome: found.id }) : null;
}

/**
 * What a key does now.
 * @param {State} state
 * @param {{key: string, typing: boolean, repeat: boolean, alt: boolean, other: boolean, on_button: boolean, on_mute?: boolean}} press
 * @returns {Message | null}
 */
export function deed(state, press) {
  if (press.repeat || press.other || state.sign.state !== "in") {
    return null;
  }
  if (ringing(state)?.leg && (press.key === "F2" || (press.key === " " && !press.typing))) {
    return act("answer");
  }
  if (press.typing) {
    return null;
  }
  if (isLetter(press.key) && press.alt === state.settings.single_keys) {
    return null;
  }
  if (state.dialog) {
    return press.key === "Enter" && press.on_button ? null : (BY_DIALOG[state.dialog] ?? (() => null))(state, press.key);
  }
  return onStage(state, press);
}

/** @param {string} key */
function isLetter(key) {
  return key.length === 1 && key !== " ";
}

/** @param {State} state @param {{key: string, on_button: boolean, on_mute?: boolean}} press @returns {Message | null} */
function onStage(state, press) {
  const key = press.key.toLowerCase();
  const now = stage(state);
  if (now === "talk" && key === " " && state.muted) {
    return press.on_button && !press.on_mute ? null : act("push");
  }
  if (now === "talk") {
    const done = talkKey(state, key);
    if (done) {
      return done;
    }
  }
  if (now === "wrap-up") {
    const done = wrapUpKey(state, press);
    if (done) {
      return done;
    }
  }
  if (!ALWAYS[key] || (key === "s" && now !== "idle") || (key !== "?" && !mayAct(state))) {
    return null;
  }
  return ["a", "b", "s"].includes(key) && !myOperator(state) ? null : act(ALWAYS[key]);
}

/** @param {State} state @param {string} key @returns {Message | null} */
function talkKey(state, key) {
  const call = myCall(state);
  if (call && myLeg(state, call)?.role === "supervisor") {
    return AS_GUEST[key] ? act(AS_GUEST[key]) : guestKey(key);
  }
  return IN_CALL[key] ? act(IN_CALL[key]) : null;
}

/** @param {State} state @param {{key: string, on_button: boolean}} press @returns {Message | null} */
function wrapUpKey(state, press) {
  const incident = wrapUp(state)?.id ?? "";
  if (press.key.toLowerCase() === "n") {
    return act("focus-note");
  }
  return press.key === "Enter" && press.on_button ? null : outcomeKey(state, incident, press.key);
}
