// Keys: one each, only where they make sense, never while somebody types.

import assert from "node:assert/strict";
import { test } from "node:test";

import { SHOWN, deed } from "../../callserver/web/console/keys.js";
import { RING, inCall, incident, operator, seated } from "./play.mjs";

const PRESS = { typing: false, repeat: false, alt: false, other: false, on_button: false };
const on = (play, key, more = {}) => deed(play.state, { ...PRESS, key, ...more })?.what;

test("Space and F2 answer while it rings, F2 also while somebody types", () => {
  const play = seated().tell(RING);
  assert.equal(on(play, " "), "answer");
  assert.equal(on(play, " ", { on_button: true }), "answer");
  assert.equal(on(play, " ", { typing: true }), undefined);
  assert.equal(on(play, "F2", { typing: true }), "answer");
  assert.equal(on(seated(), " "), undefined);
});

test("in a call each deed has its key, upper case or lower", () => {
  const found = [..."mhpoxnMHPOXN"].map((key) => on(inCall(), key));
  const wanted = ["mute", "hold", "party", "parties", "hang-up", "focus-note"];
  assert.deepEqual(found, [...wanted, ...wanted]);
});

test("no key acts while somebody types, holds it down, or presses it with Ctrl", () => {
  for (const more of [{ typing: true }, { repeat: true }, { other: true }, { alt: true }]) {
    assert.deepEqual([..."mhpox"].map((key) => on(inCall(), key, more)), Array(5).fill(undefined), JSON.stringify(more));
  }
});

test("a call's keys do nothing without a call", () => {
  assert.deepEqual([..."mhpox"].map((key) => on(seated(), key)), Array(5).fill(undefined));
});

test("a digit is an outcome in the wrap-up, and nothing in a call", () => {
  const play = seated({ "operator/mary": operator("mary", "wrap-up", { incident: "i1" }), "incident/i1": incident("i1", "wrap-up") });
  assert.deepEqual(deed(play.state, { ...PRESS, key: "2" }), { type: "act", what: "outcome", incident: "i1", outcome: "police" });
  assert.equal(on(play, "Enter"), "close");
  assert.equal(on(play, "Enter", { on_button: true }), undefined, "Enter on a button is that button's");
  assert.equal(on(inCall(), "2"), undefined);
});

test("digits choose in the lists of reasons and parties", () => {
  assert.deepEqual(deed(seated().act("pause-list").state, { ...PRESS, key: "2" }), { type: "act", what: "pause", reason: "Meal" });
  assert.deepEqual(deed(inCall().act("parties").state, { ...PRESS, key: "2" }), { type: "act", what: "party", party: "civic" });
  assert.equal(on(inCall().act("parties"), "9"), undefined);
});

test("a dialog keeps the keys below it from acting", () => {
  assert.deepEqual([..."mhpx"].map((key) => on(inCall().act("keys"), key)), Array(4).fill(undefined));
});

test("letters can be had with Alt alone", () => {
  const play = inCall().tell({ type: "settings", settings: { single_keys: false } });
  assert.equal(on(play, "m"), undefined);
  assert.equal(on(play, "m", { alt: true }), "mute");
});

test("who answers no calls has the list of keys and nothing else", () => {
  const play = seated();
  const ann = { ...play.state, sign: { ...play.state.sign, person: { user: "ann", role: "auditor", operator: null, name: "Ann" } } };
  assert.deepEqual([..."abus?"].map((key) => deed(ann, { ...PRESS, key })?.what), [undefined, undefined, undefined, undefined, "keys"]);
});

test("every key that acts is shown by the list of keys", () => {
  const shown = SHOWN.flatMap(([, lines]) => lines.flatMap(([key]) => key.toLowerCase().split(" ")));
  for (const key of [..."mhpoxnabus?", "space", "f2", "enter", "esc"]) {
    assert.ok(shown.includes(key), key);
  }
});

test("C opens class and ladder; then a digit is a class, L goes up the ladder, and nothing else acts", () => {
  const play = inCall();
  assert.equal(on(play, "c"), "question");
  play.act("question");
  const key = (name) => deed(play.state, { ...PRESS, key: name });
  assert.deepEqual(key("1"), { type: "act", what: "classify", incident: "i1", class: "emergency" });
  assert.deepEqual(key("4"), { type: "act", what: "classify", incident: "i1", class: "information" });
  assert.deepEqual(key("L"), { type: "act", what: "climb", incident: "i1" });
  assert.deepEqual([key("5"), key("x")], [null, null]);
});

test("the plan's reasons for a pause take the place of the usual ones", () => {
  const pauses = [{ id: "meal", name: "Meal" }, { id: "court", name: "At court" }];
  const play = seated();
  play.change({ service: { ...play.state.board.service, pauses } }).act("pause-list");
  assert.deepEqual(deed(play.state, { ...PRESS, key: "2" }), { type: "act", what: "pause", reason: "court" });
  assert.equal(on(play, "3"), undefined);
});
