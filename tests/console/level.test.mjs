// What the archivist hears of a conversation, as the console says it; and the disks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fillingDisk, levelOf } from "../../callserver/web/console/select-level.js";
import { inCall, leg } from "./play.mjs";

const POINT = leg("l1", "point", "up");
const GOOD = { rms: -24, peak: -9, clipped: 0, state: "good", why: "" };
const heard = (level, measured_ms = 1) => inCall({ legs: [POINT] }).change({ "sound/c-i1": { call: "c-i1", measured_ms, legs: { l1: level } } });
const said = (level, measured_ms) => {
  const play = heard(level, measured_ms);
  return levelOf(play.state, play.state.board.call["c-i1"], POINT);
};

test("a side whose sound is on the disk says so with its level", () => {
  assert.deepEqual(said(GOOD), { db: -24, sounds: true, word: "recorded", tone: "green" });
});

test("whoever has not spoken yet is no fault", () => {
  assert.deepEqual(said({ ...GOOD, rms: -66, state: "quiet" }), { db: -60, sounds: false, word: "no sound yet", tone: "quiet" });
  assert.deepEqual(said({ ...GOOD, state: "listening" }).word, "no sound yet");
});

test("a doubt is red and says what it is", () => {
  const words = ["nothing", "not-written", "unreadable", "dead", "random", "law", "static", "overload", "copy"].map((why) => said({ ...GOOD, state: "doubtful", why }));
  assert.ok(words.every((one) => one.tone === "red" && one.word.length > 4));
  assert.equal(said({ ...GOOD, state: "doubtful", why: "dead" }).word, "dead silence");
});

test("clipping is said while it lasts", () => {
  assert.deepEqual(said({ ...GOOD, rms: -4, clipped: 3 }), { db: -4, sounds: true, word: "clipping", tone: "amber" });
});

test("what nobody measured in the last seconds is not shown as if it were of now", () => {
  assert.deepEqual(said(GOOD, null), { db: null, sounds: false, word: "not measured", tone: "amber" });
});

test("nothing is said where there is no conversation, or of a leg that is not up or not known yet", () => {
  const play = inCall({ legs: [POINT] });
  assert.equal(levelOf(play.state, play.state.board.call["c-i1"], POINT), null);
  const other = heard(GOOD);
  assert.equal(levelOf(other.state, other.state.board.call["c-i1"], leg("l2", "operator", "up")), null);
  assert.equal(levelOf(other.state, other.state.board.call["c-i1"], { ...POINT, state: "ending" }), null);
  other.change({ "sound/c-i1": null });
  assert.equal(levelOf(other.state, other.state.board.call["c-i1"], POINT), null);
});

test("the disk that is full first is named within two weeks, and not before", () => {
  const disk = (id, hours_left) => ({ id, free_bytes: 1, total_bytes: 2, bytes_per_hour: 1, hours_left, measured_ms: 1 });
  const play = inCall({ legs: [POINT] });
  assert.equal(fillingDisk(play.state), "");
  play.change({ "disk/data": disk("data", null), "disk/spool": disk("spool", 400) });
  assert.equal(fillingDisk(play.state), "");
  play.change({ "disk/data": disk("data", 41.5), "disk/captures": disk("captures", 100) });
  assert.equal(fillingDisk(play.state), "Disk full in 41 h");
});
