/** Times as the replay shows them: offsets into a recording, clock times of a zone, ticks of a scale. Pure. */

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} zone @param {Intl.DateTimeFormatOptions} options */
function format(zone, options) {
  const key = `${zone}|${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone || "UTC", hourCycle: "h23" });
    formats.set(key, found);
  }
  return found;
}

/**
 * Time of day with seconds, in the plan's zone.
 * @param {number} ms @param {string} zone
 */
export function clockTime(ms, zone) {
  return format(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms);
}

/**
 * Day and time, as a list shows it.
 * @param {number} ms @param {string} zone
 */
export function dayTime(ms, zone) {
  return format(zone, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }).format(ms);
}

/**
 * The day in full.
 * @param {number} ms @param {string} zone
 */
export function day(ms, zone) {
  return format(zone, { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(ms);
}

/**
 * The day as a date field has it, yyyy-mm-dd.
 * @param {number} ms @param {string} zone
 */
export function dayField(ms, zone) {
  return new Date(wall(ms, zone)).toISOString().slice(0, 10);
}

/**
 * An offset: 0:07.3, 12:40.0, 1:02:03.5; negative ones with a minus.
 * @param {number} ms @param {boolean} [tenths]
 */
export function offset(ms, tenths = true) {
  const sign = ms < -49 ? "−" : "";
  const all = Math.round(Math.abs(ms) / 100);
  const s = Math.floor(all / 10);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const whole = s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return `${sign}${whole}${tenths ? `.${all % 10}` : ""}`;
}

const STEPS_MS = [100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3, 14400e3];

/**
 * Where a scale has its ticks: round offsets of `zero_ms`, at most `most` of them.
 * @param {number} from_ms @param {number} to_ms @param {number} zero_ms @param {number} most @returns {number[]}
 */
export function ticks(from_ms, to_ms, zero_ms, most) {
  const step = STEPS_MS.find((one) => (to_ms - from_ms) / one <= most) ?? Math.max(STEPS_MS[STEPS_MS.length - 1], (to_ms - from_ms) / most);
  const found = [];
  for (let n = Math.ceil((from_ms - zero_ms) / step); zero_ms + n * step <= to_ms; n += 1) {
    found.push(zero_ms + n * step);
  }
  return found;
}

/**
 * The moment at which a day given as yyyy-mm-dd begins in a zone, UTC ms.
 * @param {string} date @param {string} zone @param {number} [later] days
 */
export function beginOfDay(date, zone, later = 0) {
  const guess = Date.parse(`${date}T00:00:00Z`) + later * 86_400_000;
  if (Number.isNaN(guess)) {
    return null;
  }
  let at = guess;
  for (let n = 0; n < 3; n += 1) {
    at += guess - wall(at, zone);
  }
  return at;
}

/**
 * What the zone's clock shows, read as if it were UTC.
 * @param {number} ms @param {string} zone
 */
function wall(ms, zone) {
  const parts = format(zone, { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }).formatToParts(ms);
  const get = (/** @type {string} */ type) => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(get("year"), get("month") - 1, get("day"), get("hour"), get("minute"), get("second"));
}
