// The console's model: every rule of it, by messages and the page's clock alone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { initial, update } from "../../callserver/web/console/model.js";
import { myCall, oldness, outcomes, overdue, ringing, stage, waiting, wrapUp } from "../../callserver/web/console/select.js";
import { NOW_MS, MARY, Play, RING, call, inCall, incident, leg, operator, seated } from "./play.mjs";

// ---- the board ----

test("a snapshot is the whole board, changes put items and take them away", () => {
  const play = seated({ "incident/i1": incident("i1", "waiting"), "incident/i2": incident("i2", "waiting", { priority: 2 }) });
  assert.deepEqual(waiting(play.state).map((one) => one.id), ["i1", "i2"]);
  const points = play.state.board.point;
  play.change({ "incident/i1": null, "incident/i3": incident("i3", "waiting", { order_ms: NOW_MS - 5000 }) });
  assert.deepEqual(waiting(play.state).map((one) => one.id), ["i3", "i2"]);
  assert.equal(play.state.board.point, points, "what did not change stays the same object");
  play.board();
  assert.deepEqual(waiting(play.state), []);
});

test("changes before the first snapshot are not believed", () => {
  const play = new Play().tell(MARY).change({ "incident/i1": incident("i1", "waiting") });
  assert.deepEqual(play.state.board.incident, {});
});

test("waiting calls stand in the order that the service says: who has waited very long goes before a newer one of a higher class", () => {
  const play = seated({
    "incident/c": incident("c", "waiting", { priority: 1 }),
    "incident/b": incident("b", "waiting", { order_ms: NOW_MS - 1 }),
    "incident/old": incident("old", "waiting", { priority: 2, order_ms: NOW_MS - 2 }),
    "incident/a": incident("a", "waiting"),
    "incident/d": incident("d", "waiting"),
  });
  assert.deepEqual(waiting(play.state).map((one) => one.id), ["old", "b", "a", "d", "c"]);
});

test("a call is overdue when one round of ringing has passed", () => {
  const play = seated({ "incident/i1": incident("i1", "waiting", { waiting_since_ms: NOW_MS - 29_000 }) });
  assert.equal(overdue(play.state, play.state.board.incident.i1), false);
  play.wait(1500);
  assert.equal(overdue(play.state, play.state.board.incident.i1), true);
});

test("what was heard 2.5 seconds ago is live, later it is old and says how old", () => {
  const play = seated().wait(2500);
  assert.equal(oldness(play.state), null);
  play.wait(1);
  assert.deepEqual(oldness(play.state), { age_ms: 2501, why: "connection" });
  play.tell({ type: "beat", number: 1, now_ms: NOW_MS, live: true });
  assert.equal(oldness(play.state), null);
});

test("changes alone do not make a page live that hears no beat", () => {
  const play = seated().wait(2600).change({});
  assert.equal(oldness(play.state)?.why, "connection");
});

test("a switchboard that does not answer makes the page old at once", () => {
  const play = seated().wait(1000).tell({ type: "beat", number: 1, now_ms: NOW_MS, live: false });
  assert.deepEqual(oldness(play.state), { age_ms: 1000, why: "switchboard" });
});

test("outcomes without a digit get one that is free", () => {
  assert.deepEqual(outcomes(seated().state).map((one) => one.digit), ["1", "2"]);
});

// ---- duty ----

test("going available waits until sound is known to run", () => {
  const play = seated().tell({ type: "fit", fit: false, why: "" }).act("available");
  assert.deepEqual(play.asked(), []);
  play.tell({ type: "fit", fit: true, why: "" });
  assert.deepEqual(play.asked(), [["/api/operators/mary/available", {}]]);
});

test("after a reload the wish to be available is followed once fit came, and only then", () => {
  const play = new Play().tell({ type: "remembered", settings: { checked: true }, tab: { seat: "s-1", wish: "available" } }, MARY).board();
  play.tell({ type: "opened", seat: "s-1" }).wait(3000);
  assert.deepEqual(play.asked(), []);
  play.tell({ type: "fit", fit: true, why: "" }).wait(250);
  assert.deepEqual(play.asked(), [["/api/operators/mary/available", {}]]);
});

test("a reload without that wish goes available by nothing", () => {
  const play = new Play().tell({ type: "remembered", settings: { checked: true }, tab: { seat: "s-1" } }, MARY).board();
  play.tell({ type: "opened", seat: "s-1" }, { type: "fit", fit: true, why: "" }).wait(1000);
  assert.deepEqual(play.asked(), []);
});

test("a pause names its reason and is not undone by a seat that comes back", () => {
  const play = seated({ "operator/mary": operator("mary", "available") }).act("pause", { reason: "Meal" });
  assert.deepEqual(play.asked(), [["/api/operators/mary/pause", { reason: "Meal" }]]);
  play.change({ "operator/mary": operator("mary", "off") }).tell({ type: "fit", fit: false, why: "" }, { type: "fit", fit: true, why: "" });
  assert.equal(play.asked().length, 1);
});

