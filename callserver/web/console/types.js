/**
 * What the console's parts hand to one another. Types only; the messages of the service are described in docs/console-protocol.md.
 * Names end in `_ms`: of the service they are UTC milliseconds, `at_ms` is the page's own clock, which never steps.
 *
 * @typedef {{id: string, point: string, place: string, language: string, latitude: number | null, longitude: number | null,
 *   queue: string, priority: number, class: string, state: string, opened_ms: number, since_ms: number, waiting_since_ms: number,
 *   order_ms: number, presses: number, operator: string | null, call: string | null, until_ms: number | null, step: number,
 *   steps: number, can_ask: boolean, parked: boolean, by_hand: boolean, recall_ms: number | null, only: string, called_by: string, prefers: string, party: string | null, cameras: Camera[],
 *   listed?: string, listed_why?: string, listed_ms?: number | null, overdue_ms?: number | null, owner?: string, acknowledge_ms?: number | null,
 *   attempts?: {at_ms: number, operator: string, result: string}[]}} Incident
 * @typedef {{name: string, url: string}} Camera
 * @typedef {{id: string, role: string, party: string | null, name: string, state: string, since_ms: number,
 *   controls?: Party[], sending?: boolean, sounding: boolean | null, one_way?: string[], mode: string, muted: boolean, accepted: boolean, limit_ms: number | null}} Leg
 * @typedef {{id: string, incident: string, state: string, since_ms: number, operator: string | null, held: boolean,
 *   worker_replaced: number | boolean, legs: Leg[], offer: {operators: string[], until_ms: number | null} | null}} Call
 * @typedef {{id: string, name: string, groups: string[], state: string, reason: string, since_ms: number, reachable: boolean | null, seat: string,
 *   until_ms: number | null, incident: string | null, call: string | null}} Operator
 * @typedef {{id: string, groups: string[], ring_ms: number | null}} Queue
 * @typedef {{id: string, place: string, queue: string, latitude: number | null, longitude: number | null, reachable: boolean | null,
 *   expects_register: boolean, why: string | null, since_ms: number | null, incident: string | null}} Point
 * @typedef {{id: string, reachable: boolean | null}} Trunk
 * @typedef {{key: string, text: string, raised_ms: number}} Alarm
 * @typedef {{rms: number, peak: number, clipped: number, state: string, why: string}} Level
 * @typedef {{call: string, measured_ms: number | null, legs: Record<string, Level>}} CallSound
 * @typedef {{id: string, free_bytes: number, total_bytes: number, bytes_per_hour: number | null, hours_left: number | null, measured_ms: number}} Disk
 * @typedef {{id: string, name: string, digit: string}} Outcome
 * @typedef {{id: string, name: string}} Party
 * @typedef {{id: string, name: string, points: string[]}} PointGroup
 * @typedef {{version: string, plan: string, plan_version: number, time_zone: string, started_ms: number, outcomes: Outcome[],
 *   parties: Party[], groups: string[], point_groups?: PointGroup[], pauses: Party[]}} Service
 *
 * @typedef {Object} Board  what the service says is so
 * @property {string} epoch       "" while there is none
 * @property {number} number
 * @property {number} offset_ms   the service's clock minus the page's
 * @property {number} beat_ms     the page's clock at the last beat
 * @property {number} live_ms     the page's clock when the switchboard was last known to answer
 * @property {boolean} live
 * @property {Service | null} service
 * @property {Record<string, Incident>} incident
 * @property {Record<string, Call>} call
 * @property {Record<string, Operator>} operator
 * @property {Record<string, Queue>} queue
 * @property {Record<string, Point>} point
 * @property {Record<string, Trunk>} trunk
 * @property {Record<string, Alarm>} alarm
 * @property {Record<string, CallSound>} sound
 * @property {Record<string, Disk>} disk
 *
 * @typedef {{user: string, role: string, operator: string | null, name: string}} Person
 * @typedef {Object} Sign
 * @property {"asking" | "out" | "in"} state
 * @property {boolean} busy
 * @property {string} fault
 * @property {string} what_to_do
 * @property {Person | null} person
 *
 * @typedef {Object} Seat  this page as a seat
 * @property {"none" | "connecting" | "open" | "displaced"} state
 * @property {string} id
 * @property {boolean} fit
 * @property {string} why        why not fit, or why displaced
 * @property {number} lost_ms    the page's clock when sound or connection were lost, 0 while they are there
 * @property {boolean} ever_fit
 *
 * @typedef {{leg: string, call: string, incident: string, point: string, place: string, class: string, again: boolean,
 *   mode: string, with: string, called_out: boolean, at_ms: number, accepted_ms: number}} Ring
 * @typedef {{leg: string, call: string}} Talk
 * @typedef {{note: string, outcome: string}} Draft
 * @typedef {{id: number, text: string, tone: "" | "amber" | "red" | "green", at_ms: number, lasts_ms: number}} News
 * @typedef {{id: string, label: string}} Device
 * @typedef {Object} Settings  of this machine, chosen in the sound check
 * @property {string} microphone
 * @property {string} speaker
 * @property {string} ringer
 * @property {number} volume        of the ring sound, 0 to 1
 * @property {boolean} echo_cancellation
 * @property {boolean} noise_suppression
 * @property {boolean} gain_control
 * @property {boolean} seat         whether the page is to be the operator's seat
 * @property {boolean} checked      whether the sound check was done once
 * @property {boolean} single_keys  whether keys work without Alt
 * @property {boolean} push_to_talk  calls begin muted: Space speaks for as long as it is held
 *
 * @typedef {Object} Sound
 * @property {string} fault         "", insecure, denied, none, busy, speaker, failed
 * @property {string} detail
 * @property {boolean} locked       the browser wants a click or a key before it makes sound
 * @property {Device[]} microphones
 * @property {Device[]} speakers
 * @property {string} notify        granted, denied, default, none
 * @property {string} echo          "", recording, playing
 *
 * @typedef {{do: "api", verb: string, path: string, body: Object}
 *   | {do: "seat", message: Object}
 *   | {do: "focus", id: string}
 *   | {do: "connect"} | {do: "disconnect"} | {do: "sign-out"} | {do: "print"}
 *   | {do: "sound", what: string}} Order
 *
 * @typedef {Object} State
 * @property {number} at_ms
 * @property {Sign} sign
 * @property {Board} board
 * @property {Seat} seat
 * @property {Sound} sound
 * @property {Settings} settings
 * @property {Ring | null} ring
 * @property {{call: string, reason: string, at_ms: number} | null} missed  a ring that stopped, not yet told why
 * @property {Talk | null} talk
 * @property {string} in_call            the call this page is or was in; outlives a reload
 * @property {string} wish               available, paused or "": what the operator last asked for; outlives a reload
 * @property {boolean} muted
 * @property {boolean} pushed            muted, and speaking for as long as Space is held
 * @property {number} armed_ms           the page's clock when hanging up was asked for first, else 0
 * @property {string} armed_for          what is asked for twice: "" hanging up, else the leg that is to be dropped
 * @property {boolean} blind             the dialog of giving a call away: without asking first
 * @property {string} sought             what a point to be called is looked for by
 * @property {"" | "pause" | "sign-out"} leaving  what is wanted when what is theirs on the call-back list was passed on
 * @property {string} why                the reason for that pause
 * @property {string} reason             why a supervisor listens, for as long as the call is listened to
 * @property {{incident?: string, point?: string, call?: string, at_ms: number} | null} expected  a ring that was asked for here
 * @property {Record<string, Draft>} drafts  by incident
 * @property {Record<string, number>} pending  verb -> the page's clock when it was asked
 * @property {string} dialog             which dialog is open
 * @property {string} picked             the incident that the dialog is about
 * @property {News[]} news
 * @property {number} counted            how many news there have been
 * @property {Order[]} orders            what this one message orders the page to do
 *
 * @typedef {{type: string, at_ms?: number, [key: string]: any}} Message
 */

export {};
