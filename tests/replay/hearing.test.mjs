/** The pure parts of listening: spans, silence, levels, what was heard, what is told of it, whose track. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const room = new URL("../../callserver/web/console/", import.meta.url);
const load = (name) => import(new URL(name, room).href);
const { begins, between, EDGE_MS, ends, jump, NO_SPAN, spanOf, spanWords } = await load("replay-loop.js");
const { gapAt, gapsOf, hopWords, QUIET, skipWords } = await load("replay-silence.js");
const { dbWords, gainsFor, levelWords, LEAST_DB, MOST_DB, speechDb, within } = await load("replay-level.js");
const { looked, merged, NOTHING_PLAYED } = await load("replay-played.js");
const { makeTelling, MOST_SPANS } = await load("replay-telling.js");
const { controls } = await load("replay-controls.js");
const { makeDrag } = await load("replay-drag.js");
const { tracksOf, whyNotAlone } = await load("replay-tracks.js");
const { deed, SHOWN } = await load("replay-keys.js");

const LENGTH = 60_000;
const NOISE = 4;
/** The value of a peak, as audio/peaks.py has it. */
const valueOf = (db) => Math.ceil(127 * Math.sqrt(10 ** (db / 20)));
/** A side of tenths of a second: [value, seconds] after each other. */
const side = (...parts) => Uint8Array.from(parts.flatMap(([value, seconds]) => Array(Math.round(seconds * 10)).fill(value)));
const loudness = (...sides) => ({ bucket_ms: 100, length_ms: sides[0].length * 100, sides });

test("a span begins and ends where somebody says, and what cannot be a span is none", () => {
  const begun = begins(NO_SPAN, 10_000);
  assert.deepEqual(spanOf(begun, LENGTH), [10_000, LENGTH]);
  const whole = ends(begun, 12_500);
  assert.deepEqual([spanOf(whole, LENGTH), spanWords(whole, LENGTH)], [[10_000, 12_500], "0:10.0 to 0:12.5"]);
  assert.deepEqual(spanOf(ends(NO_SPAN, 5_000), LENGTH), [0, 5_000]);
  assert.deepEqual([spanOf(NO_SPAN, LENGTH), spanWords(NO_SPAN, LENGTH)], [null, ""]);
  assert.deepEqual(begins({ ...whole, on: true }, 13_000), { in_ms: 13_000, out_ms: null, on: false });
  assert.deepEqual(ends({ ...whole, on: true }, 9_000), { in_ms: null, out_ms: 9_000, on: false });
  assert.equal(begins({ ...whole, on: true }, 11_000).on, true);
  assert.deepEqual(between(NO_SPAN, 7_000, 3_000, LENGTH), { in_ms: 3_000, out_ms: 7_000, on: false });
  assert.deepEqual(between(NO_SPAN, -5_000, 99_000, LENGTH), { in_ms: 0, out_ms: LENGTH, on: false });
  assert.equal(between(NO_SPAN, 3_000, 3_100, LENGTH), null);
});

test("a loop turns back at its end, and lets go who went out of it", () => {
  const loop = { in_ms: 10_000, out_ms: 12_000, on: true };
  const go = (last_ms, at_ms, more = {}) => jump({ last_ms, at_ms, loop, gaps: [], length_ms: LENGTH, ...more });
  assert.equal(go(11_950, 11_990), null);
  assert.deepEqual(go(11_990, 12_010), { to_ms: 10_000, over: null });
  assert.equal(go(9_000, 9_040), null);
  assert.equal(go(20_000, 20_030), null);
  assert.equal(go(11_990, 12_010, { loop: { ...loop, on: false } }), null);
  const last = { in_ms: 50_000, out_ms: null, on: true };
  assert.deepEqual(go(LENGTH - 100, LENGTH - EDGE_MS, { loop: last }), { to_ms: 50_000, over: null });
});

