/** A call in progress: where, how long, who is in it, and what can be done. */

import { h } from "./dom.js";
import { cameras, does, dot, icon, keyed } from "./parts.js";
import { myCall, now_ms, parties, partyLeg, partyName } from "./select.js";
import { map } from "./view-map.js";
import { noteField } from "./view-wrap-up.js";
import { classTone, className, clock, count, duration, legWords, placeClass } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Leg} Leg */
/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./parts.js").Say} Say */

/** @param {State} state @param {Say} say */
export function talk(state, say) {
  const call = myCall(state);
  if (!call) {
    return null;
  }
  const incident = state.board.incident[call.incident];
  return h(
    "section",
    { key: "talk", class: "talk", "aria-labelledby": "talk-place" },
    where(state, say, call, incident),
    cameras(incident),
    h("ul", { class: "legs", "aria-label": "Who is in the call" }, call.legs.map((leg) => legRow(state, call, leg))),
    controls(state, say, call),
    noteField(state, say, call.incident, "note", "Kept for the wrap-up. Enter leaves it.", 2),
    map(state),
  );
}

/** @param {State} state @param {Say} say @param {Call} call @param {Incident | undefined} incident */
function where(state, say, call, incident) {
  const zone = state.board.service?.time_zone ?? "UTC";
  const place = incident?.place ?? "The point";
  const state_words = call.state === "calling-back" ? ["Calling the point back", "amber"] : call.held ? ["On hold", "amber"] : ["In conversation", "green"];
  return h(
    "header",
    { class: "where" },
    h("div", null, h("p", { class: "kind" }, h("span", { class: `class-mark is-${classTone(incident?.priority, incident?.class)}` }, className(incident)), h("span", { class: `is-${state_words[1]} talk-state` }, dot(state_words[1]), state_words[0]), keyed("Class\u2026", "C", { key: "class", class: "quiet small", on: does(say, "question", { incident: call.incident }) })), h("h1", { id: "talk-place", class: placeClass(place), title: place }, place), incident ? h("p", { class: "is-quiet facts figures" }, `${incident.point} \u00b7 pressed ${incident.presses > 1 ? `${count(incident.presses, "time")}, first ` : ""}at ${clock(incident.opened_ms, zone, true)}${spot(incident)}`) : null),
    h("time", { class: "lasting", "aria-label": "Length of the call" }, duration(now_ms(state) - call.since_ms)),
  );
}

/** @param {Incident} incident */
function spot(incident) {
  return incident.latitude === null || incident.longitude === null ? "" : ` \u00b7 ${incident.latitude.toFixed(5)}, ${incident.longitude.toFixed(5)}`;
}

const LEG_ICONS = { point: "point", operator: "microphone", outside: "police" };

/** @param {State} state @param {Call} call @param {Leg} leg */
function legRow(state, call, leg) {
  const mine = leg.role === "operator" && call.operator === state.sign.person?.operator;
  const muted = mine && state.muted && leg.state === "up";
  const [word, tone] = muted ? ["muted", "amber"] : legWords(leg, call.held);
  const fallback = leg.role === "point" ? "The point" : leg.role === "outside" ? partyName(state, leg.party) : "Operator";
  const name = mine ? "You" : leg.name || fallback;
  return h("li", { key: leg.id, class: `leg is-${leg.state}` }, h("span", { class: `is-${tone}` }, icon(muted ? "muted" : LEG_ICONS[/** @type {keyof typeof LEG_ICONS} */ (leg.role)] ?? "point")), h("span", { class: "who" }, name), h("span", { class: `is-${tone} what` }, dot(tone), word), h("time", { class: "is-quiet" }, duration(now_ms(state) - leg.since_ms)));
}

/** @param {State} state @param {Say} say @param {Call} call */
function controls(state, say, call) {
  return h(
    "div",
    { class: "controls", role: "group", "aria-label": "The call" },
    keyed(state.muted ? "Speak again" : "Mute", "M", { key: "mute", class: "mute", "aria-pressed": String(state.muted), disabled: state.seat.state === "none", on: does(say, "mute") }, icon(state.muted ? "muted" : "microphone")),
    keyed(call.held ? "Take off hold" : "Hold", "H", { key: "hold", class: "hold", "aria-pressed": String(call.held), on: does(say, "hold") }, icon(call.held ? "resume" : "hold")),
    parties(state).length > 1 ? keyed("Other party\u2026", "O", { key: "others", class: "others", on: does(say, "parties") }, icon("others")) : null,
    partyButton(state, say, call),
    hangUpButton(state, say),
  );
}

/** @param {State} state @param {Say} say @param {Call} call */
function partyButton(state, say, call) {
  const first = parties(state)[0];
  if (!first) {
    return null;
  }
  const leg = partyLeg(call, first.id);
  const label = leg ? `${first.name}: ${legWords(leg, false)[0]}` : `Call ${first.name}`;
  return keyed(label, "P", { key: "party", class: "party", disabled: Boolean(leg), on: does(say, "party") }, icon("police"));
}

/** @param {State} state @param {Say} say */
function hangUpButton(state, say) {
  const armed = state.armed_ms > 0;
  return keyed(armed ? "Once more to hang up" : "Hang up", armed ? "X" : "X X", { key: "hang-up", class: armed ? "hang-up danger" : "hang-up", on: does(say, "hang-up") }, icon("end"));
}

