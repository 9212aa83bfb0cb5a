/** The replay: where the address leads, what is loaded for it, and which key was pressed. What is shown is a function of the state. */

import { ask, Refused } from "./api.js";
import { h, render } from "./dom.js";
import { awaitLink, followLink, isLink } from "./link.js";
import { callView } from "./replay-call.js";
import { deskView } from "./replay-desk.js";
import { showKeys } from "./replay-dialogs.js";
import { approve, askAnswer, askDisclosure, askRequest, loadDesk } from "./replay-exports.js";
import { makeFinding } from "./replay-finding.js";
import { deed } from "./replay-keys.js";
import { listView } from "./replay-list.js";
import { newestNames, NO_NAMES } from "./replay-load.js";
import { ANYTHING, looksHash } from "./replay-looked.js";
import { makeLooks } from "./replay-looks.js";
import { markLinks } from "./replay-nav.js";
import { makePage } from "./replay-page.js";
import { makeQuality } from "./replay-quality.js";
import { addressOf, hashOf, NOTHING, PAGE, placeOf } from "./replay-search.js";

const TYPED_AFTER_MS = 250;
const DESK_AGAIN_MS = 2000;

const $ = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const main = $("main");
const dialog = /** @type {HTMLDialogElement} */ ($("dialog"));

/** @type {any} */
const state = {
  out: null, // why nothing can be shown
  names: NO_NAMES,
  user: "",
  role: "",
  desk: null, // what it shows, while it is open
  list: { search: { ...NOTHING }, items: [], more: false, page: 0, befores: [null], state: "loading", error: null, asked: 0, opened: "" },
};
const quality = makeQuality({ draw, speak, refused, home: () => hashOf(state.list.search), toPlayer: () => main.focus() });
const looks = makeLooks({ draw, speak, refused, home: () => hashOf(state.list.search) });
const page = makePage({ dialog, draw, speak, refused, reason: quality.reason });
const finding = makeFinding({ dialog, draw, speak, refused, search: () => state.list.search });
const listActs = { search, page: turn, again: () => void look(), open: openItem, ...finding.acts };
const deskActs = {
  approve: (/** @type {string} */ id) => void onDesk(() => approve(id)),
  disclose: () => void onDesk(() => askDisclosure(dialog, state.desk.desk, state.names.time_zone)),
  request: () => void onDesk(() => askRequest(dialog, Date.now(), state.names.time_zone)),
  answer: (/** @type {any} */ request) => void onDesk(() => askAnswer(dialog, request)),
  again: () => void lookAtDesk(),
  listAddress: () => `#${hashOf(state.list.search)}`,
};
const callActs = { ...page.acts, deed: act, again: () => void route(), listAddress: () => `#${quality.home()}`, backTo: quality.backTo };

let pending = false;

/** Soon, and once for all that changed meanwhile. */
function draw() {
  if (!pending) {
    pending = true;
    queueMicrotask(() => {
      pending = false;
      render(main, view());
      page.drawn();
    });
  }
}

function view() {
  if (state.out) {
    return [signedOut(state.out)];
  }
  if (state.desk) {
    return deskView({ ...state.desk, user: state.user, zone: state.names.time_zone }, deskActs);
  }
  if (looks.isOpen()) {
    return looks.view(state.names);
  }
  if (quality.isOpen()) {
    return quality.view(state.names);
  }
  return page.isOpen() ? [...callView(page.shown(), callActs), ...quality.beside(state.names.time_zone)] : listView({ ...state.list, names: state.names, role: state.role, finding: finding.shown(), now_ms: Date.now() }, listActs);
}

/** @param {Refused} error */
function signedOut(error) {
  const unasked = error.status === 401 && error.code !== "link-void"; // nobody signed in, or not any more
  return h("div", { class: "empty", key: "out" }, h("h1", null, unasked ? "You are not signed in" : error.message),
    h("p", null, unasked ? "Sign in on the console’s page, then come back here." : error.what_to_do),
    error.status === 401 ? h("a", { class: "button", href: "/" }, "Sign in") : h("button", { type: "button", on: { click: () => location.reload() } }, "Try again"));
}

/**
 * For screen readers.
 * @param {string} text
 */
function speak(text) {
  $("said").textContent = text;
}