test("silence is where both sides are quiet for longer than a second, less its edges", () => {
  const point = side([40, 2], [NOISE, 5], [40, 1], [NOISE, 0.9], [40, 1]);
  const heard = side([NOISE, 4], [60, 1], [NOISE, 3.9], [60, 1]);
  assert.deepEqual(gapsOf(loudness(point, heard)), [
    { from_ms: 2_200, to_ms: 3_800, missing_ms: 0 },
    { from_ms: 5_200, to_ms: 6_800, missing_ms: 0 },
  ]);
  assert.ok(QUIET < valueOf(-50) && QUIET >= valueOf(-51));
  const whisper = side([valueOf(-49), 9.9]);
  assert.deepEqual(gapsOf(loudness(whisper, heard)), []);
});

test("the beginning and the end of a recording have no edge to keep", () => {
  const quiet = side([NOISE, 3], [50, 1], [NOISE, 3]);
  assert.deepEqual(gapsOf(loudness(quiet)), [{ from_ms: 0, to_ms: 2_800, missing_ms: 0 }, { from_ms: 4_200, to_ms: 7_000, missing_ms: 0 }]);
  assert.deepEqual(gapsOf(loudness(side([NOISE, 1], [50, 1]))), []);
  assert.deepEqual(gapsOf({ bucket_ms: 100, length_ms: 0, sides: [] }), []);
});

test("a stretch without a record is told apart from a silence", () => {
  const point = side([50, 1], [NOISE, 2], [0, 3], [50, 1]);
  const heard = side([NOISE, 7]);
  const [gap] = gapsOf(loudness(point, heard));
  assert.deepEqual(gap, { from_ms: 1_200, to_ms: 5_800, missing_ms: 2_800 });
  assert.equal(skipWords([gap], 2), "Skips 0:04.6 in 1 place, in 0:02.8 of it nothing came from one side or both");
  assert.match(hopWords(gap, 1_200, 1), /^Skipped 0:04.6 in which nothing came$/);
  assert.equal(hopWords({ ...gap, missing_ms: 100 }, 1_800, 2), "Skipped 0:04.0 of silence");
  assert.equal(skipWords([], 2), "No silence to skip");
  assert.equal(skipWords([{ from_ms: 0, to_ms: 1_000, missing_ms: 0 }, { from_ms: 5_000, to_ms: 7_500, missing_ms: 0 }], 2), "Skips 0:03.5 in 2 places");
});

test("a hop goes on right before the next sound, and never twice", () => {
  const gaps = Array.from({ length: 100 }, (_, n) => ({ from_ms: n * 10_000 + 2_000, to_ms: n * 10_000 + 8_000, missing_ms: 0 }));
  for (const [n, gap] of gaps.entries()) {
    assert.equal(gapAt(gaps, gap.from_ms), gap);
    assert.equal(gapAt(gaps, n * 10_000 + 1_999), null);
    assert.equal(gapAt(gaps, gap.to_ms), null);
  }
  const now = { last_ms: 1_990, at_ms: 2_010, loop: NO_SPAN, gaps, length_ms: 1_000_000 };
  assert.deepEqual(jump(now), { to_ms: 8_000, over: gaps[0] });
  assert.equal(jump({ ...now, gaps: [] }), null);
});

test("a loop with silence in it stays a loop", () => {
  const gaps = [{ from_ms: 11_000, to_ms: 15_000, missing_ms: 0 }];
  const at = (last_ms, at_ms, in_ms, out_ms) => jump({ last_ms, at_ms, loop: { in_ms, out_ms, on: true }, gaps, length_ms: LENGTH });
  assert.equal(at(10_990, 11_010, 10_000, 20_000).to_ms, 15_000);
  assert.deepEqual(at(10_990, 11_010, 10_000, 14_000), { to_ms: 10_000, over: null });
  assert.equal(at(12_000, 12_020, 11_500, 14_000), null);
});

