/** The page before anybody is signed in. */

import { h } from "./dom.js";

/** @typedef {import("./types.js").State} State */

/**
 * User and password, or word that the page is finding out who is signed in.
 * @param {State} state
 * @param {(message: {user: string, password: string}) => void} enter
 */
export function signIn(state, enter) {
  const { sign } = state;
  const body = sign.state === "asking" && !sign.fault ? h("p", { key: "asking", class: "is-quiet" }, "One moment\u2026") : form(sign, enter);
  return h("main", { key: "sign-in", class: "sign-in" }, h("div", { class: "panel sheet" }, h("img", { src: "/console/icon.svg", alt: "", width: "48", height: "48" }), h("h1", null, "Help point console"), body));
}

/** @param {State["sign"]} sign @param {(message: {user: string, password: string}) => void} enter */
function form(sign, enter) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    enter({ user: String(data.get("user") ?? "").trim(), password: String(data.get("password") ?? "") });
  };
  const fault = sign.fault ? h("p", { key: "fault", id: "sign-in-fault", class: "notice red", role: "alert" }, h("strong", null, sign.fault), sign.what_to_do ? ` ${sign.what_to_do}` : null) : null;
  return h(
    "form",
    { key: "form", on: { submit } },
    fault,
    field("user", "User", "text", "username", Boolean(fault), true),
    field("password", "Password", "password", "current-password", Boolean(fault), false),
    h("button", { class: "primary wide", type: "submit", disabled: sign.busy }, sign.busy ? "Signing in\u2026" : "Sign in"),
  );
}

/** @param {string} name @param {string} label @param {string} type @param {string} autocomplete @param {boolean} faulty @param {boolean} first */
function field(name, label, type, autocomplete, faulty, first) {
  const attach = (/** @type {HTMLElement} */ element) => {
    first ? queueMicrotask(() => element.focus()) : undefined;
  };
  const input = h("input", { id: name, name, type, autocomplete, required: true, spellcheck: "false", autocapitalize: "none", "aria-describedby": faulty ? "sign-in-fault" : null, attach });
  return h("div", { key: name, class: "field" }, h("label", { for: name }, label), input);
}
