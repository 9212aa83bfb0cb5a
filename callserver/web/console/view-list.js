/** The call-back list: its panel, what can be done with one of it, who gets what is left behind, and the sheet for the next shift. */

import { h } from "./dom.js";
import { dialog, does, dot, heading, keyed } from "./parts.js";
import { isFree } from "./select-call.js";
import { NEXT, choices, isLate, isOwn, listed, own, ownerWords, receiversOf, successors } from "./select-list.js";
import { alarms, mayAct, nameOf, now_ms, points, seats } from "./select.js";
import { headButton } from "./view-live-dialogs.js";
import { classTone, className, clock, count, duration, operatorWords, roughly } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./parts.js").Say} Say */

const DIGITS = 9;

/** @param {Incident} one */
function what(one) {
  return one.listed === "call-back" ? "Call back" : "Review";
}

/**
 * Its clock: how long until it is due, or how long past that.
 * @param {State} state
 * @param {Incident} one
 */
function due(state, one) {
  if (!one.overdue_ms) {
    return "";
  }
  const left_ms = one.overdue_ms - now_ms(state);
  return left_ms > 0 ? `due in ${left_ms < 600_000 ? duration(left_ms + 999) : roughly(left_ms)}` : `${roughly(-left_ms)} late`;
}

/** @param {Incident} one */
function tried(one) {
  const all = one.attempts ?? [];
  const last = all[all.length - 1];
  return last ? ` \u00b7 called ${count(all.length, "time")}, last: ${last.result || "rings"}` : "";
}

/** @param {State} state @param {Incident} one */
function ownerMark(state, one) {
  const tone = isOwn(state, one) ? "blue" : one.owner ? "quiet" : "red";
  return h("span", { class: `is-${tone}` }, ownerWords(state, one), one.acknowledge_ms ? " (not seen yet)" : "");
}

/** @param {State} state @param {Say} say */
export function listPanel(state, say) {
  const all = listed(state);
  const mine = own(state).length;
  const late = all.some((one) => isLate(state, one));
  const number = mine ? `${all.length}, ${mine} yours` : all.length;
  const button = mayAct(state) ? headButton(say, "List\u2026", "G", "call-backs") : null;
  const rows = all.map((one) => listRow(state, say, one));
  const body = rows.length ? h("ul", { class: "rows", tabindex: "0", role: "list", "aria-labelledby": "unreviewed-title" }, rows) : h("p", { class: "empty" }, "Nobody is to be called back, and every incident has its outcome.");
  return h("section", { key: "unreviewed", class: "panel part-unreviewed", "aria-labelledby": "unreviewed-title" }, heading("Call-back list", "unreviewed-title", number, all.length ? (late ? "is-red" : "is-amber") : "", button), body);
}

/** @param {State} state @param {Say} say @param {Incident} one */
function listRow(state, say, one) {
  const late = isLate(state, one);
  const button = mayAct(state) ? h("button", { type: "button", class: "small", "aria-label": `See to ${one.place}`, on: does(say, "see-to", { incident: one.id }) }, "Open") : null;
  return h("li", { key: one.id, class: `row tone-${late || !one.owner ? "red" : "amber"}${isOwn(state, one) ? " mine" : ""}` }, h("span", { class: "first", title: one.place }, one.place), button, h("span", { class: "second" }, `${what(one)} \u00b7 `, ownerMark(state, one), " \u00b7 ", h("span", { class: late ? "is-red" : "" }, due(state, one))));
}

/** @param {Say} say @param {string} key @param {string} label @param {number} place @param {string} deed @param {Object} more @param {...any} rest */
function choice(say, key, label, place, deed, more, ...rest) {
  return h("button", { key, type: "button", class: "outcome", on: does(say, deed, more) }, place <= DIGITS ? h("kbd", { "aria-hidden": "true" }, String(place)) : null, h("span", { class: "label" }, label), ...rest);
}

/** @param {State} state @param {Say} say */
export function listDialog(state, say) {
  const all = choices(state);
  const buttons = all.map((one, place) => choice(say, one.id, one.place, place + 1, "see-to", { incident: one.id }, h("span", { class: `second is-${isLate(state, one) ? "red" : "quiet"}` }, `${what(one)} \u00b7 ${ownerWords(state, one)} \u00b7 ${due(state, one)}`)));
  const body = all.length ? h("div", { class: "outcomes one-each" }, buttons) : h("p", null, "Nobody is to be called back, and every incident has its outcome.");
  return dialog(say, "list", "Call-back list", h("p", { class: "is-quiet" }, "Open incidents that nobody has. Yours stand first, then those that are nobody\u2019s."), body, keyed("Sheet for the next shift", "Y", { on: does(say, "handover") }));
}

