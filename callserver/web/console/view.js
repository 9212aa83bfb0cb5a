/** The whole page as a function of the state. */

import { h } from "./dom.js";
import { board } from "./view-board.js";
import { dialogs } from "./view-dialogs.js";
import { banner, bar } from "./view-bar.js";
import { signIn } from "./view-sign-in.js";
import { stageView } from "./view-stage.js";
import { oldness, ringing, othersRung } from "./select.js";
import { className, list } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./parts.js").Say} Say */

/**
 * What the page shows.
 * @param {State} state
 * @param {Say} say
 * @param {import("./sound.js").SeatSound} sound
 * @param {(message: {user: string, password: string}) => void} enter
 */
export function view(state, say, sound, enter) {
  if (state.sign.state !== "in") {
    return [signIn(state, enter)];
  }
  const old = oldness(state);
  return [
    h("a", { class: "skip", href: "#stage", key: "skip" }, "To what stands before you"),
    bar(state, say),
    banner(state, say),
    h("div", { key: "work", class: old ? "work old" : "work" }, stageView(state, say), board(state, say)),
    ...dialogs(state, say, sound),
  ];
}

/**
 * What is read aloud at once: a new call, and nothing else.
 * @param {State} state
 */
export function alertWords(state) {
  const ring = ringing(state);
  if (!ring || ring.accepted) {
    return "";
  }
  const others = othersRung(state, ring.call);
  const how = ring.leg ? "Space answers." : "Answer at your telephone.";
  return `A call rings. ${className(state.board.incident[ring.incident] ?? ring)}. ${ring.place}. ${how}${others.length ? ` Also rung: ${list(others)}.` : ""}`;
}

/**
 * What is read aloud when there is time: the latest news, or that what is shown is old.
 * @param {State} state
 */
export function statusWords(state) {
  const old = oldness(state);
  if (old) {
    return old.why === "connection" ? "The connection to the service is lost. What is shown is old." : "The switchboard does not answer. What is shown is old.";
  }
  return state.news[state.news.length - 1]?.text ?? "";
}