test("the same request is not asked twice while it is open, and may be after its answer", () => {
  const play = seated({ "operator/mary": operator("mary", "paused") }).act("available").act("available");
  assert.equal(play.asked().length, 1);
  play.tell({ type: "failed", verb: "go available", text: "Refused.", what_to_do: "Try again." }).act("available");
  assert.equal(play.asked().length, 2);
  assert.deepEqual(play.news(), ["Refused. Try again."]);
});

test("a request that nobody answers is told after eight seconds", () => {
  const play = seated({ "operator/mary": operator("mary", "paused") }).act("available").wait(8001);
  assert.match(play.news()[0], /No answer/);
  assert.deepEqual(play.state.pending, {});
});

// ---- a call rings ----

test("a ring is confirmed to the service, shown, and closes what lies over it", () => {
  const play = seated().act("keys").tell(RING);
  assert.deepEqual(play.said(), [{ type: "ringing", leg: "l2" }]);
  assert.equal(stage(play.state), "ring");
  assert.equal(play.state.dialog, "");
});

test("a call is answered once, however often the key is pressed", () => {
  const play = seated().tell(RING).act("answer").act("answer");
  assert.deepEqual(play.said().slice(1), [{ type: "accept", leg: "l2" }]);
});

test("an answer that nobody confirms may be given again after three seconds", () => {
  const play = seated().tell(RING).act("answer").wait(3000).act("answer");
  assert.equal(play.said().filter((one) => one.type === "accept").length, 2);
  assert.match(play.news()[0], /not confirmed/);
});

test("a call that this page was in before a reload answers itself", () => {
  const play = new Play().tell({ type: "remembered", settings: { checked: true }, tab: { seat: "s-1", in_call: "c-i1" } }, MARY);
  play.board({ "call/c-i1": call("c-i1"), "incident/i1": incident("i1", "waiting") }).tell({ ...RING, again: true });
  assert.deepEqual(play.said().map((one) => one.type), ["ringing", "accept"]);
});

test("a call that comes again and was another page's rings like any other", () => {
  const play = seated({ "call/c-i1": call("c-i1") }).tell({ ...RING, again: true });
  assert.deepEqual(play.said().map((one) => one.type), ["ringing"]);
});

test("who took a call is told by name, also when the board says it after the stop", () => {
  const play = seated({ "call/c-i1": call("c-i1"), "incident/i1": incident("i1", "waiting") }).tell(RING);
  play.tell({ type: "stop", leg: "l2", call: "c-i1", reason: "taken" });
  assert.deepEqual(play.news(), []);
  play.change({ "call/c-i1": call("c-i1", { state: "talking", operator: "tom" }) });
  assert.deepEqual(play.news(), ["Taken by Tom Ashworth."]);
});

test("nobody is told that they took a call from themselves", () => {
  const play = seated({ "call/c-i1": call("c-i1") }).tell(RING, { type: "stop", leg: "l2", call: "c-i1", reason: "answered at your telephone" });
  play.change({ "call/c-i1": call("c-i1", { state: "talking", operator: "mary" }) }).wait(1600);
  assert.deepEqual(play.news(), ["The call rings here no more (answered at your telephone)."]);
});

test("a call that ends while it rings is told with the reason", () => {
  const play = seated({ "call/c-i1": call("c-i1") }).tell(RING, { type: "stop", leg: "l2", call: "c-i1", reason: "the caller hung up" });
  play.change({ "call/c-i1": null }).wait(1600);
  assert.deepEqual(play.news(), ["The call ended (the caller hung up)."]);
});

test("a softphone that rings is shown, but not answered here", () => {
  const me = operator("mary", "offered", { seat: "softphone", incident: "i1", call: "c-i1" });
  const play = seated({ "operator/mary": me, "incident/i1": incident("i1", "waiting") });
  assert.equal(ringing(play.state)?.leg, "");
  assert.deepEqual(play.act("answer").said(), []);
});

// ---- in a call ----

test("the conversation stands from talking on, before the board knows of it", () => {
  const play = seated({ "call/c-i1": call("c-i1") }).tell(RING).act("answer").tell({ type: "talking", leg: "l2", call: "c-i1" });
  assert.equal(stage(play.state), "talk");
  assert.equal(play.state.in_call, "c-i1");
});

test("mute, hold and party are asked by one key each", () => {
  const play = inCall().act("mute").act("hold").act("party");
  assert.equal(play.state.muted, true);
  assert.deepEqual(play.asked(), [["/api/calls/c-i1/hold", { on: true }], ["/api/calls/c-i1/escalate", { party: "police" }]]);
});

