/** Whose track of a call can be heard alone, and the shapes of them. */

import { ask } from "./api.js";
import { partyOf } from "./replay-words.js";

/** @typedef {import("./replay-silence.js").Loudness} Loudness */
/** @typedef {{leg: string, name: string, said: string}} Track  `leg` is "" for the whole call; `said`: its name within a sentence */

/** @type {Track} */
export const WHOLE = { leg: "", name: "Whole call", said: "the whole call" };
const BUCKET_MS = 100;
const MOST_BUCKETS = 4000; // of one answer
const COARSE_WIDTH = 2000;

/**
 * The whole call, then each party that has a track of its own; one that came twice is numbered.
 * @param {any} call @param {import("./replay-words.js").Names} names @returns {Track[]}
 */
export function tracksOf(call, names) {
  const files = Object.keys(call.recording?.files ?? {});
  const legs = call.legs.filter((/** @type {any} */ one) => files.some((name) => name.endsWith(`/${one.id}.flac`)));
  const named = legs.map((/** @type {any} */ one) => ({ leg: one.id, name: partyOf(one.id, names) }));
  return [WHOLE, ...named.map((/** @type {{leg: string, name: string}} */ { leg, name }, /** @type {number} */ place) => {
    const alike = named.slice(0, place + 1).filter((/** @type {{name: string}} */ one) => one.name === name).length;
    const said = `${name}${alike > 1 ? ` (${alike})` : ""}`;
    return { leg, said, name: `${said[0].toUpperCase()}${said.slice(1)}` };
  })];
}

/** @param {string} call @param {string} leg @param {string} query */
function address(call, leg, query) {
  return `/api/calls/${encodeURIComponent(call)}/peaks?${query}${leg ? `&leg=${encodeURIComponent(leg)}` : ""}`;
}

/**
 * The shape of one track, as coarse as a page shows all of it. Throws `Refused`.
 * @param {string} call @param {string} leg
 */
export function shapeOfTrack(call, leg) {
  return ask("GET", address(call, leg, `width=${COARSE_WIDTH}`));
}

/**
 * How loud each tenth of a second of a track is, piece by piece. Throws `Refused`.
 * @param {string} call @param {string} leg @param {number} length_ms @returns {Promise<Loudness>}
 */
export async function loudnessOf(call, leg, length_ms) {
  const count = Math.max(1, Math.ceil(length_ms / BUCKET_MS));
  const bucket_ms = length_ms / count;
  /** @type {Uint8Array[]} */
  const sides = [];
  for (let at = 0; at < count; at += MOST_BUCKETS) {
    const width = Math.min(MOST_BUCKETS, count - at);
    const shape = await ask("GET", address(call, leg, `width=${width}&from_ms=${at * bucket_ms}&to_ms=${(at + width) * bucket_ms}`));
    shape.sides.forEach((/** @type {{peaks: [number, number][]}} */ side, /** @type {number} */ place) => {
      sides[place] ??= new Uint8Array(count);
      side.peaks.forEach(([low, high], n) => (sides[place][at + n] = Math.max(-low, high)));
    });
  }
  return { bucket_ms, length_ms, sides };
}

/**
 * Why one track cannot be heard, in words.
 * @param {{code: string, message: string, what_to_do: string}} error
 */
export function whyNotAlone(error) {
  if (error.code === "second-person-needed") {
    return "One party’s track is a copy, and here a copy needs a second person. Ask for it with E; another supervisor or auditor approves it. "
      + "The whole call can be listened to, and each of its sides with 1 and 2.";
  }
  return `${error.message} ${error.what_to_do}`;
}
