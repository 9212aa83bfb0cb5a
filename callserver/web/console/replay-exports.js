/** What leaves the record: how an export, an entry of the register or a request for access is asked for, and what is sent. */

import { ask } from "./api.js";
import { askForm } from "./replay-forms.js";
import { beginOfDay, dayField, dayTime } from "./replay-time.js";
import { utcMs } from "./replay-timeline.js";

/** @typedef {{exports: any[], four_eyes: boolean, disclosures: any[], requests: any[]}} Desk */

const EARLIER = [["kept", "Stays covered"], ["open", "Is left open"]];
const COVERS = [["tone", "A tone"], ["silence", "Silence"]];
export const WHATS = /** @type {Record<string, string>} */ ({ pack: "Evidence pack", redaction: "Redacted copy", recording: "Copy of the recording" });
export const HOWS = [["given", "Given"], ["refused", "Refused"], ["nothing-held", "Nothing is held"]];
const KINDS = [
  ["pack", "Evidence pack of the incident"], ["redacted-pack", "Evidence pack with redacted sound"],
  ["recording", "Copy of this recording"], ["redaction", "Redacted copy of this recording"],
];
const WHY = "Write why, in a few words.";

/**
 * Everything of the desk. Throws `Refused`.
 * @returns {Promise<Desk>}
 */
export async function loadDesk() {
  const [exports, register, requests] = await Promise.all([ask("GET", "/api/exports"), ask("GET", "/api/disclosures"), ask("GET", "/api/access-requests")]);
  return { exports: exports.items, four_eyes: exports.four_eyes, disclosures: register.items, requests: requests.items };
}

/**
 * Spans that were typed, in milliseconds: `12.0-15.5, 20-21`. None for nothing; null for what is no span.
 * @param {string} text @returns {[number, number][] | null}
 */
export function spansOf(text) {
  const spans = text.split(",").map((one) => one.trim()).filter(Boolean).map((one) => {
    const found = /^(\d{1,6}(?:\.\d{1,3})?)\s*[-–]\s*(\d{1,6}(?:\.\d{1,3})?)$/.exec(one);
    return /** @type {[number, number]} */ (found ? [Math.round(Number(found[1]) * 1000), Math.round(Number(found[2]) * 1000)] : [0, 0]);
  });
  return spans.every(([begin, end]) => begin < end) ? spans : null;
}

/**
 * A span as it is typed, in tenths that lie around it: what is chosen is covered whole.
 * @param {[number, number] | null} span  in ms
 */
export function secondsOf(span) {
  return span ? `${(Math.floor(span[0] / 100) / 10).toFixed(1)}-${(Math.ceil(span[1] / 100) / 10).toFixed(1)}` : "";
}

/** @param {Record<string, string>} given */
const redacted = ({ kind }) => kind === "redaction";

/**
 * The address and body of what was chosen.
 * @param {{id: string, incident: string}} call @param {Record<string, string>} given
 */
export function wishOf(call, given) {
  const { kind, reason } = given;
  if (kind.endsWith("pack")) {
    return { path: `/api/incidents/${encodeURIComponent(call.incident)}/pack`, body: { reason, redacted: kind !== "pack" } };
  }
  const path = `/api/calls/${encodeURIComponent(call.id)}`;
  if (kind === "recording") {
    return { path: `${path}/export`, body: { reason } };
  }
  return { path: `${path}/redaction`, body: { reason, spans_ms: spansOf(given.spans) ?? [], party: given.party, cover: given.cover, alone: given.earlier === "open" } };
}

/**
 * Ask for an export of the call that is open; what was made of it, in words, or null when nobody wants it after all. Throws `Refused`.
 * @param {HTMLDialogElement} dialog @param {any} call @param {(leg: string) => string} partyOf @param {[number, number] | null} span  what is
 *   chosen on the page, in ms of the recording
 * @returns {Promise<string | null>}
 */
