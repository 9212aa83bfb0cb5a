// Live calls in the console's model: what can be done now, what it asks of the service, and what the operator is told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { SHOWN, deed } from "../../callserver/web/console/keys.js";
import { callable, callableGroups, colleagues, gifts, isPrivate, leftTo, takeable } from "../../callserver/web/console/select-call.js";
import { myCall, ringing, stage } from "../../callserver/web/console/select.js";
import { effort, legWords } from "../../callserver/web/console/words.js";
import { MARY, NOW_MS, Play, RING, call, inCall, incident, leg, operator, seated } from "./play.mjs";

const PRESS = { typing: false, repeat: false, alt: false, other: false, on_button: false };
const key = (play, name) => deed(play.state, { ...PRESS, key: name });
const POINT = leg("l1", "point", "up");
const ME = leg("l2", "operator", "up", { party: "mary" });
const POLICE = leg("l3", "outside", "up", { party: "police", name: "Police" });
const TOM = leg("l4", "supervisor", "up", { party: "tom", name: "Tom Ashworth", mode: "private" });
const withLegs = (...legs) => inCall({ legs });
const legsNow = (play, legs, more = {}) => play.change({ "call/c-i1": call("c-i1", { state: "talking", operator: "mary", legs, ...more }) });

// ---- who hears whom ----

