/** The console's page: keeps the state, draws it, carries out its orders. What it does by itself is waiting for frames and answers. */

import { ask } from "./api.js";
import { render } from "./dom.js";
import { makeKeeper, remembered } from "./keep.js";
import { deed } from "./keys.js";
import { awaitLink, followLink, isLink } from "./link.js";
import { watchBoard } from "./live.js";
import { initial, update } from "./model.js";
import { makeRing } from "./ring.js";
import { takeSeat } from "./seat.js";
import { makeSound } from "./sound.js";
import { alertWords, statusWords, view } from "./view.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Order} Order */

const TICK_MS = 250;
const ASK_AGAIN_MS = 1000;
const STILL_TYPING_MS = 800;

let state = initial();
let drawing = false;
let typed_ms = -STILL_TYPING_MS;
/** @type {ReturnType<typeof watchBoard> | null} */
let live = null;
/** @type {ReturnType<typeof takeSeat> | null} */
let seat = null;
const sound = makeSound(say, () => state);
const ring = makeRing();
const keep = makeKeeper();
const page = /** @type {HTMLElement} */ (document.getElementById("page"));

/**
 * The one way in which anything changes.
 * @param {Message} message
 */
function say(message) {
  state = update(state, { at_ms: performance.now(), ...message });
  const orders = state.orders;
  keep(state);
  if (message.type === "ring") {
    draw(); // the page says `ringing` when it shows and sounds the call
  } else {
    drawSoon();
  }
  ring.follow(state);
  orders.forEach(carryOut);
  followSeat();
}

function drawSoon() {
  if (!drawing) {
    drawing = true;
    document.hidden ? setTimeout(draw, TICK_MS) : requestAnimationFrame(draw);
  }
}

function draw() {
  drawing = false;
  render(page, view(state, say, sound, enter));
  words("alert", alertWords(state));
  words("status", statusWords(state));
}

/**
 * A live region changes only when its words do.
 * @param {string} id
 * @param {string} text
 */
function words(id, text) {
  const region = document.getElementById(id);
  if (region && region.textContent !== text) {
    region.textContent = text;
  }
}

/** @param {Order} order */
function carryOut(order) {
  /** @type {Record<Order["do"], (order: any) => void>} */
  const ways = {
    api: request,
    seat: (one) => seat?.send(one.message),
    focus: (one) => document.getElementById(one.id)?.focus(),
    connect: () => (live = live ?? watchBoard(say, () => state)),
    disconnect,
    "sign-out": () => void signOut(),
    print: () => window.print(),
    sound: (one) => soundOrder(one.what),
  };
  ways[order.do](order);
}

/** @param {{verb: string, path: string, body: Object}} order */
function request({ verb, path, body }) {
  ask("POST", path, body).then(
    () => say({ type: "done", verb }),
    (error) => (error.status === 401 ? say({ type: "signed-out", fault: "You were signed out.", what_to_do: "Sign in again." }) : say({ type: "failed", verb, text: error.message, what_to_do: error.what_to_do })),
  );
}

/** @param {string} what */
function soundOrder(what) {
  if (what === "mute") {
    sound.mute(state.muted);
  } else if (what === "unlock") {
    void sound.unlock();
  } else if (seat) {
    void sound.open();
  }
}

/** Be a seat exactly while the settings and the plan say so. */
function followSeat() {
  const operator = state.sign.person?.operator;
  const wanted = Boolean(state.sign.state === "in" && operator && state.settings.seat && state.seat.state !== "displaced");
  if (wanted && !seat) {
    seat = takeSeat(say, () => state, sound);
    void sound.open();
  } else if (!wanted && seat) {
    const gone = seat;
    seat = null;
    state.seat.state === "displaced" || state.sign.state !== "in" ? gone.stop() : gone.leave();
    gone.stop();
    sound.close();
  }
}

function disconnect() {
  live?.stop();
  live = null;
}

/** @param {{user: string, password: string}} person */
function enter(person) {
  say({ type: "signing-in" });
  signedBy(ask("POST", "/api/session", person));
}

/** @param {Promise<any>} asked */
function signedBy(asked) {
  asked
    .then(() => whoAmI())
    .catch((error) => say({ type: "sign-failed", text: error.message, what_to_do: error.what_to_do }));
}

async function whoAmI() {
  const person = await ask("GET", "/api/session");
  say({ type: "signed-in", user: person.user, role: person.role, operator: person.operator, name: person.name });
}

async function signOut() {
  seat?.leave();
  await ask("DELETE", "/api/session").catch(() => undefined);
  say({ type: "signed-out" });
}

/** Who is signed in already, or by the link that was followed. */
async function begin() {
  if (isLink()) {
    say({ type: "signing-in" });
    return signedBy(followLink());
  }
  return known();
}

/** @returns {Promise<void>} */
async function known() {
  try {
    await whoAmI();
  } catch (error) {
    const { status } = /** @type {import("./api.js").Refused} */ (error);
    if (status === 401) {
      say({ type: "signed-out" });
    } else {
      say({ type: "sign-failed", text: "The service does not answer.", what_to_do: "It is asked again every second." });
      setTimeout(() => void known(), ASK_AGAIN_MS);
    }
  }
}

/**
 * Leave the note. Enter closes the incident where its outcome is being given; in a call it only leaves.
 * @param {HTMLElement} note
 * @param {boolean} entered
 */
function leaveNote(note, entered) {
  note.blur();
  typed_ms = -STILL_TYPING_MS;
  if (entered && note.closest(".outcome-form")) {
    say({ type: "act", what: "close", incident: note.dataset.incident });
  }
}

/**
 * Whether somebody writes, or was writing a moment ago in a field that a call has just taken from under the hands.
 * @param {HTMLElement} target
 * @param {KeyboardEvent} event
 */
function isTyping(target, event) {
  if (target.matches("input:not([type=checkbox]):not([type=range]), textarea, select")) {
    typed_ms = event.timeStamp;
    return true;
  }
  return event.timeStamp - typed_ms < STILL_TYPING_MS;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (state.sound.locked) {
    say({ type: "act", what: "unlock" });
  }
  if (target.dataset.incident && (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey))) {
    event.preventDefault();
    leaveNote(target, event.key === "Enter");
    return;
  }
  const typing = isTyping(target, event);
  const found = deed(state, { key: event.key, typing, repeat: event.repeat, alt: event.altKey, other: event.ctrlKey || event.metaKey, on_button: target.matches("button, a, input"), on_mute: target.matches("button.mute") });
  if (found) {
    event.preventDefault();
    say(found);
  }
}

/** @param {KeyboardEvent} event */
function released(event) {
  if (event.key === " " && state.pushed) {
    event.preventDefault(); // nor is the button pressed that has the focus
    say({ type: "act", what: "release" });
  }
}

document.addEventListener("submit", () => (typed_ms = -STILL_TYPING_MS)); // who sends has stopped writing
document.addEventListener("keydown", pressed);
document.addEventListener("keyup", released);
window.addEventListener("blur", () => say({ type: "act", what: "release" }));
document.addEventListener("pointerdown", () => (state.sound.locked ? say({ type: "act", what: "unlock" }) : undefined));
document.addEventListener("visibilitychange", drawSoon);
setInterval(() => say({ type: "tick" }), TICK_MS);
awaitLink();
say(remembered());
void begin();
