/** What stands before the operator: on or off duty, the call that rings, the one in progress, its wrap-up. */

import { h } from "./dom.js";
import { cameras, does, dot, icon, keyed } from "./parts.js";
import { isLate, own } from "./select-list.js";
import { callOf, mayAct, myOperator, now_ms, overdue, othersRung, ringing, stage, unreviewed, waiting } from "./select.js";
import { talk } from "./view-talk.js";
import { map } from "./view-map.js";
import { wrapUpView } from "./view-wrap-up.js";
import { classTone, className, clock, count, duration, list, operatorWords, placeClass, roughly } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./parts.js").Say} Say */

/** @param {State} state @param {Say} say */
export function stageView(state, say) {
  const now = stage(state);
  const views = { ring, talk, "wrap-up": wrapUpView, idle, watch };
  const tone = now === "ring" ? `tone-${ringTone(state)}` : "";
  return h(
    "main",
    { key: "stage", id: "stage", class: `stage panel at-${now} ${tone}`, tabindex: "-1", "aria-label": "Before you" },
    duty(state, say),
    views[/** @type {keyof typeof views} */ (now)](state, say),
    news(state, say),
  );
}

/** @param {State} state */
function ringTone(state) {
  const found = ringing(state);
  return classTone(found ? state.board.incident[found.incident]?.priority : undefined, found?.class);
}

const OWN_CALL = ["talking", "offered", "wrap-up"];

/** @param {State} state @param {Say} say */
function duty(state, say) {
  const operator = myOperator(state);
  if (!operator) {
    return null;
  }
  const guest = stage(state) === "talk" && !OWN_CALL.includes(operator.state);
  const [word, tone] = guest ? ["In a colleague's call", "blue"] : operatorWords(operator);
  const waits = state.wish === "available" && operator.state === "off" && !state.seat.fit && state.settings.seat;
  const text = waits ? "Going available as soon as the sound is ready" : word;
  const since = operator.since_ms && operator.state !== "off" && !guest ? `for ${roughly(now_ms(state) - operator.since_ms)}` : "";
  return h("section", { key: "duty", class: "duty", "aria-label": "My duty" }, h("p", { class: "state" }, dot(waits ? "amber" : tone), h("strong", null, text), h("span", { class: "is-quiet figures" }, since)), h("div", { class: "deeds" }, guest ? null : dutyButtons(state, say, operator.state)));
}

/** @param {State} state @param {Say} say @param {string} now */
function dutyButtons(state, say, now) {
  if (!state.settings.seat && myOperator(state)?.seat !== "softphone") {
    return h("button", { key: "seat", type: "button", class: "primary", on: does(say, "take-seat") }, "Take a seat here");
  }
  const busy = now === "offered" || now === "talking";
  const go = now === "available" || busy ? null : keyed(now === "wrap-up" ? "Available now" : "Go available", "A", { key: "go", class: now === "wrap-up" ? "" : "good", on: does(say, "available") });
  const rest = now === "paused" || now === "off" ? null : keyed("Pause", "B", { key: "rest", class: busy ? "quiet" : "", on: does(say, "pause-list") });
  return [go, rest];
}

/** @param {State} state @param {Say} say */
function ring(state, say) {
  const found = ringing(state);
  if (!found) {
    return null;
  }
  const incident = state.board.incident[found.incident];
  const call = callOf(state, found.call);
  const since_ms = incident?.waiting_since_ms ?? call?.since_ms ?? now_ms(state);
  const others = othersRung(state, found.call);
  return h(
    "section",
    { key: "ring", class: "ring", "aria-labelledby": "ring-place" },
    h("p", { class: "kind" }, h("span", { class: `class-mark is-${classTone(incident?.priority, found.class)}` }, className(incident ?? found)), found.again ? h("span", { class: "badge" }, "Your call, again") : found.kind ? h("span", { class: "badge" }, found.kind) : incident?.parked ? h("span", { class: "badge" }, incident.by_hand ? "Was parked" : "Was interrupted") : null, question(state, say, found.incident)),
    h("h1", { id: "ring-place", class: placeClass(found.place), title: found.place }, found.place),
    h("p", { class: "facts" }, h("span", { class: "waited" }, h("span", { class: "is-quiet" }, "Waiting "), h("time", { class: incident && overdue(state, incident) ? "is-red" : "" }, duration(now_ms(state) - since_ms))), incident && incident.presses > 1 ? h("span", null, `Pressed ${count(incident.presses, "time")}`) : null, h("span", { class: "is-quiet" }, others.length ? `Also rung: ${list(others)}` : "Only you are rung")),
    cameras(incident),
    answerButton(found, say),
  );
}

