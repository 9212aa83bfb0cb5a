/** The pure parts of the page "Who looked": its address, its query, and a look as a line. */

import assert from "node:assert/strict";
import { test } from "node:test";

const room = new URL("../../callserver/web/console/", import.meta.url);
const load = (name) => import(new URL(name, room).href);
const { ANYTHING, lineOf, looksAddress, looksHash, soughtIn, PAGE } = await load("replay-looked.js");
const { placeOf } = await load("replay-search.js");
const { spansOf, say } = await load("replay-words.js");
const { deed } = await load("replay-keys.js");

const NAMES = { points: {}, operators: { anna: "Anna" }, parties: {}, outcomes: {}, legs: {} };
const line = (kind, body) => lineOf({ number: 1, id: "f", at: "2026-03-01T12:00:00Z", kind, body }, NAMES);

test("the address keeps what is looked for, and a call in it is a filter", () => {
  const sought = { ...ANYTHING, by: "anna", what: "listened", call: "i.1", from: "2026-03-01" };
  assert.deepEqual(placeOf(`#${looksHash(sought)}`), { looks: sought });
  assert.deepEqual(placeOf("#looks"), { looks: ANYTHING });
  assert.equal(looksHash(ANYTHING), "looks");
  assert.equal(soughtIn(new URLSearchParams("what=nonsense")).what, "");
  assert.deepEqual(placeOf("#call=i.1"), { call: "i.1" });
});

test("the query has whole days of the plan’s zone and asks for one more than a page", () => {
  const asked = new URL(looksAddress({ ...ANYTHING, by: " anna ", from: "2026-03-01", to: "2026-03-01" }, "Europe/Berlin", 77), "http://x").searchParams;
  assert.deepEqual(Object.fromEntries(asked), {
    by: "anna", from: "2026-02-28T23:00:00.000Z", to: "2026-03-01T23:00:00.000Z", limit: String(PAGE + 1), before: "77",
  });
});

test("a listening has who, why and the call, and what was heard has its stretch", () => {
  assert.deepEqual(line("Listened", { call: "i.1", by: "anna", reason: "complaint 7", first_byte: 0, leg: "" }), {
    who: "anna", what: "listened", why: "complaint 7", stretch: "", of: "i.1", address: "#call=i.1",
  });
  const heard = line("Played", { call: "i.1", by: "anna", spans: [[5000, 65000], [3_600_000, 3_601_000]], reason: "", leg: "i.1.2" });
  assert.deepEqual([heard.what, heard.stretch, heard.why], ["heard one party", "0:05 to 1:05 and 1:00:00 to 1:00:01", "the reason was erased"]);
  assert.equal(line("RecordingSent", { call: "i.1", by: "anna", spans: [], bytes: [[0, 9]], size: 10, leg: "" }).stretch, "no whole sound");
});

test("searches, files, accounts and settings say what was done without saying twice by whom", () => {
  assert.deepEqual([line("Searched", { by: "anna", of: "calls", what: "min_wait_s=60&q=pier+sea", found: 3 })].map(({ what, why }) => [what, why]), [["searched calls", "waited at least 1 min, with “pier”, “sea”"]]);
  assert.equal(line("Searched", { by: "anna", of: "looks", what: "", found: 3 }).what, "looked at who looked");
  assert.equal(line("Searched", { by: "anna", of: "calls", what: "open=true&turn=7", found: 3 }).why, "open only, turn 7");
  assert.equal(line("Searched", { by: "anna", of: "looks", what: "what=heard&by=paul", found: 3 }).why, "what was heard and sent, by paul");
  assert.equal(line("SearchExported", { by: "anna", of: "calls", what: "", rows: 12, digest: "d" }).what, "took 12 calls away");
  assert.deepEqual(line("AccountChanged", { user: "otto", what: "web account added", by: "command line (root)" }), {
    who: "command line (root)", what: "Account otto: web account added", why: "", stretch: "", of: "", address: "",
  });
  const plan = line("PlanAdopted", { version: 3, by: "anna" });
  assert.deepEqual([plan.who, plan.what, plan.why], ["anna", "Plan 3 came into force", ""]);
  const read = line("ConfigurationRead", { digest: "d", previous: "", changed: ["web.port", "log.level"] });
  assert.deepEqual([read.who, read.why], ["the service", "web.port and log.level"]);
  assert.deepEqual(line("SignedIn", { user: "", accepted: false, source: "192.0.2.1" }), {
    who: "nobody known", what: "failed to sign in", why: "from 192.0.2.1", stretch: "", of: "", address: "",
  });
});

test("an export leads to its call where it has one, else to its incident", () => {
  const asked = { export: "e", incident: "i", what: "redaction", by: "anna", reason: "a name", of: "i.1" };
  assert.deepEqual([line("ExportAsked", asked).address, line("ExportAsked", { ...asked, what: "pack", of: "" }).address], ["#call=i.1", "#incident=i"]);
  assert.deepEqual([line("ExportAsked", asked).what, line("ExportAsked", asked).why], ["asked for a redacted copy", "a name"]);
});

test("on a call’s page a listening tells from where to where", () => {
  const told = say({ number: 1, id: "f", at: "", kind: "Played", body: { call: "i.1", by: "anna", spans: [[0, 59_999]], reason: "review", leg: "" } }, NAMES);
  assert.deepEqual([told.title, told.detail, told.minor ?? false], ["anna heard 0:00 to 0:59", "review", false]);
  assert.equal(spansOf([]), "nothing");
});

test("one key leads there from lists and calls, and typing a name is no key", () => {
  const press = { key: "w", shift: false, other: false, typing: false, on_button: false, in_dialog: false, repeat: false };
  assert.deepEqual(["list", "call"].map((page) => deed(page, press)), ["looks", "looks"]);
  assert.equal(deed("looks", { ...press, key: "Escape" }), "list");
  assert.equal(deed("looks", { ...press, key: "/" }), "person");
  assert.equal(deed("looks", { ...press, key: "n", typing: true }), null);
});
