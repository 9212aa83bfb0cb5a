/** The dialogs of live calls: to give one away, to take one, to call a point, to come into a colleague's. */

import { h } from "./dom.js";
import { dialog, does, dot, keyed } from "./parts.js";
import { POINTS_SHOWN, callable, callableGroups, canGive, colleagues, controlsOf, gifts, isLeft, leftWith, receivers, takeable } from "./select-call.js";
import { callOf, myCall, nameOf, now_ms } from "./select.js";
import { classTone, className, duration, pointWords } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./types.js").Point} Point */
/** @typedef {import("./parts.js").Say} Say */

const DIGITS = 9;
const NO_KEY = DIGITS + 1;

/** @param {Say} say @param {string} key @param {string} label @param {number} place @param {string} what @param {Object} more @param {...any} rest */
function choice(say, key, label, place, what, more, ...rest) {
  return h("button", { key, type: "button", class: "outcome", on: does(say, what, more) }, place <= DIGITS ? h("kbd", { "aria-hidden": "true" }, String(place)) : null, h("span", { class: "label" }, label), ...rest);
}

/** @param {State} state @param {Say} say */
export function transferDialog(state, say) {
  const call = myCall(state);
  if (!call) {
    return null;
  }
  const both = colleagues(state, call).length > 0 && canGive(state, call) && receivers(state).length > 0;
  const how = (/** @type {boolean} */ blind, /** @type {string} */ label) => h("button", { key: label, type: "button", "aria-pressed": String(state.blind === blind), on: does(say, "transfer-how", { blind }) }, label);
  const ways = both ? h("div", { class: "ways", role: "group", "aria-label": "How" }, how(false, "Ask first"), how(true, "Without asking"), h("kbd", { "aria-hidden": "true" }, "T")) : null;
  const text = state.blind ? "You are free at once. Only they are called for a while, then everybody is rung." : "Their seat rings. You speak while the caller waits, then you hand over, or speak all together.";
  const found = gifts(state, call);
  const buttons = found.map((one, place) => choice(say, `${one.group}${one.id}`, one.group ? `${state.blind ? "All" : "Somebody"} of ${one.name}` : one.name, place + 1, "transfer-to", { to: one.id }, one.outside ? h("span", { class: "second is-quiet" }, "outside") : null));
  return dialog(say, "transfer", "Transfer the call", ways, h("p", { class: "is-quiet" }, text), found.length ? h("div", { class: "outcomes" }, buttons) : h("p", null, "Nobody is free now."));
}

/** @param {State} state @param {Say} say */
export function takeDialog(state, say) {
  const found = takeable(state);
  const buttons = found.map((one, place) => choice(say, one.id, one.place, place + 1, "take", { incident: one.id }, h("span", { class: `second is-${classTone(one.priority)}` }, `${className(one)} \u00b7 ${waits(state, one)}`)));
  const body = found.length ? h("div", { class: "outcomes one-each" }, buttons) : h("p", null, "Nobody waits any more.");
  return dialog(say, "take", "Take a call", h("p", { class: "is-quiet" }, "You are put through as soon as the line is made."), body);
}

/**
 * How an incident waits, in a few words.
 * @param {State} state
 * @param {Incident} one
 */
function waits(state, one) {
  if (isLeft(state, one)) {
    return `with ${leftWith(state, one)}`;
  }
  const waited = duration(now_ms(state) - one.waiting_since_ms);
  return one.by_hand ? `parked${one.prefers ? ` by ${nameOf(state, one.prefers)}` : ""}, ${recall(state, one)}` : `waiting ${waited}`;
}

/**
 * In what time a parked call is offered again.
 * @param {State} state
 * @param {Incident} one
 */
function recall(state, one) {
  return one.recall_ms === null ? "offered again soon" : `offered again in ${duration(Math.max(0, one.recall_ms - now_ms(state)) + 999)}`;
}

