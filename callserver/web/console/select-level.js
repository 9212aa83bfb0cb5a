/** What the archivist hears on the disk of a conversation, in words; and how long the disks have room. Pure. */

import { roughly } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Call} Call */
/** @typedef {import("./types.js").Leg} Leg */
/** @typedef {import("./types.js").Level} Level */

export const LOWEST_DB = -60;
const CLIPPED_FROM = 1; // per cent of samples
const SOON_H = 14 * 24;
const HOUR_MS = 3_600_000;

/** @type {Record<string, string>} why what is on the disk of a side is not its sound */
const DOUBTS = {
  nothing: "nothing arrives",
  "not-written": "not written",
  unreadable: "not readable",
  dead: "dead silence",
  random: "static",
  law: "static",
  static: "noise",
  overload: "far too loud",
  copy: "the other side\u2019s",
};

/**
 * A side of a conversation: its level in dB of full scale (null: nobody measured it in the last seconds), whether that is its sound, what is
 * said of its recording and how that is coloured. Null where there is no conversation, or nothing can be known yet.
 * @param {State} state
 * @param {Call} call
 * @param {Leg} leg
 * @returns {{db: number | null, sounds: boolean, word: string, tone: string} | null}
 */
export function levelOf(state, call, leg) {
  const sound = state.board.sound[call.id];
  if (!sound || leg.state !== "up") {
    return null;
  }
  if (sound.measured_ms === null) {
    return { db: null, sounds: false, word: "not measured", tone: "amber" };
  }
  const level = sound.legs[leg.id];
  return level ? { db: Math.max(LOWEST_DB, Math.min(0, level.rms)), ...said(level) } : null;
}

/** @param {Level} level */
function said(level) {
  if (level.state === "doubtful") {
    return { sounds: false, word: DOUBTS[level.why] ?? level.why, tone: "red" };
  }
  if (level.clipped >= CLIPPED_FROM) {
    return { sounds: true, word: "clipping", tone: "amber" };
  }
  return level.state === "good" ? { sounds: true, word: "recorded", tone: "green" } : { sounds: false, word: "no sound yet", tone: "quiet" };
}

/**
 * The disk that is full first, if that is within two weeks: in words.
 * @param {State} state
 */
export function fillingDisk(state) {
  const hours = Object.values(state.board.disk).map((one) => one.hours_left ?? Infinity);
  const first = Math.min(Infinity, ...hours);
  return first < SOON_H ? `Disk full in ${roughly(first * HOUR_MS)}` : "";
}
