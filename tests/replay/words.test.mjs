/** The pure parts of the replay: words, timelines, views, searches, keys, reasons, times. */

import assert from "node:assert/strict";
import { test } from "node:test";

const room = new URL("../../callserver/web/console/", import.meta.url);
const load = (name) => import(new URL(name, room).href);
const { WORDS, say } = await load("replay-words.js");
const { timelineOf, withLegs } = await load("replay-timeline.js");
const { labelled, moved, showing, stacked, whole, zoom, shareOf, momentAt, isWhole, NEAREST_MS } = await load("replay-view.js");
const { addressOf, countOf, filtersOf, hashOf, NOTHING, placeOf, searchOf } = await load("replay-search.js");
const { toldOf } = await load("replay-told.js");
const { beginOfDay, clockTime, offset, ticks } = await load("replay-time.js");
const { deed } = await load("replay-keys.js");
const { reasonOf } = await load("replay-dialogs.js");
const { dayAfter, faultOf, standing } = await load("replay-holds.js");

const START = Date.parse("2026-03-01T12:00:00Z");
const LEGS = [
  { id: "c.1", role: "point", party: "p" },
  { id: "c.2", role: "operator", party: "anna" },
  { id: "c.3", role: "operator", party: "bert" },
  { id: "c.4", role: "outside", party: "police" },
];
const NAMES = withLegs({ points: { p: "Pier" }, operators: { anna: "Anna" }, parties: { police: "Police" }, outcomes: { safe: "Caller safe" } }, LEGS);

let number = 0;
const fact = (second, kind, body) => ({ number: (number += 1), id: `f-${number}`, at: new Date(START + second * 1000).toISOString(), kind, body });
const leg = (second, id, old, now, termination) => fact(second, "LegMoved", { leg: id, old, new: now, reason: "", termination });
const STORY = [
  fact(0, "CallOpened", { call: "c", incident: "i", point: "p" }),
  fact(0, "LegCreated", { leg: "c.1", call: "c", role: "point", party: "p", inbound: true }),
  fact(0, "LegCreated", { leg: "c.2", call: "c", role: "operator", party: "anna", inbound: false }),
  leg(1, "c.2", "dialling", "ringing"),
  leg(5, "c.2", "ringing", "up"),
  leg(5, "c.1", "arriving", "up"),
  fact(10, "CallHeld", { call: "c", held: true, by: "anna" }),
  fact(20, "CallHeld", { call: "c", held: false, by: "anna" }),
  fact(27, "LineChanged", { leg: "c.1", sounding: false, silent_ms: 2000 }),
  fact(28, "LineChanged", { leg: "c.1", sounding: true, silent_ms: 3000 }),
  leg(60, "c.1", "up", "ended", { kind: "normal", by: "party", reason: "hung up", status: 0 }),
  fact(80, "OutcomeRecorded", { incident: "i", outcome: "safe", by: "anna", note: "calm" }),
  fact(4000, "Listened", { call: "c", by: "otto", reason: "review", first_byte: 0 }),
];
const CALL = { started: new Date(START).toISOString(), ended: new Date(START + 61_000).toISOString(), legs: LEGS };
const SOUND = { began: new Date(START + 500).toISOString(), duration_ms: 60_000 };

test("every word is for a person: no ids where there are names, no raw kinds", () => {
  const told = STORY.map((one) => say(one, NAMES));
  assert.deepEqual(told.filter(({ title }) => /[A-Z][a-z]+[A-Z]|anna|c\.\d/.test(title)), []);
  assert.equal(say(STORY[0 + 11], NAMES).title, "Outcome: Caller safe");
  assert.equal(say(STORY[11], NAMES).detail, "by Anna: calm");
  assert.equal(say(STORY[4], NAMES).title, "Anna answered");
  assert.equal(say(STORY[10], NAMES).title, "The caller hung up");
});

