// The call-back list at the console: whose it is, what can be done about it, and that nobody leaves without passing it on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { deed } from "../../callserver/web/console/keys.js";
import { choices, isLate, listed, own, passed, successors } from "../../callserver/web/console/select-list.js";
import { statusWords } from "../../callserver/web/console/view.js";
import { listPanel, oneDialog, passDialog, handoverDialog } from "../../callserver/web/console/view-list.js";
import { NOW_MS, incident, operator, seated } from "./play.mjs";

const PRESS = { typing: false, repeat: false, alt: false, other: false, on_button: false };
const key = (play, name) => deed(play.state, { ...PRESS, key: name });
const press = (play, name) => play.tell(key(play, name));

function item(id, more = {}) {
  return incident(id, "waiting", { listed: "call-back", listed_why: "the caller is gone", listed_ms: NOW_MS, overdue_ms: NOW_MS + 300_000, owner: "", acknowledge_ms: null, attempts: [], ...more });
}

const ON_DUTY = { "operator/mary": operator("mary", "available"), "operator/tom": operator("tom", "available") };

function owing(more = {}) {
  return seated(ON_DUTY, { "incident/a": item("a", { owner: "mary" }), "incident/b": item("b", { owner: "tom", overdue_ms: NOW_MS + 1000 }), "incident/c": item("c", { overdue_ms: NOW_MS + 2000 }), ...more });
}

function text(node) {
  return typeof node === "string" ? node : (node?.children ?? []).map(text).join("");
}

const shown = (play, view) => text(view(play.state, () => undefined));

test("what is due first stands first; in the dialog one's own, then what is nobody's", () => {
  const play = owing();
  assert.deepEqual(listed(play.state).map((one) => one.id), ["b", "c", "a"]);
  assert.deepEqual(choices(play.state).map((one) => one.id), ["a", "c", "b"]);
  assert.deepEqual(own(play.state).map((one) => one.id), ["a"]);
});

test("an incident whose caller is on the line is not on it, one without an outcome is", () => {
  const play = seated(ON_DUTY, { "incident/w": incident("w", "waiting", { listed: "" }), "incident/u": incident("u", "unreviewed") });
  assert.deepEqual(listed(play.state).map((one) => one.id), ["u"]);
});

test("the panel counts all and one's own, and says so where there is nothing", () => {
  assert.match(shown(owing(), listPanel), /Call-back list.*3, 1 yours/);
  assert.match(shown(seated(ON_DUTY), listPanel), /Nobody is to be called back, and every incident has its outcome/);
});

test("past its time is told in words, not in red alone", () => {
  const play = owing().wait(2500);
  assert.deepEqual(listed(play.state).map((one) => isLate(play.state, one)), [true, true, false]);
  assert.match(shown(play, listPanel), /1 s late/);
});

test("G opens the list, a digit one of it, and digits what is to be done", () => {
  const play = press(press(owing(), "g"), "1");
  assert.deepEqual([play.state.dialog, play.state.picked], ["listed", "a"]);
  press(play, "1");
  assert.deepEqual(play.asked(), [["/api/incidents/a/call-back", {}]]);
  assert.equal(press(press(press(owing(), "g"), "2"), "2").state.dialog, "close");
});

test("a called-back point's ring is answered by itself, for it was asked for", () => {
  const play = owing().act("call-back", { incident: "a" });
  assert.equal(play.state.expected?.incident, "a");
});

test("it is given to a colleague, to the next, or taken", () => {
  const mine = press(press(press(owing(), "g"), "1"), "3");
  press(mine, "2");
  assert.deepEqual(mine.asked(), [["/api/incidents/a/give", { to: "tom" }]]);
  const free = press(press(press(press(owing(), "g"), "2"), "3"), "1");
  assert.deepEqual(free.asked(), [["/api/incidents/c/give", { to: "mary" }]]);
});

