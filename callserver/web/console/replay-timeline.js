/**
 * A call on a line of time: what was going on from when to when, and what happened at which moment. Pure.
 * Times are UTC milliseconds; everything is laid out in true proportion, beside the sound.
 *
 * @typedef {import("./replay-words.js").Fact} Fact
 * @typedef {import("./replay-words.js").Names} Names
 * @typedef {import("./replay-words.js").Tone} Tone
 * @typedef {{id: string, role: string, party: string}} Leg
 * @typedef {"caller" | "operator" | "outside"} Lane
 * @typedef {{lane: Lane, kind: string, text: string, from_ms: number, to_ms: number}} Span
 * @typedef {{number: number, kind: string, at_ms: number, title: string, detail: string, tone: Tone, minor: boolean, rank: number, after: boolean}} Mark
 * @typedef {{from_ms: number, to_ms: number, began_ms: number | null, sound_ms: number, spans: Span[], marks: Mark[], lanes: Lane[]}} Timeline
 */

import { partyOf, say } from "./replay-words.js";

export const AFTER_AT_LEAST_MS = 30_000;
const SHORTEST_MS = 1000;

/** @type {Record<string, Lane>} */
const LANES = { point: "caller", operator: "operator", outside: "outside" };
/**
 * How a leg's state is shown; what is not here is shown as nothing.
 * @type {Record<string, string>}
 */
const KINDS = { arriving: "waiting", early: "waiting", dialling: "dialling", ringing: "ringing", up: "up" };
/** @type {Record<string, string>} */
const WORD = { waiting: "waits", dialling: "dialled", ringing: "rings", up: "in the call", hold: "on hold", silent: "no sound" };

/** @param {string} at */
export function utcMs(at) {
  return Date.parse(at);
}

/**
 * The whole timeline. `began` is when the recording begins, where the service knows; else it is where the first leg was made.
 * @param {{started: string, ended: string | null, legs: Leg[]}} call @param {Fact[]} facts @param {Names} names
 * @param {{began: string | null, duration_ms: number} | null} sound @param {number} now_ms
 * @returns {Timeline}
 */
export function timelineOf(call, facts, names, sound, now_ms) {
  const started = utcMs(call.started);
  const first = facts.find((one) => one.kind === "LegCreated" && one.body.role === "point");
  const began = sound ? utcMs(sound.began ?? first?.at ?? call.started) : null;
  const ended = call.ended ? utcMs(call.ended) : now_ms;
  const from_ms = Math.min(started, ...(began === null ? [] : [began]), ...facts.filter(isPress).map((one) => utcMs(one.at)));
  const over_ms = Math.max(ended, began === null || !sound ? 0 : began + sound.duration_ms, from_ms + SHORTEST_MS);
  const to_ms = endOfView(facts, from_ms, over_ms);
  const spans = spansOf(facts, names, over_ms);
  const marks = facts.map((fact) => markOf(fact, names, to_ms));
  const lanes = /** @type {Lane[]} */ (["caller", "operator", "outside"]).filter((lane) => lane !== "outside" || spans.some((span) => span.lane === lane));
  return { from_ms, to_ms, began_ms: began, sound_ms: sound?.duration_ms ?? 0, spans, marks, lanes };
}

/** @param {Fact} fact */
function isPress(fact) {
  return fact.kind === "CallOpened";
}

/**
 * The outcome is shown to scale where it came soon enough not to squeeze the call.
 * @param {Fact[]} facts @param {number} from_ms @param {number} over_ms
 */
function endOfView(facts, from_ms, over_ms) {
  const limit = over_ms + Math.max(AFTER_AT_LEAST_MS, (over_ms - from_ms) / 2);
  const soon = facts
    .filter((one) => ["OutcomeRecorded", "IncidentMoved"].includes(one.kind))
    .map((one) => utcMs(one.at))
    .filter((at) => at > over_ms && at <= limit);
  return soon.length ? Math.max(...soon) + (over_ms - from_ms) * 0.02 : over_ms;
}

/** @param {Fact} fact @param {Names} names @param {number} to_ms @returns {Mark} */
function markOf(fact, names, to_ms) {
  const { title, detail = "", tone = "quiet", minor = false, rank = 0 } = say(fact, names);
  const at_ms = utcMs(fact.at);
  return { number: fact.number, kind: fact.kind, at_ms, title, detail, tone, minor, rank, after: at_ms > to_ms };
}

/**
 * What every party did from when to when.
 * @param {Fact[]} facts @param {Names} names @param {number} over_ms @returns {Span[]}
 */
function spansOf(facts, names, over_ms) {
  /** @type {Span[]} */
  const spans = [];
  /** @type {Map<string, {kind: string, from_ms: number}>} */
  const open = new Map();
  const close = (/** @type {string} */ key, /** @type {string} */ leg, /** @type {number} */ to_ms) => {
    const was = open.get(key);
    const lane = LANES[names.legs[leg]?.role];
    open.delete(key);
    if (was && lane && to_ms > was.from_ms) {
      const who = lane === "caller" ? "Caller" : partyOf(leg, names);
      spans.push({ lane, kind: was.kind, text: `${who} ${WORD[was.kind]}`, from_ms: was.from_ms, to_ms });
    }
  };
  const begin = (/** @type {string} */ key, /** @type {string} */ leg, /** @type {string | undefined} */ kind, /** @type {number} */ at_ms) => {
    close(key, leg, at_ms);
    if (kind) {
      open.set(key, { kind, from_ms: at_ms });
    }
  };
  for (const fact of facts) {
    const { body } = fact;
    const at_ms = utcMs(fact.at);
    if (fact.kind === "LegCreated") {
      begin(body.leg, body.leg, body.inbound ? "waiting" : "dialling", at_ms);
    } else if (fact.kind === "LegMoved") {
      begin(body.leg, body.leg, KINDS[body.new], at_ms);
      if (body.new === "ended") {
        close(`${body.leg}/silent`, body.leg, at_ms);
        close(`${body.leg}/hold`, body.leg, at_ms);
      }
    } else if (fact.kind === "LineChanged") {
      begin(`${body.leg}/silent`, body.leg, body.sounding ? undefined : "silent", at_ms - (body.sounding ? 0 : body.silent_ms || 0));
    } else if (fact.kind === "CallHeld") {
      const here = [...open].filter(([leg, was]) => was.kind === "up" && names.legs[leg]?.role === "point");
      here.forEach(([leg]) => begin(`${leg}/hold`, leg, body.held ? "hold" : undefined, at_ms));
    }
  }
  for (const key of [...open.keys()]) {
    close(key, key.split("/")[0], over_ms);
  }
  return spans.sort((a, b) => a.from_ms - b.from_ms);
}

/**
 * Names of one call: those of its plan, and its legs.
 * @param {any} names @param {Leg[]} legs @returns {Names}
 */
export function withLegs(names, legs) {
  return { ...names, legs: Object.fromEntries(legs.map((leg) => [leg.id, { role: leg.role, party: leg.party }])) };
}
