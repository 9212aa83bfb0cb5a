/**
 * What each kind of fact is called in words. Pure. The table has every kind of docs/facts.md and no other; a test holds it so.
 *
 * @typedef {{number: number, id: string, at: string, kind: string, body: Record<string, any>}} Fact
 * @typedef {{points: Record<string, string>, operators: Record<string, string>, parties: Record<string, string>,
 *   outcomes: Record<string, string>, legs: Record<string, {role: string, party: string}>}} Names
 * @typedef {"red" | "amber" | "green" | "blue" | "quiet"} Tone
 * @typedef {{title: string, detail?: string, tone?: Tone, minor?: boolean, rank?: number}} Said
 *   `minor`: told only where everything is wanted; it repeats another fact or belongs to the works. `rank` (0 where there is none):
 *   the smaller is labelled first where there is not room for all
 */

import { list } from "./words.js";

/** @param {string} words */
function upper(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * Who is at the far end of a leg.
 * @param {string} leg @param {Names} names
 */
export function partyOf(leg, names) {
  const known = names.legs[leg];
  if (!known) {
    return "somebody";
  }
  if (known.role === "point") {
    return "the caller";
  }
  const known_as = known.role === "brought" ? names.points : known.role === "outside" ? names.parties : names.operators;
  return known_as[known.party] ?? known.party;
}

/** @param {string[]} ids @param {Names} names */
function operators(ids, names) {
  return list(ids.map((id) => names.operators[id] ?? id)) || "nobody";
}

/** @param {string} id @param {Names} names */
function person(id, names) {
  return id === "plan" ? "the plan" : names.operators[id] ?? id;
}

/** @param {number} ms */
function seconds(ms) {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/** @param {number} utc_ns */
function dayOf(utc_ns) {
  return new Date(utc_ns / 1e6).toISOString().slice(0, 10);
}

/**
 * By which rule something was deleted, or who asked.
 * @param {Record<string, any>} deletion  with `rule` and `by`
 */
export function deletedBy({ rule, by }) {
  return rule === "request" ? `on request, by ${by}` : `by the rule “${rule}”`;
}

/** @type {Record<string, [string, Tone]>} */
const INCIDENT = {
  waiting: ["The incident waits", "amber"],
  attended: ["The incident is attended", "green"],
  "wrap-up": ["Wrap-up began", "blue"],
  unreviewed: ["Left to be reviewed", "amber"],
  closed: ["The incident was closed", "quiet"],
};

/** @type {Record<string, [string, Tone]>} */
const CALL = {
  waiting: ["The caller waits again", "amber"],
  "calling-back": ["Calling the point back", "amber"],
  talking: ["Conversation began", "green"],
  "wrap-up": ["The caller is gone, the outcome is asked for", "blue"],
  ending: ["The call is being ended", "quiet"],
  ended: ["The call ended", "quiet"],
};

/** @type {Record<string, (who: string, body: Record<string, any>) => Said>} */
const LEG = {
  early: (who) => ({ title: `${upper(who)} hears us, not answered yet`, tone: "quiet", minor: true }),
  ringing: (who) => ({ title: `It rings at ${who}`, tone: "blue", rank: 2 }),
  up: (who) => (who === "the caller" ? { title: "The caller was answered", tone: "green", minor: true } : { title: `${upper(who)} answered`, tone: "green" }),
  ending: (who) => ({ title: `${upper(who)} is being let go`, tone: "quiet", minor: true }),
  ended: (who, body) => ended(who, body),
};

/** @type {Record<string, [string, Tone]>} */
const ENDS = {
  normal: ["hung up", "quiet"],
  cancelled: ["was no longer needed", "quiet"],
  refused: ["refused the call", "amber"],
  unanswered: ["did not answer", "amber"],
  unreachable: ["could not be reached", "red"],
  lost: ["was lost: the line died", "red"],
  failed: ["failed", "red"],
  internal: ["was lost by a fault of ours", "red"],
  unknown: ["is gone, nobody knows why", "amber"],
};

/** @param {string} who @param {Record<string, any>} body @returns {Said} */
function ended(who, body) {
  const end = body.termination;
  const [words, tone] = ENDS[end?.kind] ?? ENDS.unknown;
  const ours = end?.kind === "normal" && end.by === "us";
  const status = end?.status ? ` (${end.status})` : "";
  return {
    title: `${upper(who)} ${ours ? "was let go" : end?.kind === "cancelled" && end.by === "party" ? "gave up before an answer" : words}`,
    detail: `${end?.reason || body.reason}${status}`,
    tone,
    rank: who === "the caller" ? 0 : 1,
  };
}

/** @type {Record<string, [string, Tone]>} */
const OFFERS = {
  accepted: ["Offer accepted", "green"],
  "rung-out": ["Nobody answered the offer", "amber"],
  refused: ["The offer was refused", "amber"],
  withdrawn: ["The offer was withdrawn", "quiet"],
};

/** @param {Record<string, any>} body @param {Names} names @returns {Said} */
function shaped(body, names) {
  /** @type {{talk: string[], prompts: {name: string, to: string[]}[]}} */
  const { talk, prompts } = { talk: [], prompts: [], ...body.shape };
  const together = talk.map((leg) => partyOf(leg, names));
  const played = prompts.map((one) => `“${one.name}” to ${list(one.to.map((leg) => partyOf(leg, names)))}`);
  return {
    title: together.length > 1 ? `${upper(list(together))} hear each other` : "Nobody is connected yet",
    detail: played.length ? `plays ${list(played)}` : "",
    tone: "quiet",
    minor: true,
  };
}

const CLASSES = ["emergency", "high", "normal", "information"];

/** @type {Record<string, string>} */
const MODES = { listen: "listens", whisper: "speaks to the operator alone", join: "is in the conversation", private: "speaks apart, the caller is on hold" };

/** @type {Record<string, string>} */
const EXPORTS = { pack: "an evidence pack", redaction: "a redacted copy", recording: "a copy of the recording" };

/** @type {Record<string, string>} why keys are sent to a device */
const KEYS = { acknowledge: "to say that a person is there", end: "before the call ends" };

/** @type {Record<string, string>} why what is on the disk of a leg is not its sound; core.kept has the alarm's words */
const DOUBTS = {
  nothing: "nothing arrives",
  "not-written": "it arrives, and the disk does not get it",
  unreadable: "the disk cannot be read",
  dead: "a machine’s silence: muted, or a dead microphone",
  random: "static: encrypted, or another codec",
  law: "static: the wrong one of A-law and mu-law",
  static: "nothing but loud noise",
  overload: "loud beyond understanding",
  copy: "a copy of the other side",
};

/** @type {Record<string, string>} */
const TAKEN = { recording: "the recording", leg: "the recording of one party", disclosures: "the register", quality: "the report on quality" };

/**
 * Spans of a recording in words.
 * @param {[number, number][]} spans  from and to in ms
 */
export function spansOf(spans) {
  return spans.length ? list(spans.map(([from, to]) => `${place(from)} to ${place(to)}`)) : "nothing";
}

/**
 * A place in a recording, as 0:05.
 * @param {number} ms
 */
function place(ms) {
  const seconds = Math.floor(ms / 1000);
  const ends = [Math.floor(seconds / 60) % 60, seconds % 60].map((one) => String(one).padStart(2, "0")).join(":");
  return seconds >= 3600 ? `${Math.floor(seconds / 3600)}:${ends}` : ends.replace(/^0/, "");
}

/** @param {[number, number][]} bytes */
const sizeOf = (bytes) => bytes.reduce((sum, [from, to]) => sum + to - from, 0);

/** @type {Record<string, (body: Record<string, any>, names: Names) => Said>} */
export const WORDS = {
  PlanAdopted: (b) => ({ title: `Plan ${b.version} came into force`, detail: `by ${b.by}`, minor: true }),
  IncidentOpened: (b, n) => ({ title: "The button was pressed", detail: n.points[b.point] ?? b.point, tone: "red" }),
  IncidentRejoined: (b) => ({ title: "The button was pressed again", detail: b.why, tone: "red" }),
  IncidentMoved: (b) => ({
    title: (INCIDENT[b.new] ?? [`The incident is ${b.new}`])[0],
    detail: b.reason,
    tone: INCIDENT[b.new]?.[1],
    minor: b.new === "attended" || b.new === "closed",
  }),
  IncidentReclassified: (b) => ({ title: `The class is ${CLASSES[b.new] ?? b.new} now, not ${CLASSES[b.old] ?? b.old}`, detail: b.why, tone: b.new < b.old ? "red" : "amber" }),
  IncidentHandedOver: (b) => ({ title: `Handed to queue ${b.queue}`, detail: b.reason.replace(/^step \d+: /, ""), tone: "amber", rank: 1 }),
  IncidentParked: (b, n) => ({ title: "The conversation was interrupted for a more urgent call", detail: `${person(b.operator, n)} had it`, tone: "amber", rank: 1 }),
  IncidentDirected: (b, n) => ({ title: `Passed on to ${person(b.only.replace(/^(operator|group|party):/, ""), n)}`, detail: `by ${person(b.by, n)}`, tone: "blue", rank: 1 }),
  DirectionEnded: (b) => ({ title: "Everybody may take the call again", detail: b.reason, tone: "amber" }),
  IncidentChosen: (b, n) => ({ title: `${person(b.operator, n)} is to take this call`, detail: `by ${person(b.by, n)}`, tone: "blue" }),
  IncidentListed: (b) => ({ title: b.cause === "review" ? "To be reviewed" : "To be called back", detail: b.why, tone: "amber", rank: 1 }),
  IncidentUnlisted: (b) => ({ title: "Off the call-back list", detail: b.why, minor: true }),
  OwnerNamed: (b, n) => ({ title: b.operator ? `${person(b.operator, n)} owns it` : "It is nobody’s", detail: b.by === "rule" ? b.why : `${b.why}, by ${person(b.by, n)}`, tone: b.operator ? "blue" : "red", rank: 1 }),
  OwnerAcknowledged: (b, n) => ({ title: `${person(b.operator, n)} has seen that it was passed`, tone: "blue" }),
  CallBackBegun: (b, n) => ({ title: `${person(b.operator, n)} calls the point back`, tone: "blue", rank: 1 }),
  ConditionMet: (b) => ({ title: `A condition of the ladder is met: ${b.condition}`, detail: b.why, tone: "amber" }),
  NoticeOrdered: (b) => ({ title: `${b.notice} is told`, detail: b.text, tone: "amber" }),
  NoticeSettled: (b) => ({ title: b.delivered ? "The notice was delivered" : "The notice was given up", detail: b.why, tone: b.delivered ? "quiet" : "red" }),
  OutcomeRecorded: (b, n) => ({
    title: `Outcome: ${n.outcomes[b.outcome] ?? b.outcome}`,
    detail: `by ${person(b.by, n)}${b.note ? `: ${b.note}` : ""}`,
    tone: "blue",
  }),
  CallOpened: () => ({ title: "A call began", minor: true }),
  CallMoved: (b) => ({
    title: (CALL[b.new] ?? [`The call is ${b.new}`])[0],
    detail: b.reason,
    tone: CALL[b.new]?.[1],
    minor: b.new === "ending" || b.new === "wrap-up",
    rank: 1,
  }),
  LegCreated: (b, n) => {
    const who = partyOf(b.leg, n);
    return b.inbound ? { title: `${upper(who)} came in`, minor: true } : { title: `${upper(who)} is being called`, detail: b.route, minor: b.role !== "outside", rank: 2 };
  },
  LegMoved: (b, n) => (LEG[b.new] ?? ((who) => ({ title: `${upper(who)} is ${b.new}`, minor: true })))(partyOf(b.leg, n), b),
  CallShaped: shaped,
  CallHeld: (b, n) => ({ title: b.held ? "The caller is on hold" : "The caller is off hold", detail: `by ${person(b.by, n)}`, tone: b.held ? "amber" : "green" }),
  CallParked: (b, n) => ({ title: "The call was parked", detail: `by ${person(b.by, n)}`, tone: "amber", rank: 1 }),
  CallTaken: (b, n) => ({ title: `${person(b.operator, n)} took the call over`, detail: b.reason, tone: "green", rank: 1 }),
  AcceptanceAwaited: (b, n) => ({ title: `${upper(partyOf(b.leg, n))} is asked to take the call by key`, tone: "amber" }),
  LegAccepted: (b, n) => ({ title: `${upper(partyOf(b.leg, n))} took the call by key ${b.digit}`, tone: "green" }),
  LegMuted: (b, n) => ({ title: `${upper(partyOf(b.leg, n))} ${b.muted ? "was muted" : "is heard again"}`, detail: `by ${person(b.by, n)}`, tone: b.muted ? "amber" : "green" }),
  ModeSet: (b, n) => ({ title: `${upper(partyOf(b.leg, n))}: ${MODES[b.mode] ?? b.mode}`, detail: `by ${person(b.by, n)}`, tone: "blue" }),
  DigitsSent: (b, n) => ({ title: `${upper(partyOf(b.leg, n))}’s device is sent ${b.digits}`, detail: `${KEYS[b.why] ?? b.why.replace(/^control:/, "")}${b.by === "plan" ? "" : `, by ${person(b.by, n)}`}`, tone: "blue", minor: b.by === "plan" }),
  DigitsSettled: (b, n) => ({ title: b.whole ? `${b.digits} went out to ${partyOf(b.leg, n)}’s device` : `${b.digits} did not go out to ${partyOf(b.leg, n)}’s device`, detail: b.why, tone: b.whole ? "quiet" : "amber", minor: b.whole }),
  GroupCalled: (b, n) => ({ title: `The group ${b.group} is called`, detail: list(b.points.map((/** @type {string} */ id) => n.points[id] ?? id)), tone: "blue", rank: 1 }),
  PointGivenUp: (b, n) => ({ title: `${n.points[b.point] ?? b.point} did not come`, detail: b.reason, tone: "amber" }),
  TalkLimitNear: () => ({ title: "The point’s device will soon end the call by itself", tone: "amber" }),
  LineChanged: (b, n) =>
    b.sounding
      ? { title: `Sound from ${partyOf(b.leg, n)} is back`, detail: b.silent_ms ? `after ${seconds(b.silent_ms)}` : "", tone: "green" }
      : { title: `No sound arrives from ${partyOf(b.leg, n)}`, detail: b.silent_ms ? `for ${seconds(b.silent_ms)}` : "", tone: "amber" },
  OneWayFound: (b, n) => ({
    title: b.side === "out" ? `${upper(partyOf(b.leg, n))} cannot hear us` : `Sound from ${partyOf(b.leg, n)} is not taken`,
    detail: b.renewed ? `${b.why}; its device is asked for its media anew` : b.why,
    tone: "red",
  }),
  OneWayEnded: (b, n) => ({ title: b.side === "out" ? `${upper(partyOf(b.leg, n))} hears us again` : `Sound from ${partyOf(b.leg, n)} is taken again`, tone: "green" }),
  DigitHeard: (b, n) => ({ title: `${upper(partyOf(b.leg, n))} pressed ${b.digit}`, tone: "quiet" }),
  CallBackAwaited: (b) => ({ title: `The point is called back, try ${b.attempt}`, detail: b.reason, tone: "amber" }),
  WorkerReplaced: (b) => ({ title: "The call’s sound process was replaced", detail: b.why, tone: "amber" }),
  OfferMade: (b, n) => ({ title: `Offered to ${operators(b.operators, n)}`, detail: b.why, tone: "blue", rank: 1 }),
  OfferWidened: (b, n) => ({ title: `Also offered to ${operators(b.operators, n)}`, detail: b.why, tone: "blue" }),
  OfferEnded: (b, n) => ({
    title: b.operator ? `${person(b.operator, n)} took the call` : (OFFERS[b.result] ?? [`The offer is over: ${b.result}`])[0],
    detail: b.operator ? "" : b.reason,
    tone: OFFERS[b.result]?.[1],
    minor: b.result === "withdrawn" || b.result === "accepted",
  }),
  OperatorMoved: (b, n) => ({ title: `${person(b.operator, n)} is ${b.new}`, detail: b.reason, minor: true }),
  OperatorRests: (b, n) => ({ title: `${person(b.operator, n)} is left in peace for a while`, minor: true }),
  RestEnded: (b, n) => ({ title: `${person(b.operator, n)} can be rung again`, minor: true }),
  SeatChanged: (b, n) => ({
    title: `The seat of ${person(b.operator, n)} ${b.reachable ? "can be reached" : "cannot be reached"}`,
    detail: b.why,
    tone: b.reachable ? "quiet" : "amber",
  }),
  CodeUsed: (b, n) => ({ title: `${person(b.operator, n)} dialled ${b.code}`, detail: b.reason, tone: b.accepted ? "quiet" : "amber" }),
  LadderStepTaken: (b) => ({ title: `Ladder: step ${b.step}`, detail: b.reason.replace(/^step \d+: /, ""), tone: "amber" }),
  RouteTried: (b, n) => ({
    title: `Calling ${n.parties[b.party] ?? b.party}`,
    detail: `route ${b.route + 1}${b.cycle > 1 ? `, round ${b.cycle}` : ""}: ${b.reason}`,
    tone: "amber",
  }),
  RouteAwaited: (b, n) => ({ title: `Every route to ${n.parties[b.party] ?? b.party} failed`, detail: "tried again after a pause", tone: "red" }),
  PartyGivenUp: (b, n) => ({ title: `${n.parties[b.party] ?? b.party} is not called any more`, detail: b.reason, tone: "amber" }),
  PointChanged: (b, n) => ({
    title: `${n.points[b.point] ?? b.point} ${b.reachable ? "can be reached" : "cannot be reached"}`,
    detail: b.why,
    tone: b.reachable ? "quiet" : "red",
  }),
  TrunkChanged: (b) => ({ title: `Trunk ${b.trunk} ${b.reachable ? "can be reached" : "cannot be reached"}`, detail: b.why, tone: b.reachable ? "quiet" : "red" }),
  AlarmRaised: (b) => ({ title: "Alarm", detail: b.text, tone: "red" }),
  AlarmCleared: (b) => ({ title: "Alarm over", detail: b.why, tone: "quiet" }),
  Refused: (b) => ({ title: `Not possible: ${b.event}`, detail: b.why, minor: true }),
  ServerStarted: (b) => ({ title: "The switchboard started", detail: b.why, tone: "amber" }),
  HoursTurned: (b) => ({ title: "The plan’s hours turned", detail: b.open.length ? `open now: ${list(b.open)}` : "", minor: true }),
  ClockAnchored: (b) => ({ title: "The clock was set", detail: b.step_ms ? `by ${b.step_ms} ms` : "", minor: true }),
  RecordingMade: (b) => ({
    title: "The recording was made",
    detail: [seconds(b.duration_ms), b.losses_ms ? `${b.losses_ms} ms never arrived` : "nothing lost", b.report].filter(Boolean).join("; "),
    tone: "quiet",
  }),
  RecordingFailed: (b) => ({ title: "The recording could not be made yet", detail: b.why, tone: "red" }),
  RecordingConfirmed: (b, n) => ({ title: `The sound of ${partyOf(b.leg, n)} is on the disk`, detail: `${b.level_dbfs} dB`, tone: "quiet", minor: true }),
  RecordingDoubtful: (b, n) => ({ title: `What is recorded of ${partyOf(b.leg, n)} is doubtful`, detail: DOUBTS[b.why] ?? b.why, tone: "red" }),
  ArchivistStarted: (b) => ({ title: "The archivist took up its work", detail: b.unfinished ? `recordings to be made: ${b.unfinished}` : "", minor: true }),
  Listened: (b, n) => ({ title: `${b.by} listened${b.leg ? ` to ${partyOf(b.leg, n)} alone` : ""}`, detail: b.reason || "the reason was erased", tone: "quiet" }),
  Played: (b) => ({ title: `${b.by} heard ${spansOf(b.spans)}`, detail: b.reason || "the reason was erased", tone: "quiet" }),
  RecordingSent: (b) => ({ title: `${b.by} was sent ${spansOf(b.spans)}`, detail: `${sizeOf(b.bytes)} of ${b.size} bytes`, minor: true }),
  Downloaded: (b) => ({ title: `${b.by} took ${TAKEN[b.what] ?? b.what} away`, detail: b.digest && `SHA-256 ${b.digest}`, tone: "amber" }),
  Searched: (b) => ({ title: `${b.by} searched ${b.of}`, detail: b.what, minor: true }),
  SearchExported: (b) => ({ title: `${b.by} took a list of ${b.of} away`, detail: `${b.rows} lines`, tone: "amber", minor: true }),
  ConfigurationRead: (b) => ({ title: "The configuration is another one", detail: list(b.changed), minor: true }),
  HoldPlaced: (b) => ({ title: "Held: nothing of it is deleted", detail: `by ${b.by}, review on ${dayOf(b.review_utc_ns)}: ${b.why || "the reason was erased"}`, tone: "amber", rank: 1 }),
  HoldLifted: (b) => ({ title: "The hold was lifted", detail: `by ${b.by}${b.why ? `: ${b.why}` : ""}`, tone: "amber", rank: 1 }),
  RecordingDeleted: (b) => ({ title: "The recording was deleted", detail: deletedBy(b), tone: "amber", rank: 1 }),
  TextsErased: (b) => ({ title: "Texts were erased", detail: `${deletedBy(b)}${b.why ? `: ${b.why}` : ""}`, tone: "amber" }),
  ExportAsked: (b) => ({ title: `${b.by} asked for ${EXPORTS[b.what] ?? b.what}`, detail: b.reason || "the reason was erased", tone: "amber" }),
  ExportApproved: (b) => ({ title: `${b.by} agreed to the export`, tone: "amber" }),
  ExportFailed: (b) => ({ title: "The export could not be made", detail: b.why, tone: "red" }),
  ExportFetched: (b) => ({ title: `${b.by} took a copy away`, detail: b.digest && `SHA-256 ${b.digest}`, tone: "amber" }),
  PackMade: (b) => ({ title: `An evidence pack was made for ${b.by}`, detail: b.reason || "the reason was erased", tone: "amber" }),
  RedactionMade: (b) => ({ title: `A redacted copy was made for ${b.by}`, detail: b.reason || "the reason was erased", tone: "amber" }),
  DisclosureMade: (b) => ({ title: "Handed out", detail: `${b.what}, to ${b.recipient || "somebody whose name was erased"}: ${b.legal_basis}`, tone: "amber" }),
  AccessAsked: (b) => ({ title: "A request for access came in", detail: b.request, minor: true }),
  AccessAnswered: (b) => ({ title: "A request for access was answered", detail: `${b.request}: ${b.how}`, minor: true }),
  SignedIn: (b) => ({ title: b.accepted ? `${b.user} signed in` : `${b.user} failed to sign in`, minor: true }),
  AccountChanged: (b) => ({ title: `Account ${b.user}: ${b.what}`, detail: `by ${b.by}`, minor: true }),
  CheckpointKeyMade: (b) => ({ title: "A new key signs the journal", detail: b.key, minor: true }),
  CheckpointSigned: (b) => ({ title: `The journal is signed up to row ${b.number}`, minor: true }),
  SampleSeeded: (b) => ({ title: `The quality sample of ${b.month} is drawn`, detail: `by the hash of row ${b.row}`, minor: true }),
  CallScored: (b) => ({ title: `${b.by} scored a call of the sample of ${b.month}`, minor: true }),
  BackupMade: (b) => ({ title: `A backup was made up to row ${b.rows}`, detail: b.where, minor: true }),
};

/**
 * A fact in words; one of a newer service by its kind.
 * @param {Fact} fact @param {Names} names @returns {Said}
 */
export function say(fact, names) {
  const words = WORDS[fact.kind];
  return words ? words(fact.body, names) : { title: fact.kind.replace(/([a-z])([A-Z])/g, "$1 $2"), minor: true };
}