test("every kind says something", () => {
  const given = { leg: "c.1", new: "up", operators: ["anna"], open: [], points: ["p"], operator: "anna", by: "anna", duration_ms: 1, losses_ms: 0, silent_ms: 0, step_ms: 0, review_utc_ns: 1, spans: [[0, 1000]], bytes: [[0, 1]], changed: [] };
  const body = new Proxy(given, { get: (known, key) => (key in known ? known[key] : `<${String(key)}>`) });
  for (const kind of Object.keys(WORDS)) {
    const { title } = say(fact(0, kind, body), NAMES);
    assert.ok(title.length > 3 && !title.includes("undefined"), `${kind}: ${title}`);
  }
});

test("a kind of a newer service is told by its name and kept out of the way", () => {
  assert.deepEqual(say(fact(0, "MoonRisen", {}), NAMES), { title: "Moon Risen", minor: true });
});

test("ends are told by whose doing they were", () => {
  const title = (kind, by, role = "c.2") => say(leg(0, role, "up", "ended", { kind, by, reason: "", status: 0 }), NAMES).title;
  assert.equal(title("normal", "us"), "Anna was let go");
  assert.equal(title("normal", "party"), "Anna hung up");
  assert.equal(title("cancelled", "party", "c.1"), "The caller gave up before an answer");
  assert.equal(title("lost", "party", "c.4"), "Police was lost: the line died");
  assert.equal(title("nonsense", "party"), "Anna is gone, nobody knows why");
});

test("spans lie to scale: waiting, ringing, talking, on hold, silent", () => {
  const { spans } = timelineOf(CALL, STORY, NAMES, SOUND, 0);
  const of = (kind, lane) => spans.filter((one) => one.kind === kind && one.lane === lane).map((one) => [(one.from_ms - START) / 1000, (one.to_ms - START) / 1000]);
  assert.deepEqual(of("waiting", "caller"), [[0, 5]]);
  assert.deepEqual(of("up", "caller"), [[5, 60]]);
  assert.deepEqual(of("hold", "caller"), [[10, 20]]);
  assert.deepEqual(of("silent", "caller"), [[25, 28]]);
  assert.deepEqual(of("ringing", "operator"), [[1, 5]]);
  assert.deepEqual(of("up", "operator"), [[5, 61]]);
});

test("a timeline begins with the press, holds the outcome where it came soon, and leaves the rest for afterwards", () => {
  const line = timelineOf(CALL, STORY, NAMES, SOUND, 0);
  assert.equal(line.from_ms, START);
  assert.equal(line.began_ms, START + 500);
  assert.ok(line.to_ms > START + 80_000 && line.to_ms < START + 90_000);
  assert.deepEqual(line.marks.filter((one) => one.after).map((one) => one.kind), ["Listened"]);
  const late = timelineOf(CALL, [...STORY.slice(0, 11), fact(600, "OutcomeRecorded", { incident: "i", outcome: "safe", by: "anna" })], NAMES, SOUND, 0);
  assert.equal(late.to_ms, START + 61_000);
  assert.deepEqual(line.lanes, ["caller", "operator"]);
});

test("an old recording begins with the point's leg, and a call that goes on ends now", () => {
  assert.equal(timelineOf(CALL, STORY, NAMES, { ...SOUND, began: null }, 0).began_ms, START);
  const going = timelineOf({ ...CALL, ended: null }, STORY.slice(0, 6), NAMES, null, START + 30_000);
  assert.deepEqual([going.began_ms, going.to_ms], [null, START + 30_000]);
});

