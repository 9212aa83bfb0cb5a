// The console's views without a browser: a button is there exactly while it can be used.

import assert from "node:assert/strict";
import { test } from "node:test";

import { view } from "../../callserver/web/console/view.js";
import { NOW_MS, RING, call, inCall, incident, leg, operator, seated } from "./play.mjs";

const POINT = leg("l1", "point", "up", { name: "Market Square" });
const ME = leg("l2", "operator", "up", { party: "mary", name: "Mary Webb" });
const POLICE = leg("l3", "outside", "up", { party: "police", name: "Police" });
const TOM = leg("l4", "supervisor", "up", { party: "tom", name: "Tom Ashworth", mode: "private" });

/** All elements of a tag below what is shown. */
function all(play, tag, within = view(play.state, () => undefined, {}, () => undefined)) {
  return within.flatMap((one) => (typeof one === "string" ? [] : [...(one.tag === tag ? [one] : []), ...all(play, tag, one.children)]));
}

function text(one) {
  return typeof one === "string" ? one : one.props["aria-hidden"] ? "" : one.children.map(text).join("");
}

function below(play, name) {
  return [...all(play, "section"), ...all(play, "main"), ...all(play, "ul"), ...all(play, "dialog"), ...all(play, "div")].find((one) => one.props["aria-label"] === name || one.props["aria-labelledby"] === name);
}

const buttons = (play, name) => all(play, "button", [below(play, name)]).map(text);
const hearing = (play) => buttons(play, "Who hears whom");
const having = (play) => buttons(play, "Who has the call");
const rows = (play) => buttons(play, "Who is in the call");

test("alone with the caller there is what can be done with one caller", () => {
  const play = inCall({ legs: [POINT, ME] });
  assert.deepEqual([hearing(play), having(play), rows(play)], [["Mute", "Hold", "Park", "Transfer…"], ["Other party…", "Call Police", "Hang up"], ["Mute"]]);
});

test("with the police in it: private words and leaving, but neither parking nor giving away", () => {
  const play = inCall({ legs: [POINT, ME, POLICE] }).change({ "operator/tom": operator("tom", "off") });
  assert.deepEqual([hearing(play), having(play), rows(play)], [["Mute", "Speak privately"], ["Other party…", "Leave it to Police", "Hang up"], ["Mute", "Mute", "Drop"]]);
});

test("the police that still rings can be dropped and not muted", () => {
  const play = inCall({ legs: [POINT, ME, { ...POLICE, state: "ringing" }] });
  assert.deepEqual([rows(play), having(play)[1]], [["Mute", "Drop"], "Police"]);
});

test("a colleague who was asked can be handed the call; a supervisor who listens is seen and not touched", () => {
  const play = inCall({ legs: [POINT, ME, TOM] });
  assert.deepEqual([hearing(play)[1], rows(play)], ["Let the caller hear", ["Mute", "Hand over", "Mute", "Drop"]]);
  const heard = inCall({ legs: [POINT, ME, { ...TOM, mode: "listen" }] });
  assert.deepEqual([hearing(heard)[1], rows(heard)], ["Hold", ["Mute"]]);
  assert.match(text(below(heard, "Who is in the call")), /Tom Ashworthlistens/);
});

test("a device that is about to end the call is counted down, with the way out", () => {
  const play = inCall({ legs: [{ ...POINT, limit_ms: NOW_MS + 42_000 }, ME] });
  const shown = all(play, "p").map(text).find((one) => one.includes("device ends"));
  assert.match(shown, /in 0:4[23]\.Call back now/);
});

test("heads of lists have their button while this seat is free, and there is something to do", () => {
  const free = { "operator/mary": operator("mary", "available"), "point/p1": { id: "p1", place: "Market Square", queue: "town", latitude: null, longitude: null, reachable: true, expects_register: true, why: "", since_ms: null, incident: "i1" } };
  assert.deepEqual([buttons(seated(free), "waiting-title"), buttons(seated(free), "points-title")], [[], ["Call…"]]);
  const waits = { "incident/i1": incident("i1", "waiting", { parked: true, by_hand: true, prefers: "tom", recall_ms: NOW_MS + 90_000 }) };
  const play = seated(free, waits);
  assert.deepEqual(buttons(play, "waiting-title"), ["Take…", "⋯"]);
  assert.match(text(below(play, "waiting-title")), /Parked, 1:3\d left/);
  play.change({ "operator/mary": operator("mary", "off") });
  assert.deepEqual([buttons(play, "waiting-title"), buttons(play, "points-title")], [["⋯"], []]);
});

test("the list of what can be taken says how each waits", () => {
  const left = call("c-i2", { state: "talking", legs: [POINT, POLICE] });
  const play = seated({ "operator/mary": operator("mary", "available"), "call/c-i2": left, "incident/i1": incident("i1", "waiting", { parked: true, by_hand: true, prefers: "tom", recall_ms: NOW_MS + 90_000 }), "incident/i2": incident("i2", "attended", { place: "Bondgate" }) });
  play.act("take-list");
  const dialog = all(play, "dialog")[0];
  const found = all(play, "button", [dialog]).map(text);
  assert.match(found[1], /Market SquareEmergency · parked by Tom Ashworth, offered again in 1:3/);
  assert.match(found[2], /BondgateEmergency · with Police/);
});

test("a called point's ring says so, and its call that it was called", () => {
  const play = seated({ "operator/mary": operator("mary", "available") }).tell({ ...RING, called_out: true });
  assert.match(all(play, "p").map(text).join(" "), /You call this point/);
  const talk = inCall({ legs: [POINT, ME] }).change({ "incident/i1": incident("i1", "attended", { operator: "mary", called_by: "mary" }) });
  assert.match(all(talk, "p").map(text).join(" "), /called at/);
});

test("giving away offers only the ways that are possible", () => {
  const asks = inCall({ legs: [POINT, ME, POLICE] }).act("transfer");
  assert.deepEqual(all(asks, "dialog").flatMap((one) => all(asks, "button", [one]).map(text)), ["Back", "Tom Ashworth"]);
  const both = inCall({ legs: [POINT, ME] }).act("transfer");
  assert.deepEqual(all(both, "dialog").flatMap((one) => all(both, "button", [one]).map(text)), ["Back", "Ask first", "Without asking", "Tom Ashworth"]);
});

test("a seat in a colleague's call is shown as that, and not as available", () => {
  const listening = call("c-i9", { state: "talking", operator: "mary", legs: [POINT, ME, { ...TOM, mode: "listen" }] });
  const play = seated({ "call/c-i9": listening, "incident/i9": incident("i9", "attended"), "operator/mary": operator("mary", "talking", { call: "c-i9", incident: "i9" }) });
  assert.match(text(below(play, "seats-title")), /0 available/);
  assert.match(text(below(play, "seats-title")), /Tom Ashworth\d+ sIn a colleague's call · Market Square/);
});
