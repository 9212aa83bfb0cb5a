/** After a call: what it was. The same form closes an incident that nobody has reviewed yet. */

import { h } from "./dom.js";
import { does, keyed } from "./parts.js";
import { draftOf, now_ms, outcomes, wrapUp } from "./select.js";
import { clock, duration, placeClass } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./parts.js").Say} Say */

/** @param {State} state @param {Say} say */
export function wrapUpView(state, say) {
  const incident = wrapUp(state);
  if (!incident) {
    return null;
  }
  const left_ms = incident.until_ms === null ? null : Math.max(0, incident.until_ms - now_ms(state));
  return h(
    "section",
    { key: `wrap-up-${incident.id}`, class: "wrap-up", "aria-labelledby": "wrap-up-place" },
    h("header", { class: "where" }, h("div", null, h("p", { class: "kind" }, "What was it?"), h("h1", { id: "wrap-up-place", class: placeClass(incident.place), title: incident.place }, incident.place)), left_ms === null ? null : h("p", { class: "left" }, h("span", { class: "is-quiet" }, "Time left"), h("time", { class: left_ms < 10_000 ? "lasting is-amber" : "lasting" }, duration(left_ms + 999)))),
    outcomeForm(state, say, incident),
  );
}

/**
 * Outcomes by their digits, a note, and the button that closes.
 * @param {State} state
 * @param {Say} say
 * @param {Incident} incident
 * @param {string} [id]  of the note's field
 */
export function outcomeForm(state, say, incident, id = "note") {
  const { outcome } = draftOf(state, incident.id);
  return h(
    "div",
    { class: "outcome-form" },
    h("div", { class: "outcomes", role: "group", "aria-label": "Outcome" }, outcomes(state).map((one) => outcomeButton(say, incident.id, one, outcome))),
    noteField(state, say, incident.id, id, "Enter closes, Shift and Enter begin a new line.", 3),
    h("div", { class: "closing" }, keyed("Close the incident", "Enter", { class: outcome ? "primary" : "", "aria-disabled": String(!outcome), on: does(say, "close", { incident: incident.id }) }), h("p", { class: "is-quiet" }, outcome ? "The outcome and the note are kept with the recording." : "Choose an outcome by its digit.")),
  );
}

/** @param {Say} say @param {string} incident @param {import("./types.js").Outcome} one @param {string} chosen */
function outcomeButton(say, incident, one, chosen) {
  const on = does(say, "outcome", { incident, outcome: one.id });
  return h("button", { key: one.id, type: "button", class: "outcome", "aria-pressed": String(one.id === chosen), on }, one.digit ? h("kbd", { "aria-hidden": "true" }, one.digit) : null, h("span", { class: "label" }, one.name));
}

/** @param {State} state @param {Say} say @param {string} incident @param {string} id @param {string} tip @param {number} rows */
export function noteField(state, say, incident, id, tip, rows) {
  const { note } = draftOf(state, incident);
  const on = {
    input: (/** @type {InputEvent} */ event) => say({ type: "act", what: "note", incident, text: /** @type {HTMLTextAreaElement} */ (event.target).value }),
  };
  return h(
    "div",
    { key: `note-${incident}`, class: "field note" },
    h("div", { class: "above" }, h("label", { for: id }, "Note ", h("kbd", { "aria-hidden": "true" }, "N")), h("p", { id: `${id}-tip`, class: "tip" }, tip)),
    h("textarea", { id, rows, maxlength: "4000", value: note, "data-incident": incident, "aria-describedby": `${id}-tip`, on }),
  );
}

/**
 * When an unreviewed incident was.
 * @param {State} state
 * @param {Incident} incident
 */
export function openedAt(state, incident) {
  return clock(incident.opened_ms, state.board.service?.time_zone ?? "UTC");
}
