/** A call in progress: where, how long, who is in it, and what can be done. */

import { h } from "./dom.js";
import { cameras, does, dot, icon, keyed } from "./parts.js";
import { canGive, colleagues, controlsOf, endsAt, isMine, isPrivate, leftTo, myLeg, partner, receivers } from "./select-call.js";
import { mayAct, myCall, now_ms, parties, partyLeg } from "./select.js";
import { legRow } from "./view-legs.js";
import { map } from "./view-map.js";
import { noteField } from "./view-wrap-up.js";
import { classTone, className, clock, count, duration, placeClass } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Call} Call */
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
    h("ul", { class: "legs", "aria-label": "Who is in the call" }, call.legs.map((leg) => legRow(state, say, call, leg))),
    deadline(state, say, call),
    isMine(state, call) ? controls(state, say, call) : guestControls(state, say, call),
    isMine(state, call) ? noteField(state, say, call.incident, "note", "Kept for the wrap-up. Enter leaves it.", 2) : null,
    map(state),
  );
}

/** @param {State} state @param {Say} say @param {Call} call @param {Incident | undefined} incident */
function where(state, say, call, incident) {
  const zone = state.board.service?.time_zone ?? "UTC";
  const place = incident?.place ?? "The point";
  const state_words = situation(state, call);
  return h(
    "header",
    { class: "where" },
    h("div", null, h("p", { class: "kind" }, h("span", { class: `class-mark is-${classTone(incident?.priority, incident?.class)}` }, className(incident)), h("span", { class: `is-${state_words[1]} talk-state` }, dot(state_words[1]), state_words[0]), keyed("Class\u2026", "C", { key: "class", class: "quiet small", on: does(say, "question", { incident: call.incident }) }), isMine(state, call) && controlsOf(call).length ? keyed("Device\u2026", "E", { key: "device", class: "quiet small", on: does(say, "control-list") }) : null), h("h1", { id: "talk-place", class: placeClass(place), title: place }, place), incident ? h("p", { class: "is-quiet facts figures" }, `${incident.point} \u00b7 ${incident.called_by ? "called" : "pressed"} ${incident.presses > 1 ? `${count(incident.presses, "time")}, first ` : ""}at ${clock(incident.opened_ms, zone, true)}${spot(incident)}`) : null),
    h("time", { class: "lasting", "aria-label": "Length of the call" }, duration(now_ms(state) - call.since_ms)),
  );
}

/** @param {Incident} incident */
function spot(incident) {
  return incident.latitude === null || incident.longitude === null ? "" : ` \u00b7 ${incident.latitude.toFixed(5)}, ${incident.longitude.toFixed(5)}`;
}

/**
 * What kind of conversation it is now, and how that is coloured.
 * @param {State} state
 * @param {Call} call
 * @returns {[string, string]}
 */
function situation(state, call) {
  if (call.state === "calling-back") {
    return ["Calling the point back", "amber"];
  }
  if (!isMine(state, call)) {
    return [`A call of ${call.legs.find((leg) => leg.role === "operator")?.name || "a colleague"}`, "blue"];
  }
  return isPrivate(call) ? ["Private", "amber"] : call.held ? ["On hold", "amber"] : ["In conversation", "green"];
}

/**
 * The point's device is about to end the call by itself.
 * @param {State} state
 * @param {Say} say
 * @param {Call} call
 */
function deadline(state, say, call) {
  const at_ms = endsAt(call);
  if (!at_ms) {
    return null;
  }
  const left = duration(Math.max(0, at_ms - now_ms(state)) + 999);
  return h("p", { key: "deadline", class: "notice amber" }, h("span", null, "The point's device ends the call in ", h("time", null, left), "."), isMine(state, call) ? keyed("Call back now", "R", { key: "renew", class: "small", on: does(say, "renew") }) : null);
}

/**
 * Two rows: what changes who hears whom, and what changes who has the call. Only what can be done now.
 * @param {State} state
 * @param {Say} say
 * @param {Call} call
 */
