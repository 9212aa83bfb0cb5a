/** The board beside the stage: who waits, who talks, what needs a person, seats, points. Always on the screen, never moving by itself. */

import { h } from "./dom.js";
import { memory } from "./memo.js";
import { does, dot, heading } from "./parts.js";
import { isFree, isLeft, leftWith, maySupervise, takeable } from "./select-call.js";
import { listed } from "./select-list.js";
import { alarms, attended, broughtInto, callOf, mayAct, nameOf, now_ms, overdue, partyName, points, ringing, seats, waiting } from "./select.js";
import { listPanel } from "./view-list.js";
import { headButton } from "./view-live-dialogs.js";
import { classTone, className, count, duration, effort, list, operatorWords, pointWords, roughly } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./parts.js").Say} Say */

const row = memory();
const panel = memory();

/** @param {State} state @param {Say} say */
export function board(state, say) {
  const b = state.board;
  const second = Math.floor(now_ms(state) / 1000);
  const minute = Math.floor(second / 10);
  return h(
    "aside",
    { key: "board", class: "board", "aria-label": "Board" },
    h(
      "div",
      { class: "column" },
      panel("waiting", [b.incident, b.call, b.operator, second, ringing(state)?.incident, mayAct(state), isFree(state), say], () => waitingPanel(state, say)),
      panel("attended", [b.incident, b.call, b.operator, second, state.sign.person, isFree(state), say], () => attendedPanel(state, say)),
      panel("unreviewed", [b.incident, b.operator, listed(state).length ? second : 0, state.sign.person, say], () => listPanel(state, say)),
    ),
    h(
      "div",
      { class: "column" },
      panel("alarms", [b.alarm, b.trunk, minute], () => alarmsPanel(state)),
      panel("seats", [b.operator, b.incident, b.call, minute, state.sign.person], () => seatsPanel(state)),
      panel("points", [b.point, minute, isFree(state), say], () => pointsPanel(state, say)),
    ),
  );
}

/** @param {string} id @param {any} head @param {any[]} rows @param {string} empty */
function section(id, head, rows, empty) {
  const body = rows.length ? h("ul", { class: "rows", tabindex: "0", role: "list", "aria-labelledby": `${id}-title` }, rows) : h("p", { class: "empty" }, empty);
  return h("section", { key: id, class: `panel part-${id}`, "aria-labelledby": `${id}-title` }, head, body);
}

/** @param {State} state @param {Say} say */
function waitingPanel(state, say) {
  const queue = waiting(state);
  const mine = ringing(state)?.incident;
  const rows = queue.map((one) => waitingRow(state, say, one, one.id === mine));
  const take = isFree(state) && takeable(state).length ? headButton(say, "Take\u2026", "W", "take-list") : null;
  return section("waiting", heading("Waiting", "waiting-title", queue.length, queue.length ? "is-amber" : "", take), rows, "Nobody is waiting.");
}

/** @param {State} state @param {Say} say @param {Incident} one @param {boolean} mine */
function waitingRow(state, say, one, mine) {
  const waited = duration(now_ms(state) - one.waiting_since_ms);
  const late = overdue(state, one);
  const rung = callOf(state, one.call)?.offer?.operators ?? [];
  return row(`w${one.id}`, [one, waited, late, mine, rung, state.board.operator, mayAct(state), say], () => {
    const effect = effort(one, rung.map((id) => nameOf(state, id)), one.party ? partyName(state, one.party) : "");
    const doing = one.by_hand ? `${effect}${left(state, one)}` : effect;
    const steps = one.step > 1 ? `, step ${one.step} of ${one.steps}` : "";
    const change = mayAct(state) ? h("button", { type: "button", class: "small", title: "Class and ladder", "aria-label": `Class and ladder of ${one.place}`, on: does(say, "question", { incident: one.id }) }, "\u22ef") : null;
    return h("li", { key: one.id, class: `row tone-${classTone(one.priority)}${mine ? " mine" : ""}` }, h("span", { class: "first", title: one.place }, one.place), h("time", { class: late ? "is-red" : "" }, waited), h("span", { class: "second", title: doing + steps }, h("span", { class: `is-${classTone(one.priority)}` }, className(one)), ` \u00b7 ${doing}${steps}`), change);
  });
}

/**
 * For how long a parked call rings nobody yet.
 * @param {State} state
 * @param {Incident} one
 */
function left(state, one) {
  return one.recall_ms === null ? "" : `, ${duration(Math.max(0, one.recall_ms - now_ms(state)) + 999)} left`;
}