/** @param {State} state @param {Say} say */
export function oneDialog(state, say) {
  const one = state.board.incident[state.picked];
  if (!one || !listed(state).includes(one)) {
    return dialog(say, "listed", "Call-back list", h("p", null, "Somebody has seen to it."), keyed("Good", "Esc", { on: does(say, "dismiss") }));
  }
  const deeds = [
    isFree(state) ? choice(say, "call", "Call back now", 1, "call-back", { incident: one.id }) : null,
    choice(say, "close", "Close it with an outcome", 2, "review", { incident: one.id }),
    choice(say, "give", isOwn(state, one) ? "Give it to a colleague" : "Take it, or give it to somebody", 3, "give-list", {}),
    isOwn(state, one) && one.acknowledge_ms ? choice(say, "seen", "I have seen it", 4, "seen", { incident: one.id }) : null,
  ];
  return dialog(say, "listed", one.place, h("p", null, h("span", { class: `is-${classTone(one.priority)}` }, className(one)), ` \u00b7 ${what(one)}: ${one.listed_why ?? ""}`), facts(state, one), h("div", { class: "outcomes one-each" }, deeds));
}

/** @param {State} state @param {Incident} one */
function facts(state, one) {
  const zone = state.board.service?.time_zone ?? "UTC";
  const attempts = (one.attempts ?? []).map((each) => h("li", { key: each.at_ms }, `Called at ${clock(each.at_ms, zone, true)} for ${each.operator ? nameOf(state, each.operator) : "an outside party"}: ${each.result || "rings"}`));
  return h("div", { class: "is-quiet" }, h("p", null, "Owner: ", ownerMark(state, one), ` \u00b7 on the list since ${one.listed_ms ? clock(one.listed_ms, zone, true) : "just now"} \u00b7 `, h("span", { class: isLate(state, one) ? "is-red" : "" }, due(state, one))), attempts.length ? h("ul", { "aria-label": "Attempts" }, attempts) : h("p", null, "Nobody has called the point back so far."));
}

/** @param {Say} say @param {string} deed @param {{id: string, name: string}[]} all */
function people(say, deed, all) {
  return h("div", { class: "outcomes" }, all.map((one, place) => choice(say, one.id || "next", one.name, place + 1, deed, { to: one.id })));
}

/** @param {State} state @param {Say} say */
export function giveDialog(state, say) {
  const one = state.board.incident[state.picked];
  return one ? dialog(say, "give", one.place, h("p", { class: "is-quiet" }, "Whose is it from now on? They are told, and say that they have seen it."), people(say, "give", receiversOf(state))) : null;
}

/** @param {State} state @param {Say} say */
export function passDialog(state, say) {
  const mine = own(state);
  const there = successors(state);
  const items = mine.map((one) => h("li", { key: one.id }, `${one.place}: ${what(one).toLowerCase()}, ${due(state, one)}`));
  const title = state.leaving === "sign-out" ? "Before you sign out" : "Before you pause";
  const alone = h("div", null, h("p", { class: "is-red" }, "Nobody else is on duty. What is yours becomes nobody\u2019s: an alarm rings, and who comes on duty first gets it."), h("div", { class: "outcomes" }, choice(say, "next", "Go, and leave it to nobody", 1, "pass-on", { to: "" })));
  return dialog(say, "pass", title, h("section", null, h("h2", null, `${count(mine.length, "incident")} on the call-back list ${mine.length === 1 ? "is" : "are"} yours`), h("ul", null, items)), there.length ? h("section", null, h("h2", null, "Who gets them?"), people(say, "pass-on", [NEXT, ...there])) : alone);
}

/** @param {string} title @param {any[]} rows @param {string} none */
function part(title, rows, none) {
  return h("section", { key: title }, h("h2", null, `${title} (${rows.length})`), rows.length ? h("ul", null, rows) : h("p", { class: "is-quiet" }, none));
}

/** @param {State} state @param {Say} say */
export function handoverDialog(state, say) {
  const zone = state.board.service?.time_zone ?? "UTC";
  const all = listed(state);
  const others = Object.values(state.board.incident).filter((one) => !all.includes(one));
  const duty = seats(state).filter((one) => one.state !== "off");
  const lost = points(state).filter((one) => one.reachable === false);
  const line = (/** @type {Incident} */ one) => h("li", { key: one.id }, h("strong", null, one.place), ` (${one.point}, ${className(one)}): ${what(one).toLowerCase()}; owner `, ownerMark(state, one), `; pressed ${clock(one.opened_ms, zone)}, `, h("span", { class: isLate(state, one) ? "is-red" : "" }, due(state, one)), tried(one));
  return dialog(
    say,
    "handover",
    "Sheet for the next shift",
    h("p", { class: "is-quiet" }, `${state.board.service?.plan ?? ""}, ${clock(now_ms(state), zone, true)}, as ${state.sign.person?.name ?? ""} sees it`),
    part("To call back or to review", all.map(line), "None."),
    part("Other open incidents", others.map((one) => h("li", { key: one.id }, `${one.place}: ${one.state}${one.operator ? `, ${nameOf(state, one.operator)}` : ""}`)), "None."),
    part("On duty", duty.map((one) => h("li", { key: one.id }, dot(operatorWords(one)[1]), `${one.name}: ${operatorWords(one)[0]}`)), "Nobody."),
    part("Points that cannot be reached", lost.map((one) => h("li", { key: one.id }, `${one.place}${one.why ? `: ${one.why}` : ""}`)), "None."),
    part("Needs a person", alarms(state).map((one) => h("li", { key: one.key }, one.text)), "Nothing."),
    keyed("Print", "P", { class: "primary", on: does(say, "print") }),
  );
}
