// What the tests of the model share: a page that was signed in and knows a board, and messages told to it one after the other.

import { initial, update } from "../../callserver/web/console/model.js";

export const NOW_MS = 1_764_039_165_000;

export const MARY = { type: "signed-in", user: "mary", role: "operator", operator: "mary", name: "Mary Webb" };

export function operator(id, state, more = {}) {
  return { id, name: id === "mary" ? "Mary Webb" : "Tom Ashworth", groups: [], state, reason: "", since_ms: NOW_MS, reachable: true, seat: "browser", until_ms: null, incident: null, call: null, ...more };
}

export function incident(id, state, more = {}) {
  return { id, point: "p1", place: "Market Square", language: "en", latitude: null, longitude: null, queue: "town", priority: 0, class: "emergency", state, opened_ms: NOW_MS, since_ms: NOW_MS, waiting_since_ms: NOW_MS, order_ms: NOW_MS + 600_000 * (more.priority ?? 0), can_ask: false, parked: false, by_hand: false, recall_ms: null, only: "", called_by: "", prefers: "", cameras: [], presses: 1, operator: null, call: `c-${id}`, until_ms: null, step: 1, steps: 3, party: null, ...more };
}

export function call(id, more = {}) {
  return { id, incident: id.slice(2), state: "waiting", since_ms: NOW_MS, operator: null, held: false, worker_replaced: 0, legs: [], offer: null, ...more };
}

export function leg(id, role, state, more = {}) {
  return { id, role, party: null, name: "", state, since_ms: NOW_MS, sounding: true, mode: "", muted: false, accepted: true, limit_ms: null, ...more };
}

const service = {
  version: "1", plan: "Town", plan_version: 1, time_zone: "Europe/London", started_ms: NOW_MS, groups: [], pauses: [],
  outcomes: [{ id: "safe", name: "Safe", digit: "1" }, { id: "police", name: "Police", digit: "" }],
  parties: [{ id: "police", name: "Police" }, { id: "civic", name: "Civic" }],
};

export function items(...more) {
  const all = { service, "operator/mary": operator("mary", "off"), "operator/tom": operator("tom", "available"), "queue/town": { id: "town", groups: [], ring_ms: 30_000 } };
  return Object.assign(all, ...more);
}

export const RING = { type: "ring", leg: "l2", call: "c-i1", incident: "i1", point: "p1", place: "Market Square", class: "emergency", again: false };

/** A page and what was ordered of it, message by message. */
export class Play {
  constructor() {
    this.state = initial();
    this.at_ms = 1000;
    this.orders = [];
  }

  tell(...messages) {
    for (const message of messages) {
      this.state = update(this.state, { at_ms: this.at_ms, ...message });
      this.orders.push(...this.state.orders);
    }
    return this;
  }

  wait(ms) {
    this.at_ms += ms;
    return this.tell({ type: "tick" });
  }

  act(what, more = {}) {
    return this.tell({ type: "act", what, ...more });
  }

  board(...more) {
    return this.tell({ type: "snapshot", epoch: "e1", number: 1, now_ms: NOW_MS, items: items(...more), user: "mary", role: "operator" });
  }

  change(changed) {
    return this.tell({ type: "changes", number: 2, now_ms: NOW_MS, items: changed });
  }

  news() {
    return this.state.news.map((one) => one.text);
  }

  /** The API's paths that were asked, with their bodies. */
  asked() {
    return this.orders.filter((one) => one.do === "api").map((one) => [one.path, one.body]);
  }

  /** What was said at the seat. */
  said() {
    return this.orders.filter((one) => one.do === "seat").map((one) => one.message);
  }
}

/** Signed in, sound checked, on the board, seat open and fit. */
export function seated(...more) {
  const settings = { type: "remembered", settings: { checked: true }, tab: {} };
  return new Play().tell(settings, MARY).board(...more).tell({ type: "opened", seat: "s-1" }, { type: "fit", fit: true, why: "" });
}

/** In a call with the Market Square. */
export function inCall(more = {}) {
  const legs = [leg("l1", "point", "up"), leg("l2", "operator", "up", { party: "mary" })];
  const made = call("c-i1", { state: "talking", operator: "mary", legs, ...more });
  const me = operator("mary", "talking", { incident: "i1", call: "c-i1" });
  const play = seated({ "operator/mary": me, "incident/i1": incident("i1", "attended", { operator: "mary" }), "call/c-i1": made });
  return play.tell({ type: "talking", leg: "l2", call: "c-i1" });
}