/** @param {unknown} error */
function refused(error) {
  if (!(error instanceof Refused)) {
    throw error;
  }
  if (error.status === 401) {
    page.close();
    state.out = error;
  }
  draw();
}

// ---- lists ------------------------------------------------------------------------------------------------------

/** @param {Record<string, string>} change */
function search(change) {
  const next = { ...state.list.search, ...change };
  history.replaceState(null, "", `#${hashOf(next)}`);
  begin(next);
  clearTimeout(state.list.typing);
  state.list.typing = setTimeout(() => void look(), "q" in change && change.q ? TYPED_AFTER_MS : 0);
}

/** @param {any} next */
function begin(next) {
  const items = next.what === state.list.search.what ? state.list.items : []; // calls are no incidents, even for a moment
  Object.assign(state.list, { search: next, items, page: 0, befores: [null], state: "loading" });
  draw();
}

async function look() {
  const { list } = state;
  const mine = (list.asked += 1);
  list.state = "loading";
  draw();
  try {
    const { items } = await ask("GET", addressOf(list.search, list.befores[list.page]));
    if (mine === list.asked) {
      Object.assign(list, { items: items.slice(0, PAGE), more: items.length > PAGE, state: "ready" });
      finding.looked(list);
    }
  } catch (error) {
    if (mine === list.asked) {
      Object.assign(list, { state: "failed", error });
      refused(error);
    }
  }
  draw();
}

/** @param {number} step */
function turn(step) {
  const { list } = state;
  if (list.state !== "ready" || (step > 0 ? !list.more : !list.page)) {
    return;
  }
  if (step > 0) {
    list.befores[list.page + 1] = list.items[list.items.length - 1].number;
  }
  list.page += step;
  scrollTo(0, 0);
  void look();
}

/** @param {any} item */
function openItem(item) {
  location.hash = state.list.search.what === "calls" ? `call=${encodeURIComponent(item.id)}` : `incident=${encodeURIComponent(item.id)}`;
}

/** @param {number} step */
function alongRows(step) {
  const rows = /** @type {HTMLElement[]} */ ([...main.querySelectorAll(state.desk ? "tbody button, tbody a.button" : "tbody a")]);
  const here = rows.findIndex((one) => one === document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, here < 0 ? 0 : here + step))]?.focus();
}

// ---- exports, disclosures, requests ----------------------------------------------------------------------------

async function lookAtDesk() {
  const mine = state.desk;
  clearTimeout(mine?.again);
  try {
    const desk = await loadDesk();
    if (mine && mine === state.desk) {
      Object.assign(mine, { state: "ready", desk });
      if (desk.exports.some((/** @type {any} */ one) => one.state === "queued")) {
        mine.again = setTimeout(() => void lookAtDesk(), DESK_AGAIN_MS);
      }
    }
  } catch (error) {
    if (mine && mine === state.desk) {
      Object.assign(mine, mine.state === "ready" ? { trouble: "The desk cannot be read now; what is shown may be old." } : { state: "failed", error });
      refused(error);
    }
  }
  draw();
}

/**
 * Something that a person does there, then a look at what came of it.
 * @param {() => Promise<any>} what
 */
async function onDesk(what) {
  const mine = state.desk;
  try {
    const done = await what();
    if (done && mine) {
      mine.trouble = "";
      speak(typeof done === "string" ? done : "Entered.");
      await lookAtDesk();
      if (document.activeElement === document.body) {
        main.focus({ preventScroll: true }); // the button that was pressed is gone
      }
    }
  } catch (error) {
    if (error instanceof Refused && mine) {
      mine.trouble = `${error.message} ${error.what_to_do}`;
    }
    refused(error);
  }
}

function leaveDesk() {
  clearTimeout(state.desk?.again);
  state.desk = null;
}

function showDesk() {
  page.close();
  document.title = "Exports";
  state.desk = { state: "loading", error: null, trouble: "", desk: null };
  draw();
  main.focus();
  void lookAtDesk();
}

// ---- where the address leads ------------------------------------------------------------------------------------------