function controls(state, say, call) {
  const give = canGive(state, call) && receivers(state).length > 0;
  const first = [muteButton(state, say), partner(state, call) ? privateButton(say, call) : holdButton(say, call), canGive(state, call) ? keyed("Park", "K", { key: "park", class: "park", on: does(say, "park") }, icon("park")) : null, give || colleagues(state, call).length ? keyed("Transfer\u2026", "T", { key: "give", class: "give", on: does(say, "transfer") }, icon("give")) : null];
  const second = [parties(state).length > 1 ? keyed("Other party\u2026", "O", { key: "others", class: "others", on: does(say, "parties") }, icon("others")) : null, leaveButton(state, say, call) ?? partyButton(state, say, call), hangUpButton(state, say)];
  return [row("hearing", first), row("having", second)];
}

/** @param {string} name @param {any[]} buttons */
function row(name, buttons) {
  const shown = buttons.filter(Boolean);
  return h("div", { key: name, class: `controls of-${shown.length}`, role: "group", "aria-label": name === "hearing" ? "Who hears whom" : "Who has the call" }, shown);
}

/**
 * In a colleague's call: how one takes part, and to have it.
 * @param {State} state
 * @param {Say} say
 * @param {Call} call
 */
function guestControls(state, say, call) {
  const mode = myLeg(state, call)?.mode ?? "";
  const parts = state.sign.person?.role === "supervisor" ? GUEST_PARTS : [];
  const ways = parts.map(([key, one, label, sign]) => keyed(label, key, { key: one, "aria-pressed": String(mode === one), on: does(say, "take-part", { mode: one }) }, icon(sign)));
  const first = [mode === "listen" ? null : muteButton(state, say), ...ways];
  const second = [mayAct(state) ? keyed("Take over", "4", { key: "take-over", on: does(say, "take-over") }, icon("give")) : null, keyed("Leave", "L", { key: "leave", on: does(say, "leave") }, icon("leave"))];
  return [row("hearing", first), row("having", second)];
}

/** @type {[string, string, string, string][]} */
const GUEST_PARTS = [["1", "listen", "Listen", "listen"], ["2", "whisper", "Whisper", "private"], ["3", "join", "Join", "others"]];

/** @param {State} state @param {Say} say */
function muteButton(state, say) {
  return keyed(state.muted || state.pushed ? "Speak again" : "Mute", "M", { key: "mute", class: "mute", "aria-pressed": String(state.muted || state.pushed), title: state.muted ? "Hold Space to speak meanwhile" : "", disabled: state.seat.state === "none", on: does(say, "mute") }, icon(state.muted ? "muted" : "microphone"));
}

/** @param {Say} say @param {Call} call */
function holdButton(say, call) {
  return keyed(call.held ? "Take off hold" : "Hold", "H", { key: "hold", class: "hold", "aria-pressed": String(call.held), on: does(say, "hold") }, icon(call.held ? "resume" : "hold"));
}

/** @param {Say} say @param {Call} call */
function privateButton(say, call) {
  const on = isPrivate(call);
  return keyed(on ? "Let the caller hear" : "Speak privately", "U", { key: "private", class: "private", "aria-pressed": String(on), on: does(say, "private") }, icon(on ? "resume" : "private"));
}

/** @param {State} state @param {Say} say @param {Call} call */
function leaveButton(state, say, call) {
  const to = leftTo(state, call);
  return to ? keyed(`Leave it to ${to}`, "L", { key: "leave", class: "leave", on: does(say, "leave") }, icon("leave")) : null;
}

/** @param {State} state @param {Say} say @param {Call} call */
function partyButton(state, say, call) {
  const first = parties(state)[0];
  if (!first) {
    return null;
  }
  const leg = partyLeg(call, first.id);
  const label = leg ? first.name : `Call ${first.name}`;
  return keyed(label, "P", { key: "party", class: "party", disabled: Boolean(leg), on: does(say, "party") }, icon("police"));
}

/** @param {State} state @param {Say} say */
function hangUpButton(state, say) {
  const armed = state.armed_ms > 0 && !state.armed_for;
  return keyed(armed ? "Once more to hang up" : "Hang up", armed ? "X" : "X X", { key: "hang-up", class: armed ? "hang-up danger" : "hang-up", on: does(say, "hang-up") }, icon("end"));
}
