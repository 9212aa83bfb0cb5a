/** The pure parts of the auditor's desk: what is typed, what is sent, what is shown. */

import assert from "node:assert/strict";
import { test } from "node:test";

const room = new URL("../../callserver/web/console/", import.meta.url);
const load = (name) => import(new URL(name, room).href);
const { secondsOf, spansOf, startOf, wishOf } = await load("replay-exports.js");
const { markLinks, pageOf } = await load("replay-nav.js");
const { deskView } = await load("replay-desk.js");
const { deed } = await load("replay-keys.js");
const { placeOf } = await load("replay-search.js");

const CALL = { id: "i/1.1", incident: "i/1" };
const EXPORT = {
  id: "e1", what: "pack", incident: "i1", call: null, state: "waiting", what_to_do: "", by: "olive", reason: "the police ask",
  asked: "2026-03-01T12:00:00.000Z", approved_by: null, needs_approval: true, made: null, digest: null, failed: null, fetched: 0, done: null, all: null,
};
const REQUEST = { id: "a1", subject: "Jane Doe", received: "2026-01-31T10:00:00Z", due: "2026-02-28T10:00:00Z", state: "late", answered: null, how: null, note: null, by: "olive" };
const ACTS = { approve() {}, disclose() {}, request() {}, answer() {}, again() {}, listAddress: () => "#" };

/** Every description below one, itself first. */
function* all(node) {
  yield node;
  for (const child of node?.children ?? []) {
    yield* all(child);
  }
}

const words = (node) => [...all(node)].filter((one) => typeof one === "string").join(" ");
const found = (nodes, tag) => nodes.flatMap((one) => [...all(one)]).filter((one) => one.tag === tag);

function shown(exports, user = "paul", { zone = "UTC", ...more } = {}) {
  const desk = { exports, four_eyes: true, disclosures: [], requests: [], ...more };
  return deskView({ state: "ready", error: null, trouble: "", desk, user, zone }, ACTS);
}

test("spans are typed in seconds", () => {
  assert.deepEqual(spansOf(""), []);
  assert.deepEqual(spansOf(" 12.0-15.5, 20 – 21.125 ,"), [[12_000, 15_500], [20_000, 21_125]]);
  for (const wrong of ["12", "15-12", "5-5", "a-b", "1-2-3", "-1-2", "1-2;3-4"]) {
    assert.equal(spansOf(wrong), null, wrong);
  }
});

test("each wish goes to its own address", () => {
  const given = { reason: "why", spans: "1-2", party: "point", cover: "tone", earlier: "kept" };
  const wish = (kind) => wishOf(CALL, { ...given, kind });
  assert.deepEqual(wish("pack"), { path: "/api/incidents/i%2F1/pack", body: { reason: "why", redacted: false } });
  assert.deepEqual(wish("redacted-pack"), { path: "/api/incidents/i%2F1/pack", body: { reason: "why", redacted: true } });
  assert.deepEqual(wish("recording"), { path: "/api/calls/i%2F1.1/export", body: { reason: "why" } });
  assert.deepEqual(wish("redaction"), { path: "/api/calls/i%2F1.1/redaction", body: { reason: "why", spans_ms: [[1000, 2000]], party: "point", cover: "tone", alone: false } });
});

test("who asked is not offered to approve, and another person is", () => {
  const buttons = (user) => found(shown([EXPORT], user), "button").map(words);
  assert.ok(buttons("paul").includes("Approve"));
  assert.ok(!buttons("olive").includes("Approve"));
  assert.match(words(shown([EXPORT], "olive")[0]), /another person approves it/);
});

test("what is ready is fetched by the two who may, and what was free by anybody", () => {
  const fetches = (user, more) => found(shown([{ ...EXPORT, state: "ready", ...more }], user), "a").filter((one) => words(one) === "Fetch").map((one) => one.props.href);
  assert.deepEqual(fetches("olive", { approved_by: "paul" }), ["/api/exports/e1/file"]);
  assert.deepEqual(fetches("paul", { approved_by: "paul" }), ["/api/exports/e1/file"]);
  assert.deepEqual(fetches("quentin", { approved_by: "paul" }), []);
  assert.deepEqual(fetches("quentin", { approved_by: null }), ["/api/exports/e1/file"]);
});