/** @param {State} state @param {Say} say */
function attendedPanel(state, say) {
  const supervises = maySupervise(state);
  const rows = attended(state).map((one) => {
    const lasted = duration(now_ms(state) - one.since_ms);
    const left = isLeft(state, one);
    const who = left ? leftWith(state, one) : one.operator ? nameOf(state, one.operator) : one.party ? partyName(state, one.party) : "Somebody";
    const mine = !left && one.operator !== null && one.operator === state.sign.person?.operator;
    return row(`a${one.id}`, [one, lasted, who, mine, left, supervises, say], () => {
      const enter = supervises && one.call && !left ? h("button", { type: "button", class: "small", "aria-label": `Take part in ${one.place}`, on: does(say, "supervise", { call: one.call }) }, "Take part") : null;
      return h("li", { key: one.id, class: mine ? "row tone-green mine" : "row tone-green" }, h("span", { class: "first", title: one.place }, one.place), h("time", null, lasted), h("span", { class: "second" }, left ? `Left to ${who}` : who), enter);
    });
  });
  return section("attended", heading("In conversation", "attended-title", rows.length), rows, "No conversation.");
}

/** @param {State} state */
function alarmsPanel(state) {
  const rows = alarms(state).map((one) => h("li", { key: one.key, class: "row tone-red" }, h("span", { class: "whole" }, one.text), one.raised_ms === null ? null : h("span", { class: "second" }, `For ${roughly(now_ms(state) - one.raised_ms)}`)));
  return section("alarms", heading("Needs a person", "alarms-title", rows.length, rows.length ? "is-red" : ""), rows, "Nothing. All works as planned.");
}

/** @param {State} state */
function seatsPanel(state) {
  const all = seats(state);
  const free = all.filter((one) => one.state === "available" && one.reachable !== false && !broughtInto(state, one.id)).length;
  const off = all.filter((one) => one.state === "off");
  const rows = all.filter((one) => one.state !== "off").map((one) => seatRow(state, one));
  const away = off.length ? [h("li", { key: "off", class: "row faint" }, h("span", { class: "whole second" }, `Off duty: ${list(off.map((one) => one.name))}`))] : [];
  return section("seats", heading("Seats", "seats-title", `${free} available`, free ? "is-green" : "is-amber"), [...rows, ...away], "The plan has no operators.");
}

/** @param {State} state @param {import("./types.js").Operator} one */
function seatRow(state, one) {
  const other = one.call ? null : broughtInto(state, one.id);
  const [word, tone] = other ? ["In a colleague's call", "blue"] : operatorWords(one);
  const incident = one.incident || other?.incident;
  const place = incident ? state.board.incident[incident]?.place : "";
  const me = one.id === state.sign.person?.operator ? " (you)" : "";
  const where = place || one.seat || "no seat";
  return h("li", { key: one.id, class: "row" }, h("span", { class: "first" }, dot(tone), h("span", { class: "cut" }, `${one.name}${me}`)), h("time", null, roughly(now_ms(state) - one.since_ms)), h("span", { class: "second", title: where }, h("span", { class: `is-${tone}` }, word), ` \u00b7 ${where}`));
}

/** @param {State} state @param {Say} say */
function pointsPanel(state, say) {
  const all = points(state);
  const bad = all.filter((one) => one.reachable === false).length;
  const rows = all.map((one) => {
    const since = one.since_ms && one.reachable === false ? ` for ${roughly(now_ms(state) - one.since_ms)}` : "";
    return row(`p${one.id}`, [one, since], () => pointRow(one, since));
  });
  const words = bad ? `${bad} unreachable` : count(all.length, "point");
  const call = isFree(state) && all.length ? headButton(say, "Call\u2026", "D", "call-list") : null;
  return section("points", heading("Points", "points-title", words, bad ? "is-red" : "", call), rows, "The plan has no points.");
}

/**
 * Those that work take one line and no word for the eye.
 * @param {import("./types.js").Point} one
 * @param {string} since
 */
function pointRow(one, since) {
  const [word, tone] = pointWords(one);
  const why = one.reachable === false && one.why ? `: ${one.why}` : "";
  const plain = one.reachable && !one.incident;
  const said = plain ? h("span", { class: "only-heard" }, word) : h("span", { class: "second" }, h("span", { class: `is-${tone}` }, word + since), why);
  return h("li", { key: one.id, class: plain ? "row plain" : "row" }, h("span", { class: "first", title: one.place }, dot(tone), h("span", { class: "cut" }, one.place)), said);
}