test("a whisper is brought up and a shout down, and a bang does not count", () => {
  const whisper = side([NOISE, 30], [valueOf(-38), 5], [NOISE, 30], [127, 0.3]);
  const shout = side([NOISE, 20], [valueOf(-2), 20], [NOISE, 25.3]);
  const [up, down] = gainsFor([whisper, shout]);
  assert.equal(up, MOST_DB);
  assert.ok(down <= -9 && down >= LEAST_DB, down);
  assert.ok(Math.abs(speechDb(whisper) + 38) < 1, speechDb(whisper));
  assert.deepEqual(gainsFor([side([NOISE, 30]), side([0, 30]), side([valueOf(-12), 9])]), [0, 0, 0]);
  const fainter = side([NOISE, 30], [valueOf(-53), 5]);
  assert.equal(gainsFor([fainter])[0], MOST_DB);
});

test("levels are said in words and stay within what is allowed", () => {
  assert.deepEqual([within(99), within(-99), within(3), Object.is(within(-0), 0)], [MOST_DB, LEAST_DB, 3, true]);
  assert.deepEqual([dbWords(14), dbWords(0), dbWords(-3)], ["+14 dB", "0 dB", "−3 dB"]);
  assert.equal(levelWords([14, -3], ["point", "heard"]), "+14 dB point, −3 dB heard");
});

test("what was heard is what passed: not what was skipped, sought, or stood still", () => {
  let played = NOTHING_PLAYED;
  const see = (wall_ms, at_ms, more = {}) => (played = looked(played, { at_ms, wall_ms, rate: 1, sounding: true, ...more }));
  for (let ms = 0; ms <= 1_000; ms += 25) {
    see(ms, 5_000 + ms);
  }
  see(1_010, 6_010, { sounding: false }); // the sound leaves
  for (let ms = 1_050; ms <= 2_050; ms += 25) {
    see(ms, 30_000 + (ms - 1_050) * 2, { rate: 2 });
  }
  see(2_060, 32_020, { sounding: false, rate: 2 });
  see(9_000, 32_020, { sounding: false });
  assert.deepEqual(merged(played.spans), [[5_000, 6_010], [30_000, 32_020]]);
  see(9_100, 32_020);
  see(9_125, 50_000); // nothing plays 18 s in 25 ms
  see(9_150, 49_000); // nor backwards
  assert.deepEqual(merged(played.spans), [[5_000, 6_010], [30_000, 32_020]]);
});

test("a page that runs once a second has heard all of it, and a loop heard twice is one span", () => {
  let played = NOTHING_PLAYED;
  for (let ms = 0; ms <= 10_000; ms += 1_000) {
    played = looked(played, { at_ms: ms * 2, wall_ms: ms, rate: 2, sounding: true });
  }
  assert.deepEqual(merged(played.spans), [[0, 20_000]]);
  assert.deepEqual(merged([[10, 20], [0, 11], [500.4, 700.6], [600, 650], [-3, 1]]), [[0, 20], [500, 701]]);
});

test("a report that does not arrive goes with the next, whoever's it was", async () => {
  let up = false;
  const sent = [];
  const { tell } = makeTelling(async (report) => {
    if (up) {
      sent.push(report);
    }
    if (!up && report.call === "b") {
      throw new TypeError("no network");
    }
    return up;
  });
  await tell({ call: "a", reason: "r", leg: "", spans: [[0, 10]] });
  await tell({ call: "a", reason: "r", leg: "", spans: [[5, 90]] });
  await tell({ call: "b", reason: "r", leg: "b.2", spans: [[0, 10]] });
  up = true;
  await tell({ call: "c", reason: "r", leg: "", spans: [] });
  assert.deepEqual(sent.map(({ call, leg, spans }) => [call, leg, spans]), [["a", "", [[0, 90]]], ["b", "b.2", [[0, 10]]]]);
  await tell({ call: "c", reason: "r", leg: "", spans: [] });
  assert.equal(sent.length, 2);
});

test("no report has more spans than the service takes", async () => {
  const sent = [];
  const { tell } = makeTelling(async (report) => Boolean(sent.push(report.spans.length)));
  await tell({ call: "a", reason: "r", leg: "", spans: Array.from({ length: 450 }, (_, n) => [n * 1_000, n * 1_000 + 500]) });
  assert.deepEqual(sent, [MOST_SPANS, MOST_SPANS, 50]);
});