test("hold is taken off where it is on", () => {
  assert.deepEqual(inCall({ held: true }).act("hold").asked(), [["/api/calls/c-i1/hold", { on: false }]]);
});

test("a party that is called already is not called again", () => {
  const legs = [leg("l1", "point", "up"), leg("l2", "operator", "up"), leg("l3", "outside", "ringing", { party: "police" })];
  const play = inCall({ legs }).act("party");
  assert.deepEqual(play.asked(), []);
  assert.deepEqual(play.news(), ["Police is called already."]);
});

test("hanging up takes two presses with a moment between, within three seconds", () => {
  const once = inCall().act("hang-up");
  assert.deepEqual(once.wait(3001).act("hang-up").asked(), []);
  const late = inCall().act("hang-up");
  late.at_ms += 3001; // no tick between
  assert.deepEqual(late.act("hang-up").asked(), []);
  const bounced = inCall().act("hang-up");
  bounced.at_ms += 200;
  assert.deepEqual(bounced.act("hang-up").asked(), [], "a double click is a slip");
  bounced.at_ms += 300;
  assert.deepEqual(bounced.act("hang-up").asked(), [["/api/calls/c-i1/hangup", {}]]);
});

test("the mute ends with the call", () => {
  const play = inCall().act("mute").change({ "operator/mary": operator("mary", "available"), "call/c-i1": null });
  assert.equal(play.state.muted, false);
  assert.equal(play.orders.filter((one) => one.do === "sound").length, 2);
});

test("a line that was rebuilt, lost and found again is told", () => {
  const play = inCall();
  const made = play.state.board.call["c-i1"];
  play.change({ "call/c-i1": { ...made, worker_replaced: true } });
  play.change({ "call/c-i1": { ...made, worker_replaced: true, state: "calling-back" } });
  play.change({ "call/c-i1": { ...made, worker_replaced: true } });
  assert.deepEqual(play.news().map((text) => text.split(".")[0]), ["The line to the call was rebuilt", "The line to the point was lost", "The point is back on the line"]);
});

test("a party that comes, leaves, or cannot be reached is told", () => {
  const play = inCall();
  const made = play.state.board.call["c-i1"];
  const police = leg("l3", "outside", "ringing", { party: "police" });
  const withLegs = (...more) => ({ "call/c-i1": { ...made, legs: [...made.legs, ...more] } });
  play.change(withLegs(police)).change(withLegs({ ...police, state: "up" })).change(withLegs()).change(withLegs(police)).change(withLegs());
  assert.deepEqual(play.news(), ["Police is in the call.", "Police left the call.", "Police could not be reached."]);
});

test("a seat that was lost and is back says for how long", () => {
  const play = inCall().tell({ type: "seat-lost", why: "" }).wait(3100).tell({ type: "opened", seat: "s-1" }, { type: "fit", fit: true, why: "" });
  assert.deepEqual(play.news(), ["Your seat was lost for 3 s and is back."]);
});

test("the first fitness is no return", () => {
  assert.deepEqual(seated().news(), []);
});

test("a stop of the conversation's leg ends the call for this page, but not while its own seat is lost", () => {
  const over = inCall().tell({ type: "stop", leg: "l2", call: "c-i1", reason: "" });
  assert.equal(over.state.in_call, "");
  const lost = inCall().tell({ type: "fit", fit: false, why: "" }, { type: "stop", leg: "l2", call: "c-i1", reason: "" });
  assert.equal(lost.state.in_call, "c-i1");
});

test("a displaced page is no seat any more and stays none", () => {
  const play = inCall().tell({ type: "displaced", why: "" }, { type: "seat-lost", why: "" }, { type: "seat-connecting" });
  assert.equal(play.state.seat.state, "displaced");
  assert.equal(play.state.wish, "");
});

// ---- after a call ----

function wrapping() {
  return seated({ "operator/mary": operator("mary", "wrap-up", { incident: "i1" }), "incident/i1": incident("i1", "wrap-up", { until_ms: NOW_MS + 60_000 }) });
}

test("an incident closes with an outcome of the plan, and not without", () => {
  const play = wrapping().act("close");
  assert.equal(wrapUp(play.state)?.id, "i1");
  assert.deepEqual(play.asked(), []);
  play.act("outcome", { incident: "i1", outcome: "nonsense" }).act("close");
  assert.deepEqual(play.asked(), []);
  play.act("outcome", { incident: "i1", outcome: "safe" }).act("note", { incident: "i1", text: "All well." }).act("close");
  assert.deepEqual(play.asked(), [["/api/incidents/i1/close", { outcome: "safe", note: "All well." }]]);
});

test("a note taken in the call is there in the wrap-up, and gone with the incident", () => {
  const play = inCall().act("note", { incident: "i1", text: "Two men." });
  play.change({ "operator/mary": operator("mary", "wrap-up", { incident: "i1" }), "incident/i1": incident("i1", "wrap-up") });
  assert.equal(play.state.drafts.i1.note, "Two men.");
  play.change({ "incident/i1": null });
  assert.deepEqual(play.state.drafts, {});
});

