// The words of the console, and what decides how things are shown.

import assert from "node:assert/strict";
import { test } from "node:test";

import { memory } from "../../callserver/web/console/memo.js";
import { points } from "../../callserver/web/console/select.js";
import { placed } from "../../callserver/web/console/view-map.js";
import { classTone, className, clock, count, duration, effort, legWords, list, operatorWords, placeClass, pointWords, roughly } from "../../callserver/web/console/words.js";
import { incident, leg, operator } from "./play.mjs";

test("lengths of time", () => {
  assert.deepEqual([-1, 999, 61_000, 3_600_000, 3_723_000].map(duration), ["0:00", "0:00", "1:01", "1:00:00", "1:02:03"]);
  assert.deepEqual([7000, 720_000, 3_600_000 * 3, 86_400_000 * 4].map(roughly), ["7 s", "12 min", "3 h", "4 days"]);
});

test("the clock is the plan's, on the night when it goes back too", () => {
  assert.equal(clock(Date.UTC(2026, 9, 25, 0, 30), "Europe/London"), "01:30");
  assert.equal(clock(Date.UTC(2026, 9, 25, 1, 30), "Europe/London"), "01:30");
  assert.equal(clock(Date.UTC(2026, 10, 25, 2, 52, 45), "Europe/London", true), "02:52:45");
  assert.equal(clock(Date.UTC(2026, 6, 1, 0, 0), ""), "00:00");
});

test("lists and counts", () => {
  assert.equal(list([]), "");
  assert.equal(list(["Mary"]), "Mary");
  assert.equal(list(["Mary", "Tom", "Priya"]), "Mary, Tom and Priya");
  assert.deepEqual([count(1, "call"), count(2, "call")], ["1 call", "2 calls"]);
});

test("only an emergency is red", () => {
  assert.deepEqual([0, 1, 2, 3].map((priority) => classTone(priority)), ["red", "amber", "blue", "quiet"]);
  assert.equal(classTone(undefined, "emergency"), "red");
  assert.equal(className({ priority: 0 }), "Emergency");
});

test("what legs and operators do is a word and a colour", () => {
  assert.deepEqual(legWords(leg("l", "point", "up"), true), ["on hold", "amber"]);
  assert.deepEqual(legWords(leg("l", "point", "up", { sounding: false }), false), ["line silent", "amber"]);
  assert.deepEqual(legWords(leg("l", "outside", "ringing"), false), ["ringing", "blue"]);
  assert.deepEqual(legWords(leg("l", "point", "up", { one_way: ["out"] }), true), ["cannot hear us", "red"]);
  assert.deepEqual(legWords(leg("l", "operator", "up", { one_way: ["out"] }), false), ["cannot hear the call", "red"]);
  assert.deepEqual(legWords(leg("l", "point", "early", { one_way: ["in"], sounding: false }), false), ["is not heard", "red"]);
  assert.deepEqual(legWords(leg("l", "point", "ending", { one_way: ["in"] }), false), ["leaving", "quiet"]);
  assert.deepEqual(operatorWords(operator("mary", "available", { reachable: false })), ["Available, cannot be reached", "amber"]);
  assert.deepEqual(operatorWords(operator("mary", "paused", { reachable: false })), ["Paused", "amber"]);
});

test("a point of which nothing is known is amber only where the plan expects it to register", () => {
  const point = (more) => ({ id: "p", place: "Market", queue: "", latitude: null, longitude: null, reachable: null, expects_register: true, why: "", since_ms: null, incident: null, ...more });
  assert.deepEqual(pointWords(point({})), ["Never heard of", "amber"]);
  assert.deepEqual(pointWords(point({ expects_register: false })), ["Not expected to register", "faint"]);
  assert.deepEqual(pointWords(point({ expects_register: false, incident: "i" })), ["Open incident", "blue"]);
  assert.deepEqual(pointWords(point({ expects_register: false, reachable: true })), ["Reachable", "green"]);
  assert.deepEqual(pointWords(point({ expects_register: false, reachable: false })), ["Cannot be reached", "red"]);
  const one = (id, more) => [id, point({ id, place: id, ...more })];
  const state = { board: { point: Object.fromEntries([one("spare", { expects_register: false }), one("well", { reachable: true }), one("new", {}), one("calls", { reachable: true, incident: "i" }), one("lost", { reachable: false })]) } };
  assert.deepEqual(points(state).map((each) => each.id), ["lost", "calls", "new", "well", "spare"]);
});

test("what is done about a waiting call", () => {
  assert.equal(effort(incident("i", "waiting"), [], ""), "Nobody free");
  assert.equal(effort(incident("i", "waiting", { presses: 3 }), ["Mary", "Tom"], ""), "Ringing Mary and Tom, pressed 3 times");
  assert.equal(effort(incident("i", "waiting"), ["a", "b", "c"], ""), "Ringing 3 seats");
  assert.equal(effort(incident("i", "waiting"), ["a"], "Police"), "Calling Police");
});

test("a long place is set smaller", () => {
  assert.equal(placeClass("Market Square"), "place");
  assert.equal(placeClass("x".repeat(57)), "place long");
});

test("the map has north above and keeps shapes", () => {
  const point = (id, latitude, longitude) => ({ id, place: id, queue: "", latitude, longitude, reachable: true, expects_register: true, why: "", since_ms: null, incident: null });
  const [north, south, nowhere] = placed([point("n", 54.53, -1.55), point("s", 54.52, -1.55), point("x", null, null)]);
  assert.ok(north.y < south.y);
  assert.equal(nowhere, undefined);
  const spots = placed([point("a", 0, 0), point("b", 0.01, 0.01)]);
  assert.ok(Math.abs(Math.abs(spots[0].x - spots[1].x) - Math.abs(spots[0].y - spots[1].y)) < 0.01);
});

test("a description is made again only when what it is made of changed", () => {
  const kept = memory();
  let made = 0;
  const make = () => ({ tag: "li", key: undefined, props: {}, children: [String((made += 1))] });
  assert.equal(kept("a", [1, "x"], make), kept("a", [1, "x"], make));
  assert.notEqual(kept("a", [1, "x"], make), kept("a", [2, "x"], make));
  assert.equal(made, 2);
});

test("an interrupted call says so before what is done about it", () => {
  const one = { parked: true, presses: 2 };
  assert.equal(effort(one, ["Mary"], ""), "Interrupted. Ringing Mary, pressed 2 times");
  assert.equal(effort({ ...one, parked: false }, [], "Police"), "Calling Police, pressed 2 times");
});