test("drawing over the waveform chooses, a press that stays is a click", () => {
  const chosen = [];
  const drag = makeDrag((...what) => chosen.push(what));
  const event = (clientX, more = {}) => ({ clientX, button: 0, pointerType: "mouse", pointerId: 1, target: { closest: (name) => name === ".wave" }, currentTarget: { setPointerCapture() {} }, ...more });
  drag.down(event(100), 1_000);
  drag.move(event(102), 1_020);
  drag.up(1_020);
  assert.deepEqual([drag.ended(), chosen], [false, []]);
  drag.down(event(100), 1_000);
  drag.move(event(150), 1_500);
  drag.up(1_600);
  assert.deepEqual([drag.ended(), drag.ended()], [true, false]);
  assert.deepEqual(chosen, [[1_000, 1_500, false], [1_000, 1_600, true]]);
  for (const more of [{ button: 2 }, { pointerType: "touch" }, { target: { closest: () => null } }]) {
    drag.down(event(100, more), 1_000);
    drag.move(event(200), 2_000);
    assert.equal(drag.ended(), false);
  }
});

test("each party with a track is named, one that came twice is numbered", () => {
  const legs = [["c.1", "point", "p"], ["c.2", "operator", "anna"], ["c.3", "operator", "bert"], ["c.4", "outside", "police"], ["c.5", "operator", "anna"]].map(([id, role, party]) => ({ id, role, party }));
  const names = { points: {}, operators: { anna: "Ann", bert: "Bert" }, parties: { police: "Police" }, legs: Object.fromEntries(legs.map((leg) => [leg.id, leg])) };
  const files = Object.fromEntries(["call.flac", "call.peaks", "c.1.flac", "c.2.flac", "c.4.flac", "c.5.flac"].map((name) => [`c/${name}`, ""]));
  assert.deepEqual(tracksOf({ legs, recording: { files } }, names).map(({ leg, name }) => [leg, name]),
    [["", "Whole call"], ["c.1", "The caller"], ["c.2", "Ann"], ["c.4", "Police"], ["c.5", "Ann (2)"]]);
  assert.equal(tracksOf({ legs, recording: null }, names).length, 1);
  assert.match(whyNotAlone({ code: "second-person-needed", message: "", what_to_do: "" }), /Ask for it with E/);
});

test("every key of the player is shown, and stands in the book", async () => {
  const press = (key, more = {}) => ({ key, shift: false, other: false, typing: false, on_button: false, on_slider: false, in_dialog: false, repeat: false, ...more });
  const keys = { i: "loop-in", o: "loop-out", l: "loop", x: "clear-span", s: "skip-silence", v: "level", t: "track-next" };
  const book = await readFile(new URL("../../docs/replay.md", import.meta.url), "utf8");
  const [, shown] = SHOWN.find(([name]) => name === "Listening");
  for (const [key, what] of Object.entries(keys)) {
    assert.equal(deed("call", press(key)), what);
    assert.equal(deed("call", press(key, { repeat: true })), null);
    assert.ok(shown.some(([names]) => names.split(" ").includes(key.toUpperCase())), key);
    assert.match(book, new RegExp(`^\\| [^|]*\\b${key.toUpperCase()}\\b[^|]* \\|`, "m"), key);
  }
  assert.equal(deed("call", press("V", { shift: true })), "level-by-hand");
  assert.equal(deed("call", press("ArrowLeft", { on_slider: true })), null);
  assert.equal(deed("call", press(" ", { on_slider: true })), "toggle");
});

test("the clock is an element of its own, also where the recording arrives while its page is open", () => {
  const page = { player: { solo: "both", rate: 1, playing: false, waiting: false }, sound: { losses_ms: 0 }, soundless: null, hearing: null };
  const act = { deed() {}, clock() {} };
  const clock = controls(page, act).children.find((one) => one.props.class === "where");
  assert.equal(clock.props.attach, act.clock);
  assert.notEqual(clock.key, undefined); // else the element that stood in its place is taken for it, and nobody is told of it
});