export async function askExport(dialog, call, partyOf, span) {
  const legs = call.legs.map((/** @type {any} */ leg) => [leg.id, `${partyOf(leg.id)} (${leg.role}) alone`]);
  const given = await askForm(dialog, {
    title: "What is to leave the record?",
    text: "It is journalled with your name and this reason. The original is not touched.",
    fields: [
      { name: "kind", label: "What", kind: "choice", options: KINDS },
      { name: "reason", label: "Why, with a reference if there is one" },
      { name: "spans", label: "What is covered, in seconds", value: secondsOf(span), hint: "12.0-15.5, 20-21. Empty: all of it. A span that is chosen on the page stands here already.", asked: redacted },
      { name: "party", label: "Who is covered", kind: "choice", asked: redacted, options: [["everyone", "Everyone"], ["point", "The point"], ["others", "Everyone but the point"], ...legs] },
      { name: "cover", label: "With", kind: "choice", options: COVERS, asked: redacted },
      { name: "earlier", label: "What earlier redactions covered", kind: "choice", options: EARLIER, asked: redacted },
    ],
    done: "Ask for it",
    fault: ({ kind, reason, spans }) => (!reason ? ["reason", WHY] : redacted({ kind }) && spansOf(spans) === null ? ["spans", "Write from and to in seconds: 12.0-15.5."] : null),
  });
  if (!given) {
    return null;
  }
  const { path, body } = wishOf(call, given);
  const made = await ask("POST", path, body);
  return `It is asked for. ${made.what_to_do}`;
}

/**
 * Enter something that was handed out. Throws `Refused`.
 * @param {HTMLDialogElement} dialog @param {Desk} desk @param {string} zone
 */
export async function askDisclosure(dialog, desk, zone) {
  const made = desk.exports.filter((one) => one.made || one.what === "recording");
  const given = await askForm(dialog, {
    title: "What was handed out?",
    text: "An entry of the register stays as it is.",
    fields: [
      { name: "export", label: "Which export", kind: "choice", options: [["", "None of these"], ...made.map((one) => [one.id, `${WHATS[one.what] ?? one.what}, asked for ${dayTime(utcMs(one.asked), zone)} by ${one.by}: ${one.reason || "the reason was erased"}`])] },
      { name: "incident", label: "Incident, where it is none of these", asked: (one) => !one.export },
      { name: "what", label: "What" },
      { name: "recipient", label: "To whom" },
      { name: "legal_basis", label: "By which law or order" },
      { name: "why", label: "Why" },
    ],
    done: "Enter",
    fault: (one) => {
      const empty = ["what", "recipient", "legal_basis"].find((name) => !one[name]) ?? (one.export || one.incident ? "" : "incident");
      return empty ? [empty, "This cannot be empty."] : null;
    },
  });
  const incident = given && (made.find((one) => one.id === given.export)?.incident ?? given.incident);
  return given && ask("POST", "/api/disclosures", { ...given, incident });
}

/**
 * Enter a request for access. Throws `Refused`.
 * @param {HTMLDialogElement} dialog @param {number} now_ms @param {string} zone  the plan's: its days count
 */
export async function askRequest(dialog, now_ms, zone) {
  const today = dayField(now_ms, zone);
  const given = await askForm(dialog, {
    title: "Who asks what is held of them?",
    text: "It is due one calendar month after it came; an alarm rings a week before.",
    fields: [{ name: "subject", label: "Who" }, { name: "received", label: "When it came", kind: "date", value: today, max: today }],
    done: "Enter",
    fault: ({ subject, received }) => (!subject ? ["subject", "Write who asks."] : !received || received > today ? ["received", "Choose the day on which it came."] : null),
  });
  return given && ask("POST", "/api/access-requests", { subject: given.subject, received: given.received === today ? null : startOf(given.received, zone) });
}

/**
 * The first moment of a day there.
 * @param {string} day @param {string} zone
 */
export function startOf(day, zone) {
  return new Date(/** @type {number} */ (beginOfDay(day, zone))).toISOString();
}

/**
 * Enter how a request was answered. Throws `Refused`.
 * @param {HTMLDialogElement} dialog @param {any} request
 */
export async function askAnswer(dialog, request) {
  const given = await askForm(dialog, {
    title: "How was it answered?",
    text: `The request of ${request.subject || "somebody whose name was erased"}. Its alarm ends with this.`,
    fields: [{ name: "how", label: "Answer", kind: "choice", options: HOWS }, { name: "note", label: "More" }],
    done: "Enter",
    fault: () => null,
  });
  return given && ask("POST", `/api/access-requests/${encodeURIComponent(request.id)}/answer`, given);
}

/**
 * Agree to what somebody else asked for. Throws `Refused`.
 * @param {string} id
 */
export async function approve(id) {
  await ask("POST", `/api/exports/${encodeURIComponent(id)}/approve`);
  return "Approved. The archivist makes it.";
}