test("how far it is and why it failed are told", () => {
  assert.match(words(shown([{ ...EXPORT, state: "queued", done: 3, all: 9 }])[0]), /is being made\s+3 of 9 files/);
  assert.match(words(shown([{ ...EXPORT, state: "failed", failed: "the key is gone" }])[0]), /failed\s+the key is gone/);
});

test("erased texts are told as erased, and a late request is red", () => {
  const entry = { id: "d1", at: "2026-03-01T12:00:00.000Z", incident: "i1", what: "the pack", digest: "", recipient: "", legal_basis: "an order", why: "", by: "olive" };
  const page = shown([{ ...EXPORT, reason: "" }], "paul", { disclosures: [entry], requests: [REQUEST, { ...REQUEST, id: "a2", state: "answered", subject: "", how: "given" }] });
  assert.match(words(page[0]), /the reason was erased/);
  const late = found(page, "span").filter((one) => words(one) === "late");
  assert.equal(late[0].props.class, "badge is-red");
  assert.equal(found(page, "button").filter((one) => words(one) === "Answer…").length, 1);
});

test("days of a request are those of the plan's zone, in what is typed and in what is shown", () => {
  assert.equal(startOf("2026-11-10", "America/New_York"), "2026-11-10T05:00:00.000Z");
  assert.equal(startOf("2026-07-10", "Europe/London"), "2026-07-09T23:00:00.000Z");
  const request = { ...REQUEST, received: "2026-11-10T05:00:00Z", due: "2026-12-11T04:59:59Z" };
  const cells = (zone) => found(shown([], "paul", { zone, requests: [request] }), "td").map(words);
  assert.deepEqual([cells("America/New_York")[0], cells("America/New_York")[2]], ["2026-12-10", "2026-11-10"]);
  assert.deepEqual([cells("UTC")[0], cells("UTC")[2]], ["2026-12-11", "2026-11-10"]);
});

test("an answer is told in words", () => {
  const page = shown([], "paul", { requests: [{ ...REQUEST, state: "answered", how: "nothing-held", note: "looked everywhere" }] });
  assert.match(words(page[0]), /Nothing is held\s+: looked everywhere/);
});

test("a span that was chosen is typed already, and is read as it was", () => {
  assert.equal(secondsOf(null), "");
  assert.equal(secondsOf([12_090, 15_520]), "12.0-15.6");
  assert.deepEqual(spansOf(secondsOf([12_000, 15_500])), [[12_000, 15_500]]);
});

test("who may not read a page is not led there, and the link of the page that is open says so", () => {
  const link = (href) => ({ href, hidden: false, current: null, getAttribute: () => href, setAttribute(_, value) { this.current = value; }, removeAttribute() { this.current = null; } });
  const links = ["/", "/replay", "/replay#desk", "/replay#looks", "/replay#sample"].map(link);
  const marked = (hash, role) => {
    markLinks(links, hash, role);
    return [links.filter((one) => !one.hidden).map((one) => one.href), links.filter((one) => one.current).map((one) => one.href)];
  };
  assert.deepEqual(marked("#desk", "auditor"), [["/", "/replay", "/replay#desk", "/replay#looks", "/replay#sample"], ["/replay#desk"]]);
  assert.deepEqual(marked("#looks&by=anna", "administrator"), [["/", "/replay", "/replay#looks"], ["/replay#looks"]]);
  assert.deepEqual(marked("#call=1&sample=2026-10", "operator"), [["/", "/replay"], ["/replay"]]);
  assert.equal(pageOf("#what=calls&q=sample"), "");
  assert.equal(pageOf("#looks&call=i.1"), "looks");
});

test("the desk has an address and keys of its own", () => {
  assert.deepEqual(placeOf("#desk"), { desk: true });
  assert.deepEqual(placeOf("#desk="), { desk: true });
  const press = (key, more = {}) => ({ key, shift: false, other: false, typing: false, on_button: false, in_dialog: false, repeat: false, ...more });
  assert.deepEqual(["d", "q", "r", "j", "Escape"].map((key) => deed("desk", press(key))), ["disclose", "request", "again", "down", "list"]);
  assert.equal(deed("list", press("e")), "desk");
  assert.equal(deed("call", press("e")), "export");
  assert.equal(deed("call", press("e", { typing: true })), null);
  assert.equal(deed("desk", press("d", { in_dialog: true })), null);
});