test("zooming keeps the moment in its place and never leaves the call", () => {
  const all = whole(0, 100_000);
  const near = zoom(all, 2, 25_000);
  assert.equal(near.to_ms - near.from_ms, 50_000);
  assert.equal(shareOf(near, 25_000), 0.25);
  assert.equal(momentAt(near, 0.25), 25_000);
  assert.ok(isWhole(zoom(near, 0.1, 0)) && !isWhole(near));
  const nearest = Array(20).fill(0).reduce((view) => zoom(view, 2, 99_999), all);
  assert.equal(Math.round(nearest.to_ms - nearest.from_ms), NEAREST_MS);
  assert.ok(nearest.to_ms <= 100_000);
  assert.equal(moved(near, -9).from_ms, 0);
  assert.equal(showing(near, 30_000), near);
  assert.ok(showing(near, 90_000).to_ms >= 90_000);
  assert.deepEqual(zoom(whole(0, 500), 4, 100), { ...whole(0, 500) });
});

test("no label lies over another, and those of weight come first", () => {
  const moments = [0, 10, 20, 30].map((at_ms, place) => ({ at_ms, rank: place === 3 ? 0 : 1 }));
  const placed = labelled(moments, whole(0, 100), 100, 2, () => 40);
  assert.deepEqual(placed.map(({ row }) => row), [1, null, null, 0]);
  const [edge] = labelled([{ at_ms: 95, rank: 0 }], whole(0, 100), 100, 1, () => 40);
  assert.ok(edge.left);
  assert.deepEqual(labelled([{ at_ms: 200, rank: 0 }], whole(0, 100), 100, 1, () => 40), []);
});

test("spans at once stand in rows below each other", () => {
  const rows = stacked([{ from_ms: 0, to_ms: 10 }, { from_ms: 5, to_ms: 8 }, { from_ms: 9, to_ms: 12 }, { from_ms: 10, to_ms: 11 }]);
  assert.deepEqual(rows.map(({ row }) => row), [0, 1, 1, 0]);
});

test("an address leads to a call, an incident or a search, and back", () => {
  assert.deepEqual(placeOf("#call=a%2Fb"), { call: "a/b" });
  assert.deepEqual(placeOf("#incident=i1"), { incident: "i1" });
  const search = { ...NOTHING, what: "calls", q: "lost child & dog", outcome: "safe" };
  assert.deepEqual(placeOf(`#${hashOf(search)}`), { search });
  assert.equal(hashOf(NOTHING), "");
  assert.deepEqual(placeOf("#what=moons&x=1"), { search: NOTHING });
  assert.equal(countOf(search), 1);
});

test("a page of a search is asked for by the filters that are set", () => {
  const search = { ...NOTHING, what: "calls", q: "  ", from: "2026-10-25", days: "", open: "true", min_wait_s: "60" };
  assert.equal(addressOf(search, 77), "/api/calls?from=2026-10-25&open=true&min_wait_s=60&limit=51&before=77");
  assert.equal(addressOf(NOTHING, null), "/api/incidents?limit=51");
  assert.deepEqual({ ...searchOf(new URLSearchParams(filtersOf(search))), what: "calls" }, { ...search, q: "" });
});

test("days are those of the plan's zone, also where the clocks change", () => {
  const day = (date, later = 0) => new Date(beginOfDay(date, "Europe/London", later)).toISOString();
  assert.deepEqual([day("2026-07-01"), day("2026-07-01", 1)], ["2026-06-30T23:00:00.000Z", "2026-07-01T23:00:00.000Z"]);
  assert.deepEqual([day("2026-10-25"), day("2026-10-25", 1)], ["2026-10-24T23:00:00.000Z", "2026-10-26T00:00:00.000Z"]);
  assert.equal(beginOfDay("nonsense", "UTC"), null);
});

