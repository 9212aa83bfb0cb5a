/** The pure parts of the quality sample's page. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { deed } from "../../callserver/web/console/replay-keys.js";
import { callAddress, criteriaOf, monthAfter, monthName, sampleView } from "../../callserver/web/console/replay-sample.js";
import { placeOf } from "../../callserver/web/console/replay-search.js";
import { pointsOf, sheetView } from "../../callserver/web/console/replay-sheet.js";

const CRITERIA = [{ id: "calm", text: "Stayed calm", max: 2 }, { id: "place", text: "Asked where", max: 4 }];
const SAMPLE = {
  month: "2026-11", zone: "Europe/London", end: "2026-12-01T00:00:00Z", drawn: true, calls_per_operator: 2, row: 17, seed: "ab".repeat(32), doubt: "",
  criteria: CRITERIA,
  lines: [{ operator: "ann", answered: 9, drawn: 1, scored: 1, passed_over: 0, means: { calm: { share: 0.5, calls: 1 }, speed: { share: 1, calls: 1 } } }],
  items: [{ call: "a.1", operator: "ann", point: "p", started: "2026-11-03T10:00:00Z", state: "to-do", sheets: [] }],
};
const NAMES = { operators: { ann: "Ann" }, points: { p: "Taxi rank" } };
const ACTS = { turn: () => {}, again: () => {}, listAddress: () => "#" };

/** All text of a description, in order. */
function textOf(/** @type {any} */ node) {
  return typeof node === "string" ? node : Array.isArray(node) ? node.map(textOf).join("") : textOf(node.children);
}

const shown = (/** @type {any} */ more, now_ms = 0) => textOf(sampleView(/** @type {any} */ ({ state: "ready", error: null, sample: { ...SAMPLE, ...more }, names: NAMES, now_ms }), ACTS));

test("months follow one another over the turn of a year", () => {
  assert.deepEqual([monthAfter("2026-12", 1), monthAfter("2027-01", -1), monthName("2026-11")], ["2027-01", "2026-12", "November 2026"]);
});

test("a drawn call's address leads to the call and remembers its month", () => {
  assert.deepEqual(placeOf(callAddress("a/b.1", "2026-11")), { call: "a/b.1", sample: "2026-11" });
  assert.deepEqual(placeOf("#sample"), { sample: "" });
  assert.deepEqual(placeOf("#sample=2026-10"), { sample: "2026-10" });
});

test("a criterion that did not arise has no points", () => {
  assert.deepEqual(pointsOf({ calm: "0", place: "", comment: "x" }, CRITERIA), { calm: 0 });
});

test("criteria of older sheets keep their column", () => {
  assert.deepEqual(criteriaOf(/** @type {any} */ (SAMPLE)).map(({ id }) => id), ["calm", "place", "speed"]);
});

test("every mean says over how many calls, and what is to do is counted", () => {
  const text = shown({});
  assert.match(text, /50 % of 1/);
  assert.match(text, /1 to do/);
  assert.doesNotMatch(text, /best|worst|place \d/i);
});

test("a month that goes on says from when the draw stands, one that is over that it comes, one that is off why", () => {
  assert.match(shown({ drawn: false, items: [] }, Date.parse("2026-11-20T00:00:00Z")), /The draw stands from Tue,? 1 Dec/);
  assert.match(shown({ drawn: false, items: [] }, Date.parse("2026-12-01T00:00:10Z")), /not drawn yet/);
  assert.match(shown({ drawn: false, items: [], lines: [] }, Date.parse("2026-12-01T00:00:10Z")), /Nobody answered a call in that month/);
  assert.match(shown({ drawn: false, items: [], calls_per_operator: 0 }), /wants none/);
});

test("a seed that is not the journal's is said aloud", () => {
  assert.match(shown({ doubt: "the seed is not the hash of row 17" }), /not what the journal draws: the seed is not the hash of row 17/);
});

test("who was in the call gets no sheet to fill in, nor has a call that was not drawn one", () => {
  const acts = /** @type {any} */ ({});
  const standing = { call: "a.1", month: "2026-11", drawn: true, refused: "", criteria: CRITERIA, sheets: [] };
  const of = (/** @type {any} */ more) => textOf(sheetView({ standing: { ...standing, ...more }, error: null, given: {}, trouble: "", zone: "UTC" }, acts));
  assert.match(of({}), /Enter the sheet/);
  assert.doesNotMatch(of({ refused: "whoever was in the call does not judge it" }), /Enter the sheet/);
  assert.match(of({ drawn: false }), /not drawn for the sample of November 2026/);
});

test("the sample has its keys, and typing in the sheet presses none", () => {
  const press = { key: "g", shift: false, other: false, typing: false, on_button: false, on_slider: false, in_dialog: false, repeat: false };
  assert.equal(deed("call", press), "sheet");
  assert.equal(deed("call", { ...press, typing: true }), null);
  assert.equal(deed("list", { ...press, key: "m" }), "sample");
  assert.deepEqual(["n", "p", "Escape", "j"].map((key) => deed("sample", { ...press, key })), ["month-after", "month-before", "list", "down"]);
});
