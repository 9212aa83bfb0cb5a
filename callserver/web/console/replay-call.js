/** One call on one page: what it was, how it sounds, what happened. A function of the state. */

import { h } from "./dom.js";
import { closer, controls } from "./replay-controls.js";
import { standing } from "./replay-holds.js";
import { stageView } from "./replay-stage.js";
import { clockTime, day, offset } from "./replay-time.js";
import { utcMs } from "./replay-timeline.js";
import { className, classTone } from "./words.js";

/** @typedef {import("./replay-timeline.js").Mark} Mark */
/** @typedef {any} Page  what replay.js keeps of the call that is open */

/** @param {Page} page @param {any} act */
export function callView(page, act) {
  const back = h("a", { class: "back", href: act.listAddress(), "aria-keyshortcuts": "Escape" }, `← ${act.backTo()}`);
  if (page.state === "loading") {
    return [h("div", { class: "call", key: "call" }, back, h("p", { class: "waits", role: "status" }, "Loading…"))];
  }
  if (page.state === "failed") {
    return [h("div", { class: "call", key: "call" }, back,
      h("div", { class: "notice red" }, h("h1", null, page.error.message), h("p", null, page.error.what_to_do),
        page.error.status !== 404 && h("button", { type: "button", on: { click: act.again } }, "Try again")))];
  }
  return [h("div", { class: "call", key: "call" }, head(page, back, act), others(page), panel(page, act), facts(page, act), transcript(page))];
}

/** @param {Page} page @param {any} back @param {any} act */
function head({ call, incident, holds, may_export, names, timeline }, back, act) {
  const zone = names.time_zone;
  const began = utcMs(call.started);
  const end = call.ended ? utcMs(call.ended) : null;
  const until = utcMs(call.answered ?? call.ended ?? "") || timeline.to_ms;
  const field = (/** @type {string} */ name, /** @type {any} */ ...value) => h("div", null, h("dt", null, name), h("dd", null, ...value));
  return h("header", { class: "head-of-call" },
    h("div", { class: "title" },
      h("h1", null, names.points[call.point] ?? call.point),
      h("span", { class: `badge is-${classTone(incident.priority)}` }, className(incident)),
      call.state !== "ended" && h("span", { class: "badge is-green" }, "still going on"),
      incident.state !== "closed" && h("span", { class: "badge is-amber" }, `incident ${incident.state}`),
      standing(holds).length > 0 && h("span", { class: "badge is-amber" }, "held"),
      holds && may_export && h("button", { type: "button", class: "quiet hold", title: "Hold the incident, or lift a hold (H)", "aria-keyshortcuts": "H", on: { click: () => act.deed("hold") } }, "Hold…"),
      may_export && h("button", { type: "button", class: "quiet hold", title: "Ask for an evidence pack, a copy or a redaction (E)", "aria-keyshortcuts": "E", on: { click: () => act.deed("export") } }, "Export…"),
      may_export && h("button", { type: "button", class: "quiet hold", title: "The sheet of a call that is drawn for the quality sample (G)", "aria-keyshortcuts": "G", on: { click: () => act.deed("sheet") } }, "Sheet…"),
      back),
    h("dl", null,
      field("When", h("time", { datetime: call.started }, `${day(began, zone)}, ${clockTime(began, zone)}`)),
      field("Waited", offset(until - began, false), !call.answered && h("span", { class: "is-amber" }, " not answered")),
      field("Lasted", end === null ? "–" : offset(end - began, false)),
      field("Answered by", call.operator ? names.operators[call.operator] ?? call.operator : outsideOf(call, names)),
      field("Outcome", call.outcome ? names.outcomes[call.outcome] ?? call.outcome : "none yet"),
      field("Point", call.point),
      call.note && h("div", { class: "noted" }, h("dt", null, "Note"), h("dd", null, call.note))));
}

/** @param {any} call @param {any} names */
function outsideOf(call, names) {
  const leg = call.legs.find((/** @type {any} */ one) => one.role === "outside" && one.answered);
  return leg ? names.parties[leg.party] ?? leg.party : "nobody";
}

/** @param {Page} page */
function others({ call, incident, names }) {
  if (incident.calls.length < 2) {
    return null;
  }
  return h("nav", { class: "others", "aria-label": "Calls of this incident" },
    incident.calls.map((/** @type {any} */ one, /** @type {number} */ place) =>
      h("a", { href: `#call=${encodeURIComponent(one.id)}`, key: one.id, "aria-current": one.id === call.id ? "page" : false }, `Call ${place + 1}, ${clockTime(utcMs(one.started), names.time_zone)}`)));
}

/** @param {Page} page @param {any} act */
function panel(page, act) {
  return h("section", { class: "panel player", "aria-label": "Sound and timeline" }, controls(page, act), closer(page, act),
    h("p", { class: "trouble notice red", role: "alert", hidden: !page.trouble }, page.trouble || " "),
    stageView({ ...page, zone: page.names.time_zone, solo: page.player.solo, silent: page.soundless, width: page.width }, act));
}

/** @param {Page} page @param {any} act */
function facts(page, act) {
  const { timeline, names, all } = page;
  const shown = timeline.marks.filter((/** @type {Mark} */ one) => all || !one.minor);
  const during = shown.filter((/** @type {Mark} */ one) => !one.after);
  const after = shown.filter((/** @type {Mark} */ one) => one.after);
  const zero = timeline.began_ms ?? timeline.from_ms;
  const item = (/** @type {Mark} */ one) => h("li", { key: one.number },
    h("button", { type: "button", class: `fact tone-${one.tone}`, "data-number": one.number, "aria-current": page.current === one.number ? "true" : false, on: { click: () => act.fact(one) } },
      h("time", { datetime: new Date(one.at_ms).toISOString() }, clockTime(one.at_ms, names.time_zone)),
      h("span", { class: "offset" }, offset(one.at_ms - zero)),
      h("strong", null, one.title),
      h("span", { class: "detail" }, one.detail)));
  return h("section", { class: "facts", "aria-labelledby": "facts-title" },
    h("div", { class: "facts-head" }, h("h2", { id: "facts-title" }, "What happened"),
      h("button", { type: "button", class: "quiet", "aria-pressed": String(all), "aria-keyshortcuts": "A", on: { click: () => act.deed("all-facts") } }, "All facts")),
    h("ol", null, during.map(item)),
    after.length > 0 && [h("h3", null, "Afterwards"), h("ol", { class: "afterwards" }, after.map(item))]);
}

/**
 * Kept for later, and honest until then.
 * @param {Page} page
 */
function transcript({ call }) {
  return h("section", { class: "facts", "aria-labelledby": "transcript-title" },
    h("h2", { id: "transcript-title" }, "Transcript"),
    h("p", { class: "is-quiet" }, `There is none. Nothing here turns speech into text yet${call.note ? "; the note above is what somebody wrote" : ""}.`));
}
