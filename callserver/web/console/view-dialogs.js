/** The dialogs: keys, pause, parties, closing an incident; the sound check has a file of its own. */

import { h } from "./dom.js";
import { pauses, SHOWN } from "./keys.js";
import { cameras, dialog, does, keyed } from "./parts.js";
import { canBring } from "./select-call.js";
import { myCall, parties, partyLeg } from "./select.js";
import { giveDialog, handoverDialog, listDialog, oneDialog, passDialog } from "./view-list.js";
import { callDialog, controlsDialog, superviseDialog, takeDialog, transferDialog } from "./view-live-dialogs.js";
import { soundCheck } from "./view-sound.js";
import { openedAt, outcomeForm } from "./view-wrap-up.js";
import { CLASS_WORDS } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./parts.js").Say} Say */

/**
 * The dialog that is open, or none.
 * @param {State} state
 * @param {Say} say
 * @param {import("./sound.js").SeatSound} sound
 */
export function dialogs(state, say, sound) {
  const views = { keys, pause, parties: partyList, close, incident: question, transfer: transferDialog, take: takeDialog, call: callDialog, controls: controlsDialog, supervise: superviseDialog, list: listDialog, listed: oneDialog, give: giveDialog, pass: passDialog, handover: handoverDialog, sound: () => soundCheck(state, say, sound) };
  const make = views[/** @type {keyof typeof views} */ (state.dialog)];
  const made = make ? make(state, say) : null;
  return made ? [made] : [];
}

/** @param {State} state @param {Say} say */
function keys(state, say) {
  const groups = SHOWN.map(([title, lines]) => h("section", { key: title }, h("h2", null, title), h("dl", { class: "key-list" }, lines.map(([key, what]) => h("div", { key }, h("dt", null, key.split(" ").map((one, place) => h("kbd", { key: place }, one))), h("dd", null, what))))));
  const on = { change: (/** @type {Event} */ event) => say({ type: "settings", settings: { single_keys: /** @type {HTMLInputElement} */ (event.target).checked } }) };
  const box = h("label", { class: "check" }, h("input", { type: "checkbox", checked: state.settings.single_keys, on }), "Letters and digits act without Alt (on this machine)");
  return dialog(say, "keys", "Keys", h("div", { class: "key-groups" }, groups), box);
}

/** @param {State} state @param {Say} say */
function pause(state, say) {
  const buttons = pauses(state).map((one, place) => h("button", { key: one.id, type: "button", class: "outcome", on: does(say, "pause", { reason: one.id }) }, h("kbd", { "aria-hidden": "true" }, String(place + 1)), h("span", { class: "label" }, one.name)));
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    say({ type: "act", what: "pause", reason: String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("reason") ?? "") });
  };
  const other = h("form", { class: "line", on: { submit } }, h("div", { class: "field" }, h("label", { for: "reason" }, "Another reason"), h("input", { id: "reason", name: "reason", maxlength: "200", autocomplete: "off" })), h("button", { type: "submit" }, "Pause"));
  return dialog(say, "pause", "Pause", h("p", { class: "is-quiet" }, "No calls come to you until you go available again. A call in progress goes on."), h("div", { class: "outcomes" }, buttons), state.board.service?.pauses?.length ? null : other);
}

/** @param {State} state @param {Say} say */
function partyList(state, say) {
  const call = myCall(state);
  const buttons = parties(state).map((one, place) => h("button", { key: one.id, type: "button", class: "outcome", disabled: Boolean(call && partyLeg(call, one.id)), on: does(say, "party", { party: one.id }) }, h("kbd", { "aria-hidden": "true" }, String(place + 1)), h("span", { class: "label" }, one.name)));
  return call ? dialog(say, "parties", "Call a party", h("p", { class: "is-quiet" }, "Everybody in the call hears everybody."), h("div", { class: "outcomes" }, buttons), canBring(state, call) ? keyed("One more point\u2026", "D", { on: does(say, "call-list") }) : null) : null;
}

/** @param {State} state @param {Say} say */
function question(state, say) {
  const incident = state.board.incident[state.picked];
  if (!incident) {
    return null;
  }
  const classes = CLASS_WORDS.map((word, place) => h("button", { key: word, type: "button", class: "outcome", "aria-pressed": String(place === incident.priority), on: does(say, "classify", { incident: incident.id, class: word.toLowerCase() }) }, h("kbd", { "aria-hidden": "true" }, String(place + 1)), h("span", { class: "label" }, word)));
  const step = `Step ${incident.step} of ${incident.steps} was taken.`;
  const ladder = incident.can_ask ? keyed("Go up the ladder now", "L", { on: does(say, "climb", { incident: incident.id }) }) : h("p", { class: "is-quiet" }, "Its ladder has no step that can be asked for.");
  return dialog(say, "incident", incident.place, h("section", null, h("h2", null, "Class"), h("p", { class: "is-quiet" }, "Who is more urgent goes first. The order changes at once."), h("div", { class: "outcomes", role: "group", "aria-label": "Class" }, classes)), h("section", null, h("h2", null, "Ladder"), h("p", { class: "is-quiet" }, step), ladder), cameras(incident));
}

/** @param {State} state @param {Say} say */
function close(state, say) {
  const incident = state.board.incident[state.picked];
  if (!incident) {
    return dialog(say, "close", "Close an incident", h("p", null, "It has been closed."), keyed("Good", "Esc", { on: does(say, "dismiss") }));
  }
  return dialog(say, "close", incident.place, h("p", { class: "is-quiet" }, `Pressed at ${openedAt(state, incident)}. What was it?`), outcomeForm(state, say, incident, "note-review"));
}
