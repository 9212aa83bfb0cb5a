/** Exports, the register of disclosures, requests for access, on one page. A function of the state. */

import { h } from "./dom.js";
import { HOWS, WHATS } from "./replay-exports.js";
import { dayField, dayTime } from "./replay-time.js";
import { utcMs } from "./replay-timeline.js";

/** @typedef {{state: "loading" | "ready" | "failed", error: any, trouble: string, desk: import("./replay-exports.js").Desk, user: string, zone: string}} Shown */
/** @typedef {{approve: (id: string) => void, disclose: () => void, request: () => void, answer: (request: any) => void, again: () => void, listAddress: () => string}} Acts */

const STATES = /** @type {Record<string, [string, string]>} */ ({
  waiting: ["waits for a second person", "is-amber"], queued: ["is being made", "is-blue"], ready: ["ready", "is-green"], failed: ["failed", "is-red"], expired: ["expired", ""],
  open: ["open", ""], due: ["due soon", "is-amber"], late: ["late", "is-red"], answered: ["answered", "is-green"],
});

/** @param {Shown} shown @param {Acts} act */
export function deskView(shown, act) {
  const back = h("a", { class: "back", href: act.listAddress(), "aria-keyshortcuts": "Escape" }, "← All incidents and calls");
  if (shown.state !== "ready") {
    const words = shown.state === "loading" ? h("p", { class: "waits", role: "status" }, "Loading…")
      : h("div", { class: "notice red" }, h("h1", null, shown.error.message), h("p", null, shown.error.what_to_do), shown.error.status !== 403 && h("button", { type: "button", on: { click: act.again } }, "Try again"));
    return [h("div", { class: "desk", key: "desk" }, back, words)];
  }
  return [
    h("div", { class: "desk", key: "desk" }, back,
      h("h1", { class: "only-heard" }, "Exports, disclosures, requests for access"),
      h("p", { class: "notice red", role: "alert", hidden: !shown.trouble }, shown.trouble || " "),
      exports(shown, act), register(shown, act), requests(shown, act)),
  ];
}

/** @param {string} id @param {string} title @param {any} more @param {string} empty @param {string[]} columns @param {any[]} rows */
function section(id, title, more, empty, columns, rows) {
  return h("section", { class: "panel found", "aria-labelledby": id },
    h("div", { class: "facts-head" }, h("h2", { id }, title), more),
    !rows.length ? h("p", { class: "empty" }, empty)
      : h("table", null, h("thead", null, h("tr", null, columns.map((name) => h("th", { scope: "col" }, name)))), h("tbody", null, rows)));
}

/** @param {Shown} shown @param {Acts} act */
function exports({ desk, user, zone }, act) {
  const told = h("span", { class: "is-quiet" }, desk.four_eyes ? "A second person approves what leaves the record." : "Open a call and press E to ask for one.");
  return section("exports", "Exports", told, "Nothing was asked for yet.", ["Asked", "What", "Of", "By", "Why", "State", ""],
    desk.exports.map((one) => h("tr", { key: one.id },
      h("td", { class: "when" }, dayTime(utcMs(one.asked), zone)),
      h("td", null, WHATS[one.what] ?? one.what),
      h("td", null, h("a", { href: one.call ? `#call=${encodeURIComponent(one.call)}` : `#incident=${encodeURIComponent(one.incident)}` }, one.call ?? one.incident)),
      h("td", null, one.by, one.approved_by && h("span", { class: "is-quiet" }, `, approved by ${one.approved_by}`)),
      h("td", null, one.reason || "the reason was erased", one.covered ? h("small", null, ` Covered: ${one.covered}.`) : null),
      h("td", null, badge(one.state), one.all ? ` ${one.done} of ${one.all} files` : "", one.failed && h("span", { class: "is-red" }, ` ${one.failed}`)),
      h("td", null, deed(one, user, act)))));
}

/** @param {any} one @param {string} user @param {Acts} act */
function deed(one, user, act) {
  if (one.state === "waiting") {
    return one.by === user ? h("span", { class: "is-quiet" }, "another person approves it")
      : h("button", { type: "button", on: { click: () => act.approve(one.id) } }, "Approve");
  }
  const mine = !one.approved_by || [one.by, one.approved_by].includes(user);
  return one.state === "ready" && mine && h("a", { class: "button", href: `/api/exports/${encodeURIComponent(one.id)}/file`, download: true }, "Fetch");
}

/** @param {Shown} shown @param {Acts} act */
function register({ desk, zone }, act) {
  const more = h("div", { class: "buttons" },
    h("a", { class: "button quiet", href: "/api/disclosures.csv", download: true }, "CSV"),
    h("button", { type: "button", "aria-keyshortcuts": "D", on: { click: act.disclose } }, "Enter a disclosure…"));
  return section("register", "Register of disclosures", more, "Nothing was handed out yet.", ["When", "What", "Incident", "To whom", "By which law", "Why", "By"],
    desk.disclosures.map((one) => h("tr", { key: one.id },
      h("td", { class: "when" }, dayTime(utcMs(one.at), zone)),
      h("td", { title: one.digest || false }, one.what),
      h("td", null, h("a", { href: `#incident=${encodeURIComponent(one.incident)}` }, one.incident)),
      h("td", null, one.recipient || "erased"), h("td", null, one.legal_basis), h("td", null, one.why), h("td", null, one.by))));
}

/** @param {Shown} shown @param {Acts} act */
function requests({ desk, zone }, act) {
  const on = (/** @type {string} */ at) => dayField(utcMs(at), zone); // the month ends at that zone's midnight
  const more = h("button", { type: "button", "aria-keyshortcuts": "Q", on: { click: act.request } }, "Enter a request…");
  return section("requests", "Requests for access", more, "Nobody has asked yet.", ["Due", "Who", "Came", "State", "More", ""],
    desk.requests.map((one) => h("tr", { key: one.id },
      h("td", { class: "when" }, on(one.due)), h("td", null, one.subject || "erased"), h("td", null, on(one.received)),
      h("td", null, badge(one.state)), h("td", null, HOWS.find(([how]) => how === one.how)?.[1] ?? one.how ?? "", one.note ? `: ${one.note}` : ""),
      h("td", null, one.state !== "answered" && h("button", { type: "button", on: { click: () => act.answer(one) } }, "Answer…")))));
}

/** @param {string} state */
function badge(state) {
  const [words, tone] = STATES[state] ?? [state, ""];
  return h("span", { class: `badge ${tone}` }, words);
}
