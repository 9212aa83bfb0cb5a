/** Everything the console says that is computed: states, times, counts. Pure. */

/** @typedef {import("./types.js").Incident} Incident */
/** @typedef {import("./types.js").Leg} Leg */
/** @typedef {import("./types.js").Operator} Operator */
/** @typedef {import("./types.js").Point} Point */

/**
 * A length of time as a clock shows it: 0:07, 12:40, 1:02:03.
 * @param {number} ms
 */
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/**
 * A length of time in words, rounded: 7 s, 12 min, 3 h, 4 days.
 * @param {number} ms
 */
export function roughly(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) {
    return `${s} s`;
  }
  if (s < 3600) {
    return `${Math.floor(s / 60)} min`;
  }
  return s < 48 * 3600 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} days`;
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const clocks = new Map();

/**
 * The time of day in the plan's zone; with seconds if wanted.
 * @param {number} ms
 * @param {string} zone
 * @param {boolean} [seconds]
 */
export function clock(ms, zone, seconds = false) {
  const key = `${zone} ${seconds}`;
  let format = clocks.get(key);
  if (!format) {
    /** @type {Intl.DateTimeFormatOptions} */
    const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone || "UTC" };
    format = new Intl.DateTimeFormat("en-GB", seconds ? { ...options, second: "2-digit" } : options);
    clocks.set(key, format);
  }
  return format.format(ms);
}

/** @param {number} n @param {string} one @param {string} [many] */
export function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/** @param {string[]} names */
export function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

/**
 * How large a place is set: the longer it is, the smaller, so that all of it can be read.
 * @param {string} place
 */
export function placeClass(place) {
  return place.length > 56 ? "place long" : "place";
}

export const CLASS_WORDS = ["Emergency", "High", "Normal", "Information"];
export const CLASS_TONES = ["red", "amber", "blue", "quiet"];

/** @param {{priority?: number, class?: string} | null | undefined} incident */
export function className(incident) {
  const word = incident?.class || CLASS_WORDS[incident?.priority ?? 2] || "Normal";
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/**
 * The colour of a class by its number, or by its name where that is all there is.
 * @param {number | undefined} priority
 * @param {string} [name]
 */
export function classTone(priority, name = "") {
  const place = priority ?? CLASS_WORDS.findIndex((word) => word.toLowerCase() === name.toLowerCase());
  return CLASS_TONES[place] ?? "blue";
}

/** @type {Record<string, string>} */
const LEG_WORDS = { arriving: "arriving", early: "hears us, not answered yet", dialling: "being dialled", ringing: "ringing", up: "in the call", ending: "leaving" };

/** @type {Record<string, [string, string]>} how a seat that was brought in takes part */
const PART_WORDS = { listen: ["listens", "blue"], whisper: ["whispers", "blue"], private: ["private", "amber"], join: ["in the call", "green"] };

/**
 * What a leg does, and how that is coloured.
 * @param {Leg} leg
 * @param {boolean} held
 * @returns {[string, string]}
 */
export function legWords(leg, held) {
  if (leg.state === "up" && leg.accepted === false) {
    return ["hears what it is about", "blue"];
  }
  if (leg.one_way?.includes("out") && leg.state !== "ending") {
    return [leg.role === "point" ? "cannot hear us" : "cannot hear the call", "red"];
  }
  if (leg.one_way?.includes("in") && leg.state !== "ending") {
    return ["is not heard", "red"];
  }
  if (leg.state === "up" && leg.muted) {
    return ["muted", "amber"];
  }
  if (leg.state === "up" && held && ["point", "brought"].includes(leg.role)) {
    return ["on hold", "amber"];
  }
  if (leg.state === "up" && leg.role === "supervisor" && PART_WORDS[leg.mode]) {
    return PART_WORDS[leg.mode];
  }
  if (leg.state === "up" && leg.sounding === false) {
    return ["line silent", "amber"];
  }
  return [LEG_WORDS[leg.state] ?? leg.state, leg.state === "up" ? "green" : leg.state === "ending" ? "quiet" : "blue"];
}

/** @type {Record<string, [string, string]>} */
const OPERATOR_WORDS = {
  off: ["Off duty", "faint"],
  available: ["Available", "green"],
  offered: ["Ringing", "red"],
  talking: ["Talking", "green"],
  "wrap-up": ["Wrap-up", "blue"],
  paused: ["Paused", "amber"],
};

/** @param {Operator} operator @returns {[string, string]} */
export function operatorWords(operator) {
  const [word, tone] = OPERATOR_WORDS[operator.state] ?? [operator.state, "quiet"];
  const unreachable = operator.reachable === false && !["off", "paused"].includes(operator.state);
  const why = operator.state === "paused" && operator.reason ? `: ${operator.reason}` : "";
  return unreachable ? [`${word}, cannot be reached`, "amber"] : [word + why, tone];
}

/** @param {Point} point @returns {[string, string]} */
export function pointWords(point) {
  if (point.reachable === false) {
    return ["Cannot be reached", "red"];
  }
  if (point.reachable === null && point.expects_register) {
    return ["Never heard of", "amber"];
  }
  if (point.reachable === null && !point.incident) {
    return ["Not expected to register", "faint"];
  }
  return point.incident ? ["Open incident", "blue"] : ["Reachable", "green"];
}

/**
 * What is being done about a waiting incident.
 * @param {Incident} incident
 * @param {string[]} rung
 * @param {string} party
 */
export function effort(incident, rung, party) {
  if (incident.by_hand) {
    return "Parked";
  }
  const again = incident.presses > 1 ? `, pressed ${incident.presses} times` : "";
  const ring = rung.length ? `Ringing ${rung.length > 2 ? count(rung.length, "seat") : list(rung)}` : "Nobody free";
  const doing = `${party ? `Calling ${party}` : ring}${incident.only ? ` (for ${incident.only} alone)` : ""}${again}`;
  return incident.parked ? `Interrupted. ${doing}` : doing;
}