/** @param {State} state @param {Say} say */
export function callDialog(state, say) {
  const found = callable(state);
  const on = {
    submit: (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      say({ type: "act", what: "call-point" });
    },
  };
  const seek = { input: (/** @type {InputEvent} */ event) => say({ type: "act", what: "seek", text: /** @type {HTMLInputElement} */ (event.target).value }) };
  const field = h("div", { class: "field" }, h("label", { for: "sought" }, "Place or number"), h("input", { id: "sought", autocomplete: "off", value: state.sought, "aria-describedby": "sought-tip", on: seek }), h("p", { id: "sought-tip", class: "tip" }, myCall(state) ? "Enter calls the first of the list into this conversation." : "Enter calls the first of the list. Your seat is connected, then the point."));
  const more = found.length > POINTS_SHOWN ? h("p", { class: "is-quiet" }, `${found.length - POINTS_SHOWN} more fit; write more of the name.`) : null;
  const groups = callableGroups(state).map((one, place) => groupChoice(say, one, !found.length && place === 0));
  const rows = [...found.slice(0, POINTS_SHOWN).map((one, place) => pointChoice(say, one, place)), ...groups];
  return dialog(say, "call", myCall(state) ? "Call one more point" : "Call a point", h("form", { on }, field), rows.length ? h("div", { class: "outcomes one-each" }, rows) : h("p", null, "No point fits that."), more);
}

/** @param {Say} say @param {import("./types.js").PointGroup} one @param {boolean} first */
function groupChoice(say, one, first) {
  return h("button", { key: `group-${one.id}`, type: "button", class: "outcome", on: does(say, "call-group", { group: one.id }) }, first ? h("kbd", { "aria-hidden": "true" }, "Enter") : null, h("span", { class: "label" }, one.name), h("span", { class: "second is-quiet" }, `all ${one.points.length} points in one call`));
}

/** @param {State} state @param {Say} say */
export function controlsDialog(state, say) {
  const call = myCall(state);
  const found = call ? controlsOf(call) : [];
  const several = new Set(found.map((one) => one.leg.id)).size > 1;
  const second = (/** @type {import("./types.js").Leg} */ leg) => (several ? h("span", { class: "second is-quiet" }, leg.name) : null);
  const buttons = found.map((one, place) => choice(say, `${one.leg.id}-${one.id}`, one.name, place + 1, "control", { control: one.id, leg: one.leg.id }, second(one.leg)));
  return call ? dialog(say, "controls", "The point\u2019s device", h("p", { class: "is-quiet" }, "The keys for it are sent to the device; nobody hears them."), found.length ? h("div", { class: "outcomes one-each" }, buttons) : h("p", null, "The device is not in the call any more.")) : null;
}

/** @param {Say} say @param {Point} one @param {number} place */
function pointChoice(say, one, place) {
  const [word, tone] = pointWords(one);
  return h("button", { key: one.id, type: "button", class: "outcome", on: does(say, "call-point", { point: one.id }) }, place === 0 ? h("kbd", { "aria-hidden": "true" }, "Enter") : null, h("span", { class: "label" }, one.place), h("span", { class: `second is-${tone}` }, dot(tone), word));
}

/** @param {State} state @param {Say} say */
export function superviseDialog(state, say) {
  const call = callOf(state, state.picked);
  if (!call) {
    return null;
  }
  const place = state.board.incident[call.incident]?.place ?? "A conversation";
  const on = {
    submit: (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      say({ type: "act", what: "take-part", mode: "listen" });
    },
  };
  const write = { input: (/** @type {InputEvent} */ event) => say({ type: "act", what: "reason-given", text: /** @type {HTMLInputElement} */ (event.target).value }) };
  const unheard = h("form", { on }, h("div", { class: "field" }, h("label", { for: "reason" }, "Why you listen"), h("input", { id: "reason", maxlength: "500", autocomplete: "off", value: state.reason, "aria-describedby": "reason-tip", on: write }), h("p", { id: "reason-tip", class: "tip" }, "It is journalled with your name. The operator sees that you are there.")), h("div", { class: "outcomes" }, h("button", { key: "listen", type: "submit", class: "outcome" }, h("kbd", { "aria-hidden": "true" }, "Enter"), h("span", { class: "label" }, "Listen")), h("button", { key: "whisper", type: "button", class: "outcome", on: does(say, "take-part", { mode: "whisper" }) }, h("span", { class: "label" }, "Whisper to the operator"))));
  const heard = h("div", { class: "outcomes" }, choice(say, "join", "Join: all hear you", NO_KEY, "take-part", { mode: "join" }), choice(say, "take-over", "Take the call over", NO_KEY, "take-over", {}));
  return dialog(say, "supervise", place, h("section", null, h("h2", null, "Unheard by the caller"), unheard), h("section", null, h("h2", null, "Heard by all"), heard));
}

/** @param {Say} say @param {string} label @param {string} key @param {string} what */
export function headButton(say, label, key, what) {
  return keyed(label, key, { key: what, class: "small quiet", on: does(say, what) });
}
