/** The bar at the top: whose console, is it live, what time, is the sound ready, who is signed in. Below it: what is wrong. */

import { h } from "./dom.js";
import { does, dot } from "./parts.js";
import { passed } from "./select-list.js";
import { fillingDisk } from "./select-level.js";
import { mayAct, myOperator, now_ms, oldness } from "./select.js";
import { clock, count, list, roughly } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./parts.js").Say} Say */

/** @param {State} state @param {Say} say */
export function bar(state, say) {
  const { service } = state.board;
  const person = state.sign.person;
  return h(
    "header",
    { key: "bar", class: "bar" },
    h("span", { class: "name" }, service?.plan ?? "Help points"),
    h("nav", { "aria-label": "Pages" }, h("a", { href: "/", "aria-current": "page" }, "Console"), h("a", { href: "/replay" }, "Replay")),
    h("span", { class: "grow" }),
    disk(state),
    live(state),
    soundButton(state, say),
    h("button", { type: "button", class: "quiet", "aria-keyshortcuts": "?", on: does(say, "keys") }, "Keys", h("kbd", { "aria-hidden": "true" }, "?")),
    h("span", { class: "person" }, h("strong", null, person?.name ?? ""), h("span", { class: "is-quiet" }, person?.role ?? "")),
    h("button", { type: "button", class: "quiet", on: does(say, "sign-out") }, "Sign out"),
    h("time", { class: "clock" }, service ? clock(now_ms(state), service.time_zone, true) : ""),
  );
}

/** @param {State} state */
function disk(state) {
  const words = fillingDisk(state);
  return words ? h("span", { key: "disk", class: "live" }, dot("amber"), words) : null;
}

/** @param {State} state */
function live(state) {
  const old = oldness(state);
  const [tone, word] = !state.board.epoch ? ["amber", "Connecting"] : old ? ["red", "Old"] : ["green", "Live"];
  return h("span", { class: "live" }, dot(tone), word);
}

/** @param {State} state @param {Say} say */
function soundButton(state, say) {
  if (!myOperator(state)) {
    return null;
  }
  const [tone, word] = soundState(state);
  return h("button", { type: "button", class: "quiet", "aria-keyshortcuts": "S", on: does(say, "sound-check") }, dot(tone), word, h("kbd", { "aria-hidden": "true" }, "S"));
}

/**
 * The sound of this seat in two words.
 * @param {State} state
 * @returns {[string, string]}
 */
export function soundState(state) {
  if (!state.settings.seat || state.seat.state === "none") {
    return ["faint", "No seat here"];
  }
  if (state.sound.fault) {
    return ["red", "Sound fails"];
  }
  if (state.sound.locked) {
    return ["amber", "Sound waits"];
  }
  return state.seat.fit ? ["green", "Sound ready"] : ["amber", "Sound connecting"];
}

/**
 * What is wrong with the whole page, the gravest alone.
 * @param {State} state
 * @param {Say} say
 */
export function banner(state, say) {
  const found = old(state) ?? displaced(state, say) ?? locked(state, say) ?? faulty(state, say) ?? unfit(state, say) ?? passedHere(state, say);
  return h("div", { key: "banner", class: "banners", role: "region", "aria-label": "What is wrong" }, found);
}

/** @param {string} key @param {string} tone @param {string} title @param {string} text @param {any} [button] */
function notice(key, tone, title, text, button = null) {
  return h("div", { key, class: `notice ${tone}` }, h("p", null, h("strong", null, title), " ", text), button);
}

/** @param {State} state */
function old(state) {
  const age = oldness(state);
  if (!age) {
    return null;
  }
  const what = age.why === "connection" ? "No connection to the service." : "The switchboard does not answer.";
  const can = state.seat.fit && mayAct(state) ? " A call that rings can still be answered." : "";
  return notice("old", "red", what, `What you see is ${roughly(age.age_ms)} old. Conversations go on.${can} The page keeps trying.`);
}

/** @param {State} state @param {Say} say */
function displaced(state, say) {
  if (state.seat.state !== "displaced") {
    return null;
  }
  const button = h("button", { type: "button", on: does(say, "take-seat") }, "Be the seat here again");
  return notice("displaced", "amber", "Another page is your seat now.", "No calls come to this one. The board goes on.", button);
}

/** @param {State} state @param {Say} say */
function locked(state, say) {
  if (!state.sound.locked || state.seat.state === "none") {
    return null;
  }
  const button = h("button", { type: "button", class: "primary", on: does(say, "unlock") }, "Turn the sound on");
  return notice("locked", "amber", "The browser holds the sound back.", "Press any key or click, then calls can come.", button);
}

/** @type {Record<string, [string, string]>} fault of the sound -> what it is, what to do */
export const SOUND_FAULTS = {
  insecure: ["This address gives no microphone.", "Browsers allow it on https:// and on 127.0.0.1 alone. Open this page by its https address; the administrator makes the certificate with \u201ccallserver certificate\u201d."],
  denied: ["The microphone is not allowed.", "Click the sign left of the address, allow the microphone, then reload the page."],
  none: ["There is no microphone.", "Plug in a headset. It is noticed by itself."],
  busy: ["The microphone cannot be opened.", "Another program has it. Close that program, or choose another microphone in the sound check."],
  lost: ["The microphone is gone.", "Plug it in again, or choose another in the sound check."],
  silent: ["The microphone gives no sound.", "Look for a mute switch at the headset or its cable."],
  speaker: ["The loudspeaker cannot be used.", "Choose another in the sound check."],
  "no-address": ["The browser offers no network address.", "On a machine without a network start Chromium with --allow-loopback-in-peer-connection."],
  failed: ["The sound failed.", "Reload the page. If it stays, use another browser or another machine."],
};

/** @param {State} state @param {Say} say */
function faulty(state, say) {
  const words = SOUND_FAULTS[state.sound.fault];
  if (!words || !myOperator(state) || !state.settings.seat) {
    return null;
  }
  const button = state.dialog === "sound" ? null : h("button", { type: "button", on: does(say, "sound-check") }, "Sound check");
  return notice("faulty", "red", words[0], `${words[1]} Until then no calls come here.`, button);
}

/** @param {State} state @param {Say} say */
function unfit(state, say) {
  const { seat } = state;
  const operator = myOperator(state);
  if (!operator || seat.fit || !state.settings.seat || !["connecting", "open"].includes(seat.state) || !seat.ever_fit) {
    return null;
  }
  const call = operator.state === "talking" ? "Stay on the page: you will be put back into the call." : "Calls go to other seats until it is back.";
  return notice("unfit", "amber", "Your seat has no sound.", `${seat.why ? `${capital(seat.why)}. ` : ""}${call}`, h("button", { type: "button", on: does(say, "sound-check") }, "Sound check"));
}

/** @param {State} state @param {Say} say */
function passedHere(state, say) {
  const fresh = passed(state);
  if (!fresh.length) {
    return null;
  }
  const button = h("button", { type: "button", class: "primary", on: does(say, "seen-all") }, fresh.length === 1 ? "I have seen it" : "I have seen them");
  return notice("passed", "amber", `${count(fresh.length, "incident")} on the call-back list passed to you.`, `${list(fresh.map((one) => one.place))}. G shows the list.`, button);
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
