// The street's page: what the demo tells is drawn, what is pressed is sent. Nothing is decided here.

import { backdrop, figures } from "./scene.js";

const WORDS = {
  idle: "",
  calling: "calling",
  called: "is being called back",
  talking: "somebody is there",
};
const DESK_WORDS = { idle: "Nobody calls", called: "It rings", calling: "", talking: "In a call" };
const LOUD_DBFS = -42; // as loud as the simulated people take for a voice
const METER_STEPS = [-54, -46, -38, -30, -22];

const town = document.querySelector("#town");
const desk = document.querySelector("#desk");
const points = new Map();
let announced = new Map();
let deskUser = "";

/** A new element with its class, its text and its children. */
function make(name, kind, text, ...children) {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

async function send(user, verb) {
  try {
    const reply = await fetch("do", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user, verb }),
    });
    if (!reply.ok) announce(await reply.text());
  } catch {
    lost(true);
  }
}

function lost(is) {
  document.querySelector("#lost").hidden = !is;
  document.body.classList.toggle("is-lost", is);
}

function announce(text) {
  document.querySelector("#told").textContent = text;
}

function deed(point, verb, text) {
  const button = make("button", "deed", text);
  button.type = "button";
  button.setAttribute("aria-label", `${text}: ${point.name}`);
  button.addEventListener("click", () => send(point.id, verb));
  return button;
}

/** One point: the post with its button at the left, who and what at the right, the caption above. */
function build(point) {
  const item = make("li", "point");
  const press = make("button", "press");
  press.type = "button";
  press.setAttribute("aria-label", `Press for help at ${point.place}. Here: ${point.story}`);
  press.addEventListener("click", () => send(point.id, "press"));
  const post = make("div", "post", "", make("span", "beacon"), make("span", "sign", "HELP"), press);
  post.querySelectorAll("span").forEach((part) => part.setAttribute("aria-hidden", "true"));
  const meter = make("span", "grille meter", "", ...METER_STEPS.map(() => make("i")));
  meter.setAttribute("aria-hidden", "true");
  meter.title = "What the point hears";
  post.append(meter);
  const neighbours = point.cable.length;
  const parts = {
    item,
    press,
    meter,
    caption: make("p", "caption"),
    state: make("p", "state"),
    story: make("p", "story", point.story),
    walk: deed(point, "walk", "Walk away"),
    hangup: deed(point, "hangup", "Hang up"),
    cut: deed(point, "cut", "Cut cable"),
    mend: deed(point, "mend", "Mend cable"),
  };
  parts.cut.title = `The ${neighbours} other points of this row hang on it too`;
  parts.hangup.title = "The point drops the call; it is called back";
  parts.walk.title = "Nobody stands there any more, and the line stays open";
  const words = make(
    "div",
    "words",
    "",
    make("h2", "", point.name),
    parts.story,
    parts.state,
    make("div", "deeds", "", parts.walk, parts.hangup, parts.cut, parts.mend),
  );
  item.append(figures(), parts.caption, post, words);
  item.title = point.place;
  points.set(point.id, parts);
  return item;
}

function buildTown(state) {
  const rows = new Map();
  for (const point of state.points) {
    if (!rows.has(point.row)) {
      const list = make("ol", "row");
      const row = make("div", "street-row", "", backdrop(point.row), list);
      rows.set(point.row, list);
      town.append(row);
    }
    rows.get(point.row).append(build(point));
  }
}

function wordOf(point) {
  if (point.cut) return "the cable is cut";
  if (point.left && point.state !== "idle") return "nobody stands there any more";
  return WORDS[point.state] || point.note || (point.reachable ? "" : "not registered yet");
}

function showPoint(point) {
  const parts = points.get(point.id);
  const busy = point.state !== "idle";
  parts.item.dataset.state = point.state;
  parts.item.dataset.light = point.light;
  parts.item.dataset.person = String(busy && !point.left);
  parts.item.dataset.cut = String(point.cut);
  parts.press.setAttribute("aria-disabled", String(busy || point.cut));
  parts.state.textContent = wordOf(point);
  parts.story.hidden = busy || point.cut;
  parts.caption.textContent = point.said;
  parts.caption.hidden = !point.said || point.cut;
  parts.caption.dataset.speaks = String(point.speaks);
  parts.meter.classList.toggle("meter", point.state === "talking" && !point.cut);
  parts.meter.dataset.voice = String(point.level_dbfs >= LOUD_DBFS);
  [...parts.meter.children].forEach((bar, at) => {
    bar.className = point.level_dbfs >= METER_STEPS[at] ? "on" : "";
  });
  parts.walk.hidden = point.state !== "talking" || point.left || point.cut;
  parts.hangup.hidden = !busy || point.cut;
  parts.cut.hidden = !busy || point.cut;
  parts.mend.hidden = !point.cut;
}

function showDesk(state) {
  deskUser = state.user;
  desk.dataset.state = state.state;
  desk.querySelector(".word").textContent = DESK_WORDS[state.state];
  const caption = desk.querySelector(".caption");
  caption.textContent = state.said ? `“${state.said}”` : "";
  caption.dataset.speaks = String(state.speaks);
  const mayRing = state.state === "called" || (state.state === "talking" && !state.automatic); // one more beside a call
  desk.querySelector('[data-verb="answer"]').hidden = !mayRing;
  desk.querySelector('[data-verb="hangup"]').hidden = state.state !== "talking";
  document.querySelector("#automatic").checked = state.automatic;
}

/** Tell a screen reader what has changed, in words. */
function announceChanges(state) {
  const now = new Map(state.points.map((point) => [point.id, [point.name, wordOf(point), point.said]]));
  now.set("desk", ["Police desk", DESK_WORDS[state.desk.state], state.desk.said]);
  const news = [];
  for (const [id, [name, word, said]] of now) {
    const before = announced.get(id);
    if (before && word && word !== before[1]) news.push(`${name}: ${word}.`);
    if (before && said && said !== before[2]) news.push(`${name} says: ${said}`);
  }
  announced = now;
  if (news.length) announce(news.join(" "));
}

function showLinks(state) {
  for (const link of document.querySelectorAll("a[data-role]")) {
    link.href = state.links[link.dataset.role];
    link.target = `callserver-${link.dataset.role}`;
    link.rel = "noreferrer";
  }
  document.querySelector("#lonely").hidden = !state.lonely;
}

function show(state) {
  if (!points.size) {
    buildTown(state);
    showLinks(state);
  }
  state.points.forEach(showPoint);
  showDesk(state.desk);
  announceChanges(state);
}

function openBeside(event) {
  const link = event.currentTarget;
  if (event.ctrlKey || event.metaKey || event.shiftKey || !link.href) return;
  event.preventDefault();
  const width = Math.min(1366, screen.availWidth);
  const height = Math.min(900, screen.availHeight);
  window.open(link.href, link.target, `popup,noreferrer,width=${width},height=${height}`);
}

for (const button of desk.querySelectorAll("button")) {
  button.addEventListener("click", () => send(deskUser, button.dataset.verb));
}
for (const link of document.querySelectorAll("a[data-role]")) link.addEventListener("click", openBeside);
document.querySelector("#automatic").addEventListener("change", (event) => {
  send(deskUser, event.target.checked ? "automatic" : "by-hand");
});

const news = new EventSource("news");
news.addEventListener("message", (event) => {
  lost(false);
  show(JSON.parse(event.data));
});
news.addEventListener("error", () => lost(true));