async function route() {
  const place = placeOf(location.hash);
  markLinks(document.querySelectorAll(".bar nav a"), location.hash, state.role);
  leaveDesk();
  looks.leave();
  quality.leave();
  if (dialog.open) {
    dialog.close();
  }
  if ("call" in place) {
    state.list.opened = location.hash;
    document.title = `Replay of ${place.call}`;
    main.focus();
    quality.called(place.call, place.sample ?? "");
    await page.open(place.call, state.names);
  } else if ("incident" in place) {
    await openIncident(place.incident);
  } else if ("desk" in place) {
    showDesk();
  } else if ("looks" in place) {
    page.close();
    main.focus();
    await looks.open(place.looks, state.names.time_zone);
  } else if ("sample" in place) {
    page.close();
    main.focus();
    await quality.open(place.sample);
  } else {
    showList(place.search);
  }
}

/**
 * An incident is shown by its call that was answered, else by its last.
 * @param {string} id
 */
async function openIncident(id) {
  try {
    const { calls } = await ask("GET", `/api/incidents/${encodeURIComponent(id)}`);
    const call = calls.find((/** @type {any} */ one) => one.answered) ?? calls[calls.length - 1];
    location.replace(call ? `#call=${encodeURIComponent(call.id)}` : "#");
  } catch (error) {
    state.list.state = "failed";
    state.list.error = error;
    refused(error);
  }
}

/** @param {any} wanted */
function showList(wanted) {
  const was = page.isOpen();
  page.close();
  document.title = "Replay";
  begin(wanted);
  void look().then(() => {
    if (was) {
      document.querySelector(".list tbody a")?.scrollIntoView({ block: "nearest" });
      main.focus({ preventScroll: true });
    }
  });
}

// ---- keys ------------------------------------------------------------------------------------------------------------

/** @type {Record<string, () => void>} */
const DEEDS = {
  keys: () => showKeys(dialog),
  list: () => (location.hash = looks.isOpen() ? looks.home() : quality.home()),
  ...finding.deeds,
  search: () => document.getElementById("words")?.focus(),
  down: () => alongRows(1),
  up: () => alongRows(-1),
  "next-page": () => (looks.isOpen() ? looks : { turn }).turn(1),
  "page-before": () => (looks.isOpen() ? looks : { turn }).turn(-1),
  again: () => void (state.desk ? lookAtDesk() : looks.isOpen() ? looks.again() : quality.isOpen() ? quality.again() : look()),
  desk: () => (location.hash = "desk"),
  sample: () => (location.hash = "sample"),
  looks: () => (location.hash = page.isOpen() ? looksHash({ ...ANYTHING, call: page.shown().id }) : looksHash(ANYTHING)),
  person: () => looks.toPerson(),
  "month-after": () => quality.turn(1),
  "month-before": () => quality.turn(-1),
  sheet: () => page.isOpen() && quality.toSheet(page.shown().id),
  disclose: () => void (state.desk?.desk && deskActs.disclose()),
  request: () => void (state.desk?.desk && deskActs.request()),
};

/** @param {string} what */
function act(what) {
  if (!page.do(what)) {
    DEEDS[what]?.();
  }
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const what = deed(state.desk ? "desk" : looks.isOpen() ? "looks" : quality.isOpen() ? "sample" : page.isOpen() ? "call" : "list", {
    key: event.key,
    shift: event.shiftKey,
    other: event.ctrlKey || event.metaKey || event.altKey,
    typing: target.matches("input:not([type=radio], [type=checkbox], [type=range]), select, textarea"),
    on_button: target.matches("button, a, summary"),
    on_slider: target.matches("[type=range]"),
    in_dialog: dialog.open,
    repeat: event.repeat,
  });
  if (what) {
    event.preventDefault();
    act(what);
  }
}

async function signOut() {
  page.close();
  try {
    await ask("DELETE", "/api/session");
    location.assign("/");
  } catch (error) {
    state.out = error;
    refused(error);
  }
}

async function start() {
  awaitLink();
  try {
    if (isLink()) {
      await followLink();
    }
    const [who, names] = await Promise.all([ask("GET", "/api/session"), newestNames()]);
    state.names = names;
    state.user = who.user;
    state.role = who.role;
    $("plan").textContent = names.plan;
    $("user").textContent = names.operators[who.user] ?? who.user;
    $("role").textContent = who.role;
    $("sign-out").hidden = false;
  } catch (error) {
    state.out = error;
    refused(error);
    return;
  }
  addEventListener("hashchange", () => void route());
  addEventListener("keydown", pressed);
  $("sign-out").addEventListener("click", () => void signOut());
  $("show-keys").addEventListener("click", () => showKeys(dialog));
  await route();
}

void start();