test("what was passed is told, and is acknowledged one by one or all at once", () => {
  const play = owing();
  play.change({ "incident/b": item("b", { owner: "mary", acknowledge_ms: NOW_MS + 120_000 }) });
  assert.match(statusWords(play.state), /on the call-back list passed to you/);
  assert.deepEqual(passed(play.state).map((one) => one.id), ["b"]);
  play.act("seen", { incident: "a" }).act("seen", { incident: "b" }).act("seen-all");
  assert.deepEqual(play.asked().map(([path]) => path), ["/api/incidents/b/acknowledge", "/api/call-backs/acknowledge"]);
});

test("what becomes nobody's is told", () => {
  const play = owing().change({ "incident/b": item("b", { owner: "" }) });
  assert.match(statusWords(play.state), /is nobody’s now/);
});

test("who pauses with something of their own says who gets it", () => {
  const play = owing().act("pause", { reason: "Meal" });
  assert.deepEqual([play.state.dialog, play.asked()], ["pass", []]);
  assert.match(shown(play, passDialog), /1 incident on the call-back list is yours.*Who gets them.*The next on duty.*Tom Ashworth/);
  press(play, "2");
  assert.deepEqual(play.asked(), [["/api/operators/mary/pause", { reason: "Meal", to: "tom" }]]);
});

test("the last one on duty is told what that means, and may go", () => {
  const play = owing({ "operator/tom": operator("tom", "paused") }).act("pause", { reason: "" });
  assert.deepEqual(successors(play.state), []);
  assert.match(shown(play, passDialog), /Nobody else is on duty.*an alarm rings.*Go, and leave it to nobody/);
  press(play, "1");
  assert.deepEqual(play.asked(), [["/api/operators/mary/pause", { reason: "", to: "" }]]);
});

test("who signs out passes on first, and is signed out when that was done", () => {
  const play = owing().act("sign-out");
  assert.equal(play.orders.some((one) => one.do === "sign-out"), false);
  press(play, "1");
  play.tell({ type: "done", verb: "pause and pass on" });
  assert.equal(play.orders.some((one) => one.do === "sign-out"), true);
});

test("who thinks again is not signed out by a later pause", () => {
  const play = owing().act("sign-out").act("dismiss").act("pause", { reason: "" });
  press(play, "1");
  play.tell({ type: "done", verb: "pause and pass on" });
  assert.equal(play.orders.some((one) => one.do === "sign-out"), false);
});

test("who owns nothing pauses and signs out at once", () => {
  const play = seated(ON_DUTY).act("pause", { reason: "Meal" }).act("sign-out");
  assert.deepEqual(play.asked(), [["/api/operators/mary/pause", { reason: "Meal" }]]);
  assert.equal(play.orders.some((one) => one.do === "sign-out"), true);
});

test("one of the list says why, whose it is, until when and what was tried", () => {
  const attempts = [{ at_ms: NOW_MS, operator: "tom", result: "busy (486)" }];
  const play = owing({ "incident/a": item("a", { owner: "mary", acknowledge_ms: NOW_MS, attempts }) }).act("see-to", { incident: "a" });
  assert.match(shown(play, oneDialog), /Call back: the caller is gone.*Owner: yours \(not seen yet\).*due in 5:0.*Tom Ashworth: busy \(486\).*I have seen it/);
  play.change({ "incident/a": null });
  assert.match(shown(play, oneDialog), /Somebody has seen to it/);
});

test("Y is the sheet for the next shift, and P prints it", () => {
  const play = press(owing(), "y");
  assert.match(shown(play, handoverDialog), /To call back or to review \(3\).*Other open incidents \(0\).*On duty \(2\).*Points that cannot be reached \(0\)/);
  press(play, "p");
  assert.equal(play.orders.some((one) => one.do === "print"), true);
});

test("who may not act sees the list and no buttons", () => {
  const play = owing();
  const ann = { ...play.state, sign: { ...play.state.sign, person: { user: "ann", role: "auditor", operator: null, name: "Ann" } } };
  assert.match(text(listPanel(ann, () => undefined)), /Call-back list3Market Square/);
  assert.equal(deed(ann, { ...PRESS, key: "g" }), null);
});