test("the oldest incident without an outcome is reviewed first, and the dialog ends when another closes it", () => {
  const play = seated({ "incident/u1": incident("u1", "unreviewed"), "incident/u2": incident("u2", "unreviewed", { since_ms: NOW_MS - 9 }) });
  play.act("review-first");
  assert.deepEqual([play.state.dialog, play.state.picked], ["close", "u2"]);
  play.act("outcome", { incident: "u2", outcome: "safe" }).change({ "incident/u2": null });
  assert.equal(play.state.dialog, "");
});

// ---- signing in and out ----

test("an operator's first sign-in on a machine begins with the sound check", () => {
  assert.equal(new Play().tell(MARY).state.dialog, "sound");
  assert.equal(seated().state.dialog, "");
});

test("nothing of a person stays after signing out, but the machine's settings do", () => {
  const play = inCall().act("note", { incident: "i1", text: "secret" }).tell({ type: "settings", settings: { volume: 0.3 } }, { type: "signed-out" });
  assert.deepEqual(play.state.drafts, {});
  assert.equal(play.state.board.epoch, "");
  assert.equal(play.state.settings.volume, 0.3);
  assert.ok(play.orders.some((one) => one.do === "disconnect"));
});

test("news go by themselves, the graver ones later", () => {
  const play = seated().tell({ type: "failed", verb: "x", text: "Bad.", what_to_do: "" }).wait(10_000);
  assert.equal(play.news().length, 1);
  assert.equal(play.wait(10_001).news().length, 0);
});

test("unknown messages change nothing but the clock, and the clock never runs backwards", () => {
  const state = update(initial(), { type: "news-of-tomorrow", at_ms: 5 });
  assert.deepEqual({ ...state, at_ms: 0 }, initial());
  assert.equal(update(state, { type: "tick", at_ms: 1 }).at_ms, 5);
});

test("the model keeps the state it was given as it was", () => {
  const play = inCall();
  const before = structuredClone(play.state);
  const kept = play.state;
  play.act("mute").change({ "call/c-i1": null }).tell({ type: "signed-out" });
  assert.deepEqual(kept, before);
  assert.equal(myCall(kept)?.id, "c-i1");
});

// ---- class, ladder, pauses ----

test("the class is changed by a digit in the dialog, and what is so already is not asked for", () => {
  const play = seated({ "incident/i1": incident("i1", "waiting", { priority: 2, class: "normal" }) }).act("question");
  assert.deepEqual([play.state.dialog, play.state.picked], ["incident", "i1"]);
  play.act("classify", { incident: "i1", class: "normal" });
  assert.deepEqual([play.state.dialog, play.asked()], ["", []]);
  play.act("question").act("classify", { incident: "i1", class: "emergency" });
  assert.deepEqual(play.asked(), [["/api/incidents/i1/class", { class: "emergency" }]]);
});

test("class and ladder are those of the call that rings, then of mine, then of the first that waits", () => {
  const waits = incident("i9", "waiting");
  const picked = (play) => play.change({ "incident/i9": waits }).act("question").state.picked;
  assert.equal(picked(seated({ "incident/i1": incident("i1", "waiting") }).tell(RING)), "i1");
  assert.equal(picked(inCall()), "i1");
  assert.equal(picked(seated()), "i9");
  assert.equal(seated().act("question").state.dialog, "", "nobody waits: there is nothing to ask about");
});

test("only a ladder with a step for being asked can be asked", () => {
  const play = seated({ "incident/i1": incident("i1", "waiting") }).act("question").act("climb", { incident: "i1" });
  assert.deepEqual(play.asked(), []);
  play.change({ "incident/i1": incident("i1", "waiting", { can_ask: true }) }).act("climb", { incident: "i1" });
  assert.deepEqual([play.state.dialog, play.asked().map(([path]) => path)], ["", ["/api/incidents/i1/climb"]]);
});

test("a call that is taken away for a more urgent one says so, once", () => {
  const play = inCall();
  play.change({ "incident/i1": incident("i1", "waiting", { parked: true, prefers: "mary" }), "operator/mary": operator("mary", "available") });
  play.change({ "incident/i1": incident("i1", "waiting", { parked: true, prefers: "mary", presses: 2 }) });
  assert.deepEqual(play.news().filter((text) => text.includes("interrupted")).length, 1);
});

test("somebody who changes nothing cannot open class and ladder", () => {
  const play = new Play().tell({ ...MARY, role: "auditor", operator: null }).board({ "incident/i1": incident("i1", "waiting") });
  assert.equal(play.act("question", { incident: "i1" }).state.dialog, "");
});
