/** What one call's page is made of, brought together from the service. */

import { ask, Refused } from "./api.js";
import { holdsOf } from "./replay-holds.js";
import { bucketsOf } from "./replay-wave.js";
import { timelineOf, withLegs } from "./replay-timeline.js";
import { whole } from "./replay-view.js";
import { deletedBy } from "./replay-words.js";

/** @typedef {{title: string, text: string, again: boolean}} Soundless  why there is nothing to hear; `again`: it may come */

const FIRST_WIDTH = 2000;
export const NO_NAMES = { plan: "Help points", plan_version: 0, time_zone: "UTC", points: {}, operators: {}, parties: {}, outcomes: {}, classes: {} };

/** @param {string} id */
const path = (id) => `/api/calls/${encodeURIComponent(id)}`;

/** The newest plan's names; a service without a plan has none. */
export async function newestNames() {
  return unless404(ask("GET", "/api/names"), NO_NAMES);
}

/** @param {Promise<any>} asked @param {any} otherwise */
async function unless404(asked, otherwise) {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) {
      return otherwise;
    }
    throw error;
  }
}

/**
 * Everything of a call. Throws `Refused`.
 * @param {string} id @param {any} names of the newest plan @param {number} now_ms
 */
export async function loadCall(id, names, now_ms) {
  const [call, facts, shape] = await Promise.all([ask("GET", path(id)), ask("GET", `${path(id)}/timeline`), shapeOf(id, FIRST_WIDTH)]);
  const [incident, holds] = await Promise.all([ask("GET", `/api/incidents/${encodeURIComponent(call.incident)}`), holdsOf(call.incident)]);
  const frozen = incident.plan_version === names.plan_version ? names : await unless404(ask("GET", `/api/names?version=${incident.plan_version}`), names);
  const sound = "error" in shape ? null : shape;
  const all = withLegs(frozen, call.legs);
  const timeline = timelineOf(call, facts.items, all, sound, now_ms);
  return {
    state: "ready", id, call, incident, holds, names: { ...frozen, legs: all.legs }, timeline, sound,
    may_export: !("error" in shape && shape.error.status === 403),
    soundless: "error" in shape ? soundless(shape.error, call) : null,
    shapes: sound ? [sound] : [],
    view: whole(timeline.from_ms, timeline.to_ms),
  };
}

/**
 * The shape of the sound, or why there is none.
 * @param {string} id @param {number} width @param {string} [stretch]
 */
async function shapeOf(id, width, stretch = "") {
  try {
    return await ask("GET", `${path(id)}/peaks?width=${width}${stretch}`);
  } catch (error) {
    if (error instanceof Refused && [403, 404, 410, 503].includes(error.status)) {
      return { error };
    }
    throw error;
  }
}

/**
 * The shape of what is looked at, as fine as the canvas shows it; null where it cannot be had.
 * @param {string} id @param {import("./replay-view.js").View} view @param {import("./replay-timeline.js").Timeline} timeline
 * @param {HTMLCanvasElement} canvas @param {{leg: string, sound: {duration_ms: number} | null}} track
 */
export async function nearShape(id, view, timeline, canvas, track) {
  const began = timeline.began_ms ?? 0;
  const from = Math.max(0, view.from_ms - began);
  const to = Math.min(track.sound?.duration_ms ?? timeline.sound_ms, view.to_ms - began);
  if (to <= from) {
    return null;
  }
  const share = (to - from) / (view.to_ms - view.from_ms);
  try {
    const shape = await shapeOf(id, Math.max(1, Math.round(bucketsOf(canvas) * share)), `&from_ms=${from}&to_ms=${to}${track.leg ? `&leg=${encodeURIComponent(track.leg)}` : ""}`);
    return "error" in shape ? null : shape;
  } catch (error) {
    if (error instanceof Refused) {
      return null; // the coarse one stays
    }
    throw error;
  }
}

/** @param {Refused} error @param {any} call @returns {Soundless} */
function soundless(error, call) {
  if (call.deleted) {
    return { title: `The recording was deleted on ${call.deleted.at.slice(0, 10)}, ${deletedBy(call.deleted)}.`, text: "What happened stays below.", again: false };
  }
  if (error.status === 403) {
    return { title: "You can see this call, not listen to it.", text: "Recordings are played for supervisors and auditors.", again: false };
  }
  if (error.status === 503) {
    return { title: error.message, text: error.what_to_do, again: false };
  }
  if (call.state !== "ended") {
    return { title: "This call is still going on.", text: "Its recording is made when it is over.", again: true };
  }
  if (call.recording?.last_failure && !Object.keys(call.recording.files).length) {
    return { title: "The recording could not be made yet.", text: `${call.recording.last_failure}. It is tried again.`, again: true };
  }
  if (call.recording) {
    return { title: "There is no sound.", text: "Nothing was captured in this call.", again: false };
  }
  return { title: "The recording is being made.", text: "It is here within a minute of the call’s end.", again: true };
}