test("what was looked for is said in words", () => {
  const names = { points: { p1: "Pier" }, operators: { anna: "Anna" }, outcomes: { safe: "Safe and well" } };
  const told = (search, found = null) => toldOf({ ...NOTHING, ...search }, names, found);
  assert.equal(told({ what: "calls", min_wait_s: "60" }, { found: 12, more: false }), "12 calls, waited at least 1 min");
  assert.equal(told({ class: "high", q: "lost  child" }, { found: 1000, more: true }), "More than 1,000 incidents, class High, with “lost”, “child”");
  assert.equal(told({ point: "p1", operator: "anna", outcome: "gone", days: "7", open: "true" }, { found: 1, more: false }),
    "1 incident, open only, at Pier, with Anna, outcome gone, of the last 7 days");
  assert.equal(told({ what: "calls", state: "talking", days: "1", max_length_s: "45" }), "Calls, in the state talking, of today, lasted at most 45 s");
  assert.equal(told({ from: "2026-11-01", to: "2026-11-02", max_wait_s: "5400", min_length_s: "3600" }),
    "Incidents, from 2026-11-01, to 2026-11-02, waited at most 1 h 30 min, lasted at least 1 h");
});

test("times read as a clock does", () => {
  assert.deepEqual([0, 7_340, 60_000, 3_723_500, -300, -20].map((ms) => offset(ms)), ["0:00.0", "0:07.3", "1:00.0", "1:02:03.5", "−0:00.3", "0:00.0"]);
  assert.equal(offset(59_960, false), "1:00");
  assert.equal(clockTime(Date.parse("2026-07-01T00:00:05Z"), "Europe/London"), "01:00:05");
  assert.deepEqual(ticks(500, 61_000, 500, 5), [500, 15_500, 30_500, 45_500, 60_500]);
  assert.ok(ticks(0, 40 * 3600e3, 0, 10).length <= 11);
});

test("keys act on their own page only, never while somebody types or a dialog is open", () => {
  const press = (key, more = {}) => ({ key, shift: false, other: false, typing: false, on_button: false, in_dialog: false, repeat: false, ...more });
  assert.equal(deed("call", press(" ")), "toggle");
  assert.equal(deed("list", press(" ")), null);
  assert.equal(deed("call", press("ArrowLeft", { shift: true })), "back-1");
  assert.equal(deed("call", press("F")), "whole");
  assert.equal(deed("call", press("ArrowLeft", { repeat: true })), "back-5");
  for (const more of [{ typing: true }, { in_dialog: true }, { other: true }, { on_button: true }, { repeat: true }]) {
    assert.equal(deed("call", press(" ", more)), null);
  }
  assert.equal(deed("list", press("j")), "down");
  assert.equal(deed("list", press("?")), "keys");
});

test("a reason is one line, and another reason needs words", () => {
  assert.equal(reasonOf("Complaint", "  4711 \n b "), "Complaint: 4711 b");
  assert.equal(reasonOf("Complaint", ""), "Complaint");
  assert.equal(reasonOf("Another reason", "lost keys"), "lost keys");
  assert.equal(reasonOf("Another reason", " "), "");
  assert.equal(reasonOf("", ""), "");
  assert.ok(reasonOf("Complaint", "x".repeat(9999)).length <= 500);
});

test("a hold needs a reason and a day to come", () => {
  const now = Date.parse("2026-03-01T23:30:00Z");
  assert.equal(dayAfter(now, 1), "2026-03-02");
  assert.equal(faultOf("a case", "2026-03-02", now), "");
  assert.match(faultOf("  ", "2026-03-02", now), /why/);
  for (const review of ["", "2026-03-01", "2026-02-28"]) {
    assert.match(faultOf("a case", review, now), /day to come/);
  }
  const holds = [{ hold: "h1", lifted: "2026-03-01T00:00:00Z" }, { hold: "h2", lifted: null }];
  assert.deepEqual([standing(holds).map((one) => one.hold), standing(null)], [["h2"], []]);
  assert.equal(deed("call", { key: "H", shift: true, other: false, typing: false, on_button: false, in_dialog: false, repeat: false }), "hold");
});

test("what is gone says by which rule, or who asked", () => {
  const gone = (rule) => say(fact(0, "RecordingDeleted", { call: "c", files: [], captures: [], rule, by: "sue" }), NAMES).detail;
  assert.deepEqual([gone("prank"), gone("request")], ["by the rule “prank”", "on request, by sue"]);
});
