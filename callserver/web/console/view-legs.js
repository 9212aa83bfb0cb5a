/** Who is in a call: one line each, with what can be done about that one person now. */

import { h } from "./dom.js";
import { does, dot, icon } from "./parts.js";
import { LOWEST_DB, levelOf } from "./select-level.js";
import { isMine, isPrivate, isUnheard, myLeg, takesPart } from "./select-call.js";
import { now_ms, partyName } from "./select.js";
import { duration, legWords } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Leg} Leg */
/** @typedef {import("./parts.js").Say} Say */

/** @type {Record<string, string>} */
const ICONS = { point: "point", operator: "microphone", outside: "police", supervisor: "others", brought: "point" };

/** @param {State} state @param {Say} say @param {Call} call @param {Leg} leg */
export function legRow(state, say, call, leg) {
  const mine = leg === myLeg(state, call) || (leg.role === "operator" && !leg.party && call.operator === state.sign.person?.operator);
  const muted = (mine && state.muted && leg.state === "up") || leg.muted;
  const [word, tone] = muted && leg.state === "up" ? ["muted", "amber"] : legWords(leg, call.held || isPrivate(call));
  const name = mine ? "You" : nameOf(state, leg);
  return h("li", { key: leg.id, class: `leg is-${leg.state}` }, h("span", { class: `is-${tone}` }, icon(muted ? "muted" : (ICONS[leg.role] ?? "point"))), h("span", { class: "who", title: name }, name), h("span", { class: `is-${tone} what` }, dot(tone), word), levelCell(state, call, leg, name), h("span", { class: "deeds" }, mine ? null : legDeeds(state, say, call, leg, name)), h("time", { class: "is-quiet" }, duration(now_ms(state) - leg.since_ms)));
}

/**
 * How loud somebody is on the disk, and whether that is what is recorded. Changes each second, and is read aloud only to whoever goes there.
 * @param {State} state @param {Call} call @param {Leg} leg @param {string} name
 */
function levelCell(state, call, leg, name) {
  const level = levelOf(state, call, leg);
  if (!level) {
    return h("span", { class: "loud" });
  }
  const loud = level.db === null ? "" : `${level.db} dB, `;
  const meter = level.db === null || !level.sounds ? null : h("meter", { min: LOWEST_DB, max: 0, value: level.db, "aria-label": `Level of ${name}`, "aria-valuetext": `${loud}${level.word}` });
  return h("span", { class: `loud is-${level.tone}`, title: `On the disk: ${loud}${level.word}` }, meter, h("span", null, level.word));
}

/** @param {State} state @param {Leg} leg */
function nameOf(state, leg) {
  const fallback = leg.role === "point" ? "The point" : leg.role === "outside" ? partyName(state, leg.party) : "Operator";
  return leg.name || fallback;
}

/** @param {State} state @param {Say} say @param {Call} call @param {Leg} leg @param {string} name */
function legDeeds(state, say, call, leg, name) {
  if (!isMine(state, call) || leg.state === "ending" || isUnheard(leg)) {
    return null;
  }
  const small = (/** @type {string} */ key, /** @type {string} */ label, /** @type {string} */ said, /** @type {Record<string, any>} */ more) => h("button", { key, type: "button", class: "small quiet", "aria-label": said, ...more }, label);
  const dropping = state.armed_ms > 0 && state.armed_for === leg.id;
  return [
    leg.role === "supervisor" && takesPart(leg) ? small("hand", "Hand over", `Hand the call over to ${name}`, { on: does(say, "hand-over", { operator: leg.party }) }) : null,
    takesPart(leg) ? small("mute", leg.muted ? "Let speak" : "Mute", leg.muted ? `Let ${name} be heard` : `Mute ${name}`, { "aria-pressed": String(leg.muted), on: does(say, "mute-leg", { leg: leg.id }) }) : null,
    leg.role === "point" ? null : small("drop", dropping ? "Once more" : "Drop", dropping ? `Once more to drop ${name}` : `Drop ${name}`, { class: dropping ? "small danger" : "small quiet", on: does(say, "drop-leg", { leg: leg.id }) }),
  ];
}