test("the one whose row it is on is muted, and let be heard again", () => {
  const play = withLegs(POINT, ME, POLICE).act("mute-leg", { leg: "l3" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/mute", { leg: "l3", on: true }]]);
  play.tell({ type: "done", verb: "mute" });
  legsNow(play, [POINT, ME, { ...POLICE, muted: true }]).act("mute-leg", { leg: "l3" });
  assert.deepEqual(play.asked()[1], ["/api/calls/c-i1/mute", { leg: "l3", on: false }]);
});

test("a leg is dropped by two presses with a moment between, and one leg's press does not arm another's", () => {
  const play = withLegs(POINT, ME, POLICE, TOM).act("drop-leg", { leg: "l3" });
  play.wait(100).act("drop-leg", { leg: "l3" });
  assert.deepEqual(play.asked(), [], "a double click is a slip");
  play.wait(500).act("drop-leg", { leg: "l4" });
  assert.deepEqual(play.asked(), []);
  play.wait(500).act("hang-up");
  assert.deepEqual(play.asked(), [], "nor hanging up");
  play.wait(500).act("drop-leg", { leg: "l3" }).wait(500).act("drop-leg", { leg: "l3" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/drop", { leg: "l3" }]]);
});

test("U speaks with the police while the caller waits, and lets the caller hear again", () => {
  const play = withLegs(POINT, ME, POLICE);
  assert.equal(key(play, "u").what, "private");
  play.act("private");
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/mode", { leg: "l3", mode: "private" }]]);
  play.tell({ type: "done", verb: "speak privately" });
  legsNow(play, [POINT, ME, POLICE], { held: true });
  assert.equal(isPrivate(myCall(play.state)), true);
  play.act("private");
  assert.deepEqual(play.asked()[1], ["/api/calls/c-i1/mode", { leg: "l3", mode: "join" }]);
});

test("U is a colleague's before the police's, and nobody's where nobody was called in", () => {
  assert.deepEqual(withLegs(POINT, ME, POLICE, TOM).act("private").asked(), [["/api/calls/c-i1/mode", { leg: "l4", mode: "join" }]]);
  assert.deepEqual(inCall().act("private").asked(), []);
});

test("the police that rings or has not taken the call yet is nobody to speak with", () => {
  for (const state of [{ state: "ringing" }, { accepted: false }]) {
    assert.deepEqual(withLegs(POINT, ME, { ...POLICE, ...state }).act("private").act("leave").asked(), [], JSON.stringify(state));
  }
});

test("muted, Space speaks for as long as it is held, and not where it presses another button", () => {
  const play = inCall();
  assert.equal(key(play, " "), null);
  play.act("mute");
  assert.equal(deed(play.state, { ...PRESS, key: " ", on_button: true }), null);
  assert.equal(deed(play.state, { ...PRESS, key: " ", on_button: true, on_mute: true }).what, "push");
  assert.equal(deed(play.state, { ...PRESS, key: " ", typing: true }), null);
  play.act("push");
  assert.deepEqual([play.state.muted, play.state.pushed], [false, true]);
  play.act("release");
  assert.deepEqual([play.state.muted, play.state.pushed], [true, false]);
  assert.equal(play.orders.filter((one) => one.what === "mute").length, 3, "the sound follows each time");
  play.act("push").act("mute").act("release");
  assert.deepEqual([play.state.muted, play.state.pushed], [true, false], "M while it is held mutes for good");
});

test("with push to talk calls begin muted, are spoken in while Space is held, and M speaks on", () => {
  const talking = { ...inCall().state.board.call, ...inCall().state.board.incident };
  const items = { "call/c-i1": talking["c-i1"], "incident/i1": talking.i1, "operator/mary": operator("mary", "talking", { incident: "i1", call: "c-i1" }) };
  const play = seated().tell({ type: "settings", settings: { push_to_talk: true } });
  assert.equal(play.state.muted, false, "there is no call");
  play.change(items);
  assert.equal(play.state.muted, true);
  assert.match(play.news()[0], /Hold Space to speak/);
  play.act("push");
  assert.equal(play.state.muted, false);
  play.act("release").act("mute");
  assert.equal(play.state.muted, false, "M opens it for the rest of the call");
  play.change(items);
  assert.equal(play.state.muted, false, "what changes in the call does not mute it again");
});

test("with push to talk a call begins muted whichever line tells of it first, and once only", () => {
  const ringing = inCall().state.board.call["c-i1"];
  const items = (state) => ({ "call/c-i1": { ...ringing, state }, "operator/mary": operator("mary", state === "talking" ? "talking" : "offered", { incident: "i1", call: "c-i1" }) });
  const play = seated().tell({ type: "settings", settings: { push_to_talk: true } }).change(items("waiting"));
  assert.equal(play.state.muted, false, "it rings");
  play.tell({ type: "talking", leg: "l2", call: "c-i1" });
  assert.equal(play.state.muted, true, "the seat's word is enough");
  play.act("mute").change(items("talking"));
  assert.equal(play.state.muted, false, "the board's comes later, and M stays");
});

test("with push to talk a page that was loaded anew in a call begins muted when its seat comes back", () => {
  const talking = inCall().state.board;
  const page = { type: "remembered", settings: { checked: true, push_to_talk: true }, tab: { seat: "s-1", in_call: "c-i1" } };
  const play = new Play().tell(page, MARY).board(talking.call, talking.incident);
  play.change({ "call/c-i1": talking.call["c-i1"], "operator/mary": operator("mary", "talking", { incident: "i1", call: "c-i1" }) });
  assert.equal(play.state.muted, false, "no seat: nothing to mute");
  play.tell({ type: "seat-connecting" }, { type: "opened", seat: "s-1" });
  assert.equal(play.state.muted, true);
});

test("that the caller cannot hear is said at once, and that it hears again", () => {
  const play = withLegs(POINT, ME);
  legsNow(play, [{ ...POINT, one_way: ["out"] }, ME]);
  assert.match(play.news()[0], /The caller cannot hear us/);
  legsNow(play, [{ ...POINT, one_way: ["out"], sounding: false }, ME]);
  assert.equal(play.news().filter((one) => /cannot hear us/.test(one)).length, 1);
  legsNow(play, [{ ...POINT, one_way: [] }, ME]);
  assert.match(play.news().join(" "), /The caller hears us again/);
});

// ---- who has the call ----

test("L leaves where somebody stays, and says that the call goes on", () => {
  assert.deepEqual(inCall().act("leave").asked(), []);
  const play = withLegs(POINT, ME, POLICE);
  assert.equal(leftTo(play.state, myCall(play.state)), "Police");
  play.act("leave");
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/drop", { leg: "l2" }]]);
  legsNow(play, [POINT, POLICE]);
  assert.match(play.news()[0], /left the call to Police/);
});

test("T asks a free colleague first; where nobody is free it gives without asking", () => {
  const play = inCall().act("transfer");
  assert.deepEqual([play.state.dialog, play.state.blind], ["transfer", false]);
  assert.deepEqual(key(play, "1"), { type: "act", what: "transfer-to", to: "tom" });
  play.act("transfer-to", { to: "tom" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/bring", { operator: "tom", mode: "private" }]]);
  const busy = inCall().change({ "operator/tom": operator("tom", "talking") }).act("transfer");
  assert.deepEqual([busy.state.dialog, busy.state.blind, gifts(busy.state, myCall(busy.state)).map((one) => one.id)], ["transfer", true, ["tom", "police", "civic"]]);
});

test("without asking the call goes to a colleague or to a group with somebody on duty", () => {
  const play = inCall();
  const service = { ...play.state.board.service, groups: ["desk", "empty"] };
  play.change({ service, "operator/tom": operator("tom", "available", { groups: ["desk"] }) }).act("transfer").act("transfer-how");
  assert.deepEqual(gifts(play.state, myCall(play.state)).map((one) => one.id), ["tom", "desk", "police", "civic"]);
  play.act("transfer-to", { to: "empty" });
  assert.deepEqual(play.asked(), []);
  play.act("transfer-to", { to: "desk" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/transfer", { to: "desk" }]]);
});

test("T opens nothing where there is nobody", () => {
  const alone = inCall();
  alone.change({ service: { ...alone.state.board.service, parties: [] }, "operator/tom": operator("tom", "off") }).act("transfer");
  assert.equal(alone.state.dialog, "");
});

test("with the police in the call it is neither parked nor given away without asking", () => {
  const play = withLegs(POINT, ME, POLICE).act("park").act("transfer").act("transfer-how");
  assert.deepEqual([play.asked(), play.state.blind], [[], false]);
});

test("a point that is called and not there yet is not parked", () => {
  const play = inCall({ state: "calling-back" }).change({ "incident/i1": incident("i1", "attended", { operator: "mary", called_by: "mary" }) });
  assert.deepEqual(play.act("park").asked(), []);
});

test("a colleague whose seat is in a call, or whose call is full, cannot be asked", () => {
  const play = inCall();
  assert.deepEqual(colleagues(play.state, myCall(play.state)).map((one) => one.id), ["tom"]);
  play.change({ "call/c-i9": call("c-i9", { legs: [leg("x", "supervisor", "up", { party: "tom", mode: "listen" })] }) });
  assert.deepEqual(colleagues(play.state, myCall(play.state)), []);
  const full = withLegs(POINT, ME, POLICE, leg("l5", "outside", "ringing", { party: "civic" }));
  assert.deepEqual(colleagues(full.state, myCall(full.state)), []);
});

test("what was handed over says who has it now, and a parked call how it comes back", () => {
  const play = withLegs(POINT, ME, TOM).act("hand-over", { operator: "tom" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/take-over", { operator: "tom" }]]);
  legsNow(play, [POINT, { ...TOM, role: "operator", mode: "" }], { operator: "tom" });
  assert.deepEqual(play.news(), ["Tom Ashworth has the call now."]);
  const parked = inCall().act("park");
  assert.deepEqual(parked.asked(), [["/api/calls/c-i1/park", {}]]);
  parked.change({ "incident/i1": incident("i1", "waiting", { parked: true, by_hand: true, recall_ms: NOW_MS + 120_000 }) });
  assert.match(parked.news()[0], /is parked.*W takes it back/);
});

test("R has the point called back once its device is about to end the call", () => {
  assert.deepEqual(inCall().act("renew").asked(), []);
  const play = inCall();
  legsNow(play, [{ ...POINT, limit_ms: NOW_MS + 60_000 }, ME]);
  assert.match(play.news()[0], /R has it called back/);
  assert.deepEqual(play.act("renew").asked(), [["/api/calls/c-i1/renew", {}]]);
});

// ---- taking and calling ----

test("W takes a call that waits, and the ring that comes of it is answered already", () => {
  const play = seated({ "operator/mary": operator("mary", "available"), "incident/i1": incident("i1", "waiting"), "incident/i2": incident("i2", "waiting", { priority: 2 }) });
  assert.equal(key(play, "w").what, "take-list");
  play.act("take-list");
  assert.deepEqual(key(play, "2"), { type: "act", what: "take", incident: "i2" });
  play.act("take", { incident: "i2" });
  assert.deepEqual(play.asked(), [["/api/incidents/i2/take", {}]]);
  play.tell({ ...RING, incident: "i2", call: "c-i2" });
  assert.deepEqual(play.said(), [{ type: "ringing", leg: "l2" }, { type: "accept", leg: "l2" }]);
});

test("another call's ring is not answered by having taken one, nor is a late one", () => {
  const items = { "operator/mary": operator("mary", "available"), "incident/i2": incident("i2", "waiting") };
  const other = seated(items).act("take", { incident: "i2" }).tell(RING);
  assert.deepEqual(other.said(), [{ type: "ringing", leg: "l2" }]);
  const late = seated(items).act("take", { incident: "i2" }).wait(20_001).tell({ ...RING, incident: "i2" });
  assert.deepEqual(late.said(), [{ type: "ringing", leg: "l2" }]);
});

test("a conversation that was left to the police can be come back to", () => {
  const left = call("c-i1", { state: "talking", legs: [POINT, POLICE] });
  const play = seated({ "operator/mary": operator("mary", "available"), "incident/i1": incident("i1", "attended"), "call/c-i1": left });
  assert.deepEqual(takeable(play.state).map((one) => one.id), ["i1"]);
  legsNow(play, [POINT, POLICE, { ...ME, party: "tom" }]);
  assert.deepEqual(takeable(play.state), []);
});

test("nothing is taken or called from a seat that is busy, off duty or cannot be reached", () => {
  for (const me of [operator("mary", "talking"), operator("mary", "off"), operator("mary", "wrap-up"), operator("mary", "available", { reachable: false })]) {
    const play = seated({ "operator/mary": me, "incident/i2": incident("i2", "waiting") });
    play.act("take", { incident: "i2" }).act("take-list").act("call-list");
    assert.deepEqual([play.asked(), play.state.dialog], [[], ""], me.state);
  }
});

test("D calls the point that fits what was written; one in a conversation is left alone", () => {
  const point = (id, place, more = {}) => ({ id, place, queue: "town", latitude: null, longitude: null, reachable: true, expects_register: true, why: "", since_ms: null, incident: "", ...more });
  const points = { "point/p1": point("p1", "Market Square", { incident: "i1" }), "point/p2": point("p2", "Market Hall"), "point/p3": point("p3", "Bondgate", { reachable: false }) };
  const play = seated(points, { "operator/mary": operator("mary", "paused"), "incident/i1": incident("i1", "attended") }).act("call-list");
  assert.deepEqual(callable(play.state).map((one) => one.id), ["p2", "p3"]);
  play.act("seek", { text: "gate bond" });
  assert.deepEqual(callable(play.state).map((one) => one.id), ["p3"]);
  play.act("seek", { text: "nowhere" }).act("call-point");
  assert.deepEqual([play.asked(), play.news()], [[], ["No point fits that."]]);
  play.act("seek", { text: "hall" }).act("call-point");
  assert.deepEqual(play.asked(), [["/api/points/p2/call", {}]]);
  play.tell({ ...RING, incident: "i7", point: "p2", called_out: true });
  assert.deepEqual(play.said().at(-1), { type: "accept", leg: "l2" });
  assert.equal(ringing(play.state).kind, "You call this point");
});

// ---- several points, and what a device is told ----

const spot = (id, place) => ({ id, place, queue: "town", latitude: null, longitude: null, reachable: true, expects_register: true, why: "", since_ms: null, incident: "" });
const SPOTS = { "point/p2": spot("p2", "Market Hall"), "point/p3": spot("p3", "Bondgate") };
const groups = (board) => ({ ...board, service: { ...board.service, point_groups: [{ id: "river", name: "River banks", points: ["p2", "p3"] }] } });

test("groups of points are found where points are, and Enter calls one that alone fits", () => {
  const play = seated(SPOTS, { "operator/mary": operator("mary", "available") });
  play.change({ service: groups(play.state.board).service }).act("call-list");
  assert.deepEqual(callableGroups(play.state).map((one) => one.id), ["river"]);
  play.act("seek", { text: "river ba" }).act("call-point");
  assert.deepEqual(play.asked(), [["/api/point-groups/river/call", {}]]);
  play.tell({ ...RING, incident: "i7", point: "p2", called_out: true });
  assert.deepEqual(play.said().at(-1), { type: "accept", leg: "l2" }, "the seat's ring was asked for here");
});

test("D in a conversation calls one more point into it; those in it are not offered, groups neither", () => {
  const play = withLegs(POINT, ME, leg("l5", "brought", "up", { party: "p2", name: "Market Hall" }));
  play.change({ ...SPOTS, service: groups(play.state.board).service });
  assert.equal(key(play, "d").what, "call-list");
  play.act("call-list");
  assert.deepEqual([callable(play.state).map((one) => one.id).includes("p2"), callableGroups(play.state)], [false, []]);
  play.act("call-point", { point: "p3" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/bring-point", { point: "p3" }]]);
});

test("a full call offers no further point, and one with other points is not given away", () => {
  const other = (id, party) => leg(id, "brought", "up", { party, name: party });
  const play = withLegs(POINT, ME, other("l5", "p2"), other("l6", "p3")).act("call-list").act("park").act("transfer");
  assert.deepEqual([play.state.dialog, play.asked()], ["", []]);
});

test("a point that was called in is told of as it comes, and as it does not", () => {
  const hall = leg("l5", "brought", "ringing", { party: "p2", name: "Market Hall" });
  const play = withLegs(POINT, ME, hall);
  legsNow(play, [POINT, ME, { ...hall, state: "up" }]);
  assert.deepEqual(play.news(), ["Market Hall is in the call."]);
  const other = withLegs(POINT, ME, hall);
  legsNow(other, [POINT, ME]);
  assert.deepEqual(other.news(), ["Market Hall could not be reached."]);
});

test("E has the point's device do what its profile names, by a digit", () => {
  const controls = [{ id: "beacon", name: "Beacon on" }, { id: "dark", name: "Beacon off" }];
  const play = withLegs({ ...POINT, controls }, ME);
  assert.equal(key(play, "e").what, "control-list");
  play.act("control-list");
  assert.deepEqual(key(play, "2"), { type: "act", what: "control", control: "dark", leg: "l1" });
  play.act("control", { control: "dark", leg: "l1" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/control", { control: "dark", leg: "l1" }]]);
  assert.equal(withLegs(POINT, ME).act("control-list").state.dialog, "", "a device without any");
});

test("a call is given to an outside party without asking, and somebody of a group can be asked first", () => {
  const play = withLegs(POINT, ME).act("transfer");
  play.state.board.service.groups = ["desk"];
  play.state.board.operator.tom.groups = ["desk"];
  assert.deepEqual(gifts(play.state, myCall(play.state)).map((one) => one.id), ["tom", "desk"]);
  play.act("transfer-how", { blind: true });
  assert.deepEqual(gifts(play.state, myCall(play.state)).map((one) => one.id), ["tom", "desk", "police", "civic"]);
  play.act("transfer-to", { to: "police" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/transfer", { to: "police" }]]);
});

// ---- in a colleague's call ----

const SUE = { ...MARY, user: "sue", role: "supervisor", operator: "mary", name: "Sue" };
const toms = () => ({ "incident/i9": incident("i9", "attended", { operator: "tom" }), "call/c-i9": call("c-i9", { state: "talking", operator: "tom", legs: [POINT, leg("t", "operator", "up", { party: "tom", name: "Tom Ashworth" })] }) });

function supervising(mode) {
  const play = new Play().tell({ type: "remembered", settings: { checked: true }, tab: {} }, SUE);
  play.board({ "operator/mary": operator("mary", "available") }, toms()).tell({ type: "opened", seat: "s-1" }, { type: "fit", fit: true, why: "" });
  play.act("supervise", { call: "c-i9" }).act("reason-given", { text: "a new colleague" });
  if (mode) {
    play.act("take-part", { mode }).tell({ type: "done", verb: mode }, { ...RING, leg: "s", incident: "i9", call: "c-i9", mode }, { type: "talking", leg: "s", call: "c-i9" });
    const legs = [...toms()["call/c-i9"].legs, leg("s", "supervisor", "up", { party: "mary", mode })];
    play.change({ "call/c-i9": { ...toms()["call/c-i9"], legs } });
  }
  return play;
}

test("a supervisor says why before listening, and is then put through", () => {
  const play = supervising().act("reason-given", { text: " " }).act("take-part", { mode: "listen" });
  assert.deepEqual([play.asked(), play.state.dialog], [[], "supervise"]);
  assert.match(play.news()[0], /Say why you listen/);
  play.act("reason-given", { text: "a new colleague" }).act("take-part", { mode: "listen" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i9/bring", { operator: "mary", mode: "listen", reason: "a new colleague" }]]);
  play.tell({ ...RING, incident: "i9", call: "c-i9", mode: "listen" });
  assert.deepEqual(play.said().at(-1), { type: "accept", leg: "l2" });
});

test("who joins needs no reason, for all hear it", () => {
  const play = supervising().act("take-part", { mode: "join" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i9/bring", { operator: "mary", mode: "join", reason: "" }]]);
});

test("inside, digits change how one takes part, and the call's own keys do nothing to it", () => {
  const play = supervising("listen");
  assert.deepEqual([stage(play.state), myCall(play.state).id], ["talk", "c-i9"]);
  assert.deepEqual(key(play, "2"), { type: "act", what: "take-part", mode: "whisper" });
  assert.deepEqual([key(play, "4").what, key(play, "l").what], ["take-over", "leave"]);
  assert.deepEqual([..."hpotukrx"].map((name) => key(play, name)?.what).filter((what) => what !== "review-first"), Array(7).fill(undefined));
  play.orders = [];
  play.act("take-part", { mode: "whisper" });
  assert.deepEqual(play.asked(), [["/api/calls/c-i9/mode", { leg: "s", mode: "whisper", reason: "a new colleague" }]]);
  play.act("take-over").act("leave");
  assert.deepEqual(play.asked().slice(1), [["/api/calls/c-i9/take-over", {}], ["/api/calls/c-i9/drop", { leg: "s" }]]);
});

test("muting lasts while one is in a colleague's call", () => {
  const play = supervising("join").act("mute");
  assert.equal(play.state.muted, true);
  play.change({ "operator/tom": operator("tom", "talking") });
  assert.equal(play.state.muted, true);
});

test("a supervisor who is off duty may take part from a seat that can be reached, and is not free to take calls", () => {
  const play = supervising().change({ "operator/mary": operator("mary", "off") }).act("dismiss").act("take-list").act("supervise", { call: "c-i9" });
  assert.equal(play.state.dialog, "supervise");
  play.change({ "operator/mary": operator("mary", "off", { reachable: false }) }).act("dismiss").act("supervise", { call: "c-i9" });
  assert.equal(play.state.dialog, "");
});

test("operators do not come into the calls of others", () => {
  const play = seated({ "operator/mary": operator("mary", "available") }, toms()).act("supervise", { call: "c-i9" });
  assert.equal(play.state.dialog, "");
});

test("who is asked privately reads by whom", () => {
  const play = seated({ "operator/mary": operator("mary", "available") }, toms()).tell({ ...RING, call: "c-i9", incident: "i9", mode: "private", with: "tom" });
  assert.equal(ringing(play.state).kind, "Tom Ashworth asks you");
});

test("a dialog closes when what it is about is gone, and keys act again", () => {
  const given = inCall().act("transfer").change({ "call/c-i1": null, "operator/mary": operator("mary", "available") }).tell({ type: "stop", leg: "l2", call: "c-i1" }).change({});
  assert.deepEqual([given.state.dialog, key(given, "a").what], ["", "available"]);
  const watched = supervising().change({ "call/c-i9": null });
  assert.equal(watched.state.dialog, "");
});

// ---- words ----

test("each way to take part has its words", () => {
  assert.deepEqual(["listen", "whisper", "private", "join"].map((mode) => legWords({ ...TOM, mode }, false)[0]), ["listens", "whispers", "private", "in the call"]);
  assert.deepEqual([legWords({ ...POLICE, accepted: false }, false)[0], legWords({ ...POINT, muted: true }, true)[0]], ["hears what it is about", "muted"]);
});

test("a parked call says that, and one for somebody alone for whom it is", () => {
  assert.equal(effort(incident("i1", "waiting", { by_hand: true, parked: true }), [], ""), "Parked");
  assert.equal(effort(incident("i1", "waiting", { only: "Tom Ashworth" }), ["Tom Ashworth"], ""), "Ringing Tom Ashworth (for Tom Ashworth alone)");
});

test("every key of a live call is shown by the list of keys", () => {
  const shown = SHOWN.flatMap(([, lines]) => lines.flatMap(([one]) => one.toLowerCase().split(" ")));
  assert.deepEqual([..."ultkrwd"].filter((one) => !shown.includes(one)), []);
});