/** @param {State} state @param {Say} say @param {string} incident */
function question(state, say, incident) {
  return mayAct(state) ? keyed("Class\u2026", "C", { key: "class", class: "quiet small", on: does(say, "question", { incident }) }) : null;
}

/** @param {NonNullable<ReturnType<typeof ringing>>} found @param {Say} say */
function answerButton(found, say) {
  if (!found.leg) {
    return h("p", { key: "phone", class: "answer-there" }, icon("answer"), "Answer at your telephone");
  }
  const label = found.accepted ? "Connecting\u2026" : "Answer";
  return h("button", { key: "answer", id: "answer", type: "button", class: "good answer", disabled: found.accepted, "aria-keyshortcuts": "Space F2", on: does(say, "answer") }, icon("answer"), h("span", { class: "label" }, label), found.accepted ? null : h("kbd", { "aria-hidden": "true" }, "Space"));
}

/** @param {State} state @param {Say} say */
function idle(state, say) {
  const operator = myOperator(state);
  const queue = waiting(state);
  const open = unreviewed(state).length;
  const [title, text] = idleWords(state, operator?.state ?? "off", queue);
  return h(
    "section",
    { key: "idle", class: "idle", "aria-label": "No call" },
    h("div", { class: "calm" }, h("h1", null, title), h("p", { class: "is-quiet" }, text)),
    open ? h("p", { key: "open", class: "notice amber" }, h("span", null, h("strong", null, count(open, "incident")), open === 1 ? " waits for an outcome." : " wait for an outcome."), keyed("Close the oldest", "U", { on: does(say, "review-first") })) : null,
    mineNotice(state, say),
    map(state),
  );
}

/**
 * What this operator owns on the call-back list; red when one is past its time.
 * @param {State} state
 * @param {Say} say
 */
function mineNotice(state, say) {
  const mine = own(state);
  const late = mine.filter((one) => isLate(state, one)).length;
  const text = ` on the call-back list ${mine.length === 1 ? "is" : "are"} yours${late ? `, ${late} past ${late === 1 ? "its" : "their"} time` : ""}.`;
  return mine.length ? h("p", { key: "mine", class: `notice ${late ? "red" : "amber"}` }, h("span", null, h("strong", null, count(mine.length, "incident")), text), keyed("See to it", "G", { on: does(say, "call-backs") })) : null;
}

/** @param {State} state @param {string} now @param {Incident[]} queue @returns {[string, string]} */
function idleWords(state, now, queue) {
  const first = queue[0];
  if (first) {
    const text = `The first: ${first.place}, since ${duration(now_ms(state) - first.waiting_since_ms)}.`;
    return [`${count(queue.length, "call")} ${queue.length === 1 ? "waits" : "wait"}`, now === "available" ? text : `${text} You are not available.`];
  }
  if (now === "available") {
    return ["Nobody is waiting", "A call will ring here, in the title of this page and on the ring device."];
  }
  return ["Nobody is waiting", now === "paused" ? "You are paused: no calls come to you." : "You are off duty: no calls come to you."];
}

/** @param {State} state */
function watch(state) {
  const queue = waiting(state);
  const title = queue.length ? `${count(queue.length, "call")} ${queue.length === 1 ? "waits" : "wait"}` : "Nobody is waiting";
  const first = queue[0];
  const text = first ? `The first: ${first.place}, since ${duration(now_ms(state) - first.waiting_since_ms)}.` : `Board of ${state.board.service?.plan ?? "the service"}. You answer no calls here.`;
  return h("section", { key: "watch", class: "idle", "aria-label": "The situation" }, h("div", { class: "calm" }, h("h1", null, title), h("p", { class: "is-quiet" }, text)), map(state));
}

/** @param {State} state @param {Say} say */
function news(state, say) {
  const zone = state.board.service?.time_zone ?? "UTC";
  const lines = state.news.map((one) =>
    h("li", { key: one.id, class: `notice ${one.tone}` }, h("time", { class: "is-quiet" }, clock(one.at_ms + state.board.offset_ms, zone)), h("span", { class: "text" }, one.text), h("button", { type: "button", class: "quiet small", "aria-label": `Dismiss: ${one.text}`, on: does(say, "forget-news", { id: one.id }) }, "\u00d7")),
  );
  return lines.length ? h("ul", { key: "news", class: "news", "aria-label": "News" }, lines) : null;
}

