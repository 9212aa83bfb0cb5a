/** The sound check: which microphone, which loudspeaker, which device rings; what one hears and is heard like. */

import { h } from "./dom.js";
import { dialog, does } from "./parts.js";
import { tryRing } from "./ring.js";
import { SOUND_FAULTS, soundState } from "./view-bar.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Device} Device */
/** @typedef {import("./parts.js").Say} Say */
/** @typedef {import("./sound.js").SeatSound} SeatSound */

/** @param {State} state @param {Say} say @param {SeatSound} sound */
export function soundCheck(state, say, sound) {
  const words = SOUND_FAULTS[state.sound.fault];
  const fault = words ? h("p", { key: "fault", class: "notice red" }, h("strong", null, words[0]), ` ${words[1]}`, state.sound.detail ? h("span", { class: "is-quiet" }, ` (${state.sound.detail})`) : null) : null;
  return dialog(
    say,
    "sound",
    "Sound check",
    fault,
    h("div", { class: "check-grid" }, microphone(state, say, sound), loudspeaker(state, say, sound), ringer(state, say)),
    more(state, say),
    h("div", { class: "closing" }, h("button", { key: "done", type: "button", class: "primary", on: does(say, "sound-checked", { seat: true }) }, "Done"), h("button", { key: "none", type: "button", class: "quiet", on: does(say, "sound-checked", { seat: false }) }, "No calls in this browser"), h("span", { class: "is-quiet result" }, soundState(state)[1])),
  );
}

/** @param {Say} say @param {string} id @param {string} label @param {Device[]} devices @param {string} chosen */
function choice(say, id, label, devices, chosen) {
  const on = { change: (/** @type {Event} */ event) => say({ type: "settings", settings: { [id]: /** @type {HTMLSelectElement} */ (event.target).value } }) };
  const known = devices.some((one) => one.id === chosen) || !chosen;
  const options = [{ id: "", label: "As the machine has it" }, ...devices.filter((one) => one.id !== "default"), ...(known ? [] : [{ id: chosen, label: "Chosen before, not plugged in" }])];
  return h("div", { class: "field" }, h("label", { for: id }, label), h("select", { id, value: chosen, on }, options.map((one) => h("option", { key: one.id || "own", value: one.id, selected: one.id === chosen }, one.label))));
}

/** @param {State} state @param {Say} say @param {SeatSound} sound */
function microphone(state, say, sound) {
  const echo = state.sound.echo;
  const label = echo === "recording" ? "Speak now\u2026" : echo === "playing" ? "Listen\u2026" : "Record two seconds, then hear them";
  return h("section", { class: "check-part" }, choice(say, "microphone", "Microphone", state.sound.microphones, state.settings.microphone), h("div", { class: "level", role: "img", "aria-label": "Level of the microphone", attach: (/** @type {HTMLElement} */ element) => follow(element, sound) }, h("span", { class: "fill" })), h("button", { type: "button", disabled: Boolean(echo) || Boolean(state.sound.fault), on: { click: () => void sound.echo() } }, label));
}

/** @param {State} state @param {Say} say @param {SeatSound} sound */
function loudspeaker(state, say, sound) {
  return h("section", { class: "check-part" }, choice(say, "speaker", "You hear callers on", state.sound.speakers, state.settings.speaker), h("button", { type: "button", on: { click: () => void sound.test(state.settings.speaker) } }, "Play a test sound"));
}

/** @param {State} state @param {Say} say */
function ringer(state, say) {
  const on = { input: (/** @type {Event} */ event) => say({ type: "settings", settings: { volume: Number(/** @type {HTMLInputElement} */ (event.target).value) / 100 } }) };
  const volume = h("div", { class: "field" }, h("label", { for: "volume" }, "How loud it rings"), h("input", { id: "volume", type: "range", min: "10", max: "100", step: "5", value: String(Math.round(state.settings.volume * 100)), on }));
  return h("section", { class: "check-part" }, choice(say, "ringer", "Calls ring on", state.sound.speakers, state.settings.ringer), volume, h("button", { type: "button", on: { click: () => void tryRing(state.settings.ringer, state.settings.volume) } }, "Play the ring sound"), notification(state, say));
}

/** @param {State} state @param {Say} say */
function notification(state, say) {
  const { notify } = state.sound;
  if (notify === "none") {
    return null;
  }
  const ask = { click: () => void Notification.requestPermission().then((now) => say({ type: "sound", sound: { notify: now } })) };
  /** @type {Record<string, any>} */
  const views = {
    granted: h("p", { key: "granted", class: "tip" }, "A call also shows over other windows."),
    denied: h("p", { key: "denied", class: "tip" }, "The browser forbids showing a call over other windows. Allow notifications left of the address."),
    default: h("button", { key: "ask", type: "button", on: ask }, "Show calls over other windows"),
  };
  return views[notify] ?? null;
}

const PROCESSING = /** @type {const} */ ([["echo_cancellation", "Take out the echo of the loudspeaker"], ["noise_suppression", "Suppress noise"], ["gain_control", "Level out how loud you are"]]);

/** @param {State} state @param {Say} say */
function more(state, say) {
  const boxes = PROCESSING.map(([id, label]) => {
    const on = { change: (/** @type {Event} */ event) => say({ type: "settings", settings: { [id]: /** @type {HTMLInputElement} */ (event.target).checked } }) };
    return h("label", { key: id, class: "check" }, h("input", { type: "checkbox", checked: state.settings[id], on }), label);
  });
  return h("fieldset", null, h("legend", null, "What the browser does to your voice"), boxes, pushToTalk(state, say));
}

/** @param {State} state @param {Say} say */
function pushToTalk(state, say) {
  const on = { change: (/** @type {Event} */ event) => say({ type: "settings", settings: { push_to_talk: /** @type {HTMLInputElement} */ (event.target).checked } }) };
  return h("label", { key: "push_to_talk", class: "check" }, h("input", { type: "checkbox", checked: state.settings.push_to_talk, on }), "Push to talk: calls begin muted, and hold Space to speak");
}

/**
 * The level meter moves outside of the renderer, as often as the screen does.
 * @param {HTMLElement} element
 * @param {SeatSound} sound
 */
function follow(element, sound) {
  let frame = 0;
  const draw = () => {
    element.style.setProperty("--level", sound.level().toFixed(3));
    frame = requestAnimationFrame(draw);
  };
  draw();
  return () => cancelAnimationFrame(frame);
}
