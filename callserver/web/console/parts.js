/** Small pieces that several views are made of. */

import { h } from "./dom.js";

/** @typedef {(message: import("./types.js").Message) => void} Say */

/**
 * What a click on a button with this deed says.
 * @param {Say} say
 * @param {string} what
 * @param {Object} [more]
 */
export function does(say, what, more = {}) {
  return { click: () => say({ type: "act", what, ...more }) };
}

/**
 * A button with its key on it.
 * @param {string} label
 * @param {string} key
 * @param {Record<string, any>} props
 * @param {...any} more
 */
export function keyed(label, key, props, ...more) {
  const keys = key.split(" ").map((one, place) => h("kbd", { key: place, "aria-hidden": "true" }, one));
  return h("button", { type: "button", "aria-keyshortcuts": key, ...props }, h("span", { class: "label" }, label), ...more, key ? h("span", { class: "keys" }, keys) : null);
}

/**
 * A coloured mark before a word; the word says the same.
 * @param {string} tone
 */
export function dot(tone) {
  return h("span", { class: `dot is-${tone}`, "aria-hidden": "true" });
}

/**
 * A heading with a number beside it.
 * @param {string} title
 * @param {string} id
 * @param {string | number} [number]
 * @param {string} [tone]
 * @param {any} [button]  what can be done with the whole list now
 */
export function heading(title, id, number = "", tone = "", button = null) {
  return h("header", { class: "heading" }, h("h2", { id }, title), button, number === "" ? null : h("span", { class: `number ${tone}` }, number));
}

/**
 * Where a point can be seen; each opens in a window of its own. What is no address of the web is no link.
 * @param {import("./types.js").Incident | undefined} incident
 */
export function cameras(incident) {
  const shown = (incident?.cameras ?? []).filter((one) => /^https?:/.test(one.url));
  const links = shown.map((one) => h("li", { key: one.url }, h("a", { href: one.url, target: "_blank", rel: "noopener noreferrer" }, icon("camera"), one.name, h("span", { class: "only-heard" }, " (opens a window)"))));
  return links.length ? h("ul", { key: "cameras", class: "cameras", "aria-label": "Cameras" }, links) : null;
}

/** @type {Record<string, string[]>} */
const ICONS = {
  microphone: ["M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z", "M6 11v1a6 6 0 0 0 12 0v-1", "M12 18v3"],
  muted: ["M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z", "M6 11v1a6 6 0 0 0 12 0v-1", "M12 18v3", "M4 4l16 16"],
  hold: ["M9 5v14", "M15 5v14"],
  resume: ["M8 5l11 7-11 7z"],
  police: ["M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z"],
  others: ["M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6z", "M3 20c0-4 3-6 6-6s6 2 6 6", "M18 8v6", "M15 11h6"],
  camera: ["M4 8h10a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z", "M15 11l6-3v8l-6-3"],
  private: ["M5 5h14v10H10l-4 4v-4H5z", "M9 10h.01", "M12 10h.01", "M15 10h.01"],
  leave: ["M13 4H5v16h8", "M10 12h11", "M17 8l4 4-4 4"],
  give: ["M4 12h15", "M13 6l6 6-6 6"],
  park: ["M6 4h12v16H6z", "M10 16V8h3a2.500 2.500 0 0 1 0 5h-3"],
  listen: ["M7 9a5 5 0 0 1 10 0c0 4-4 4-4 8a2.500 2.500 0 0 1-4 2", "M10 9a2 2 0 0 1 4 0"],
  end: ["M4 14c4-5 12-5 16 0l-2 3-4-2v-2.500c-1.300-.4-2.700-.4-4 0V15l-4 2z"],
  answer: ["M6 3l3 1 1 4-2 2c1 3 3 5 6 6l2-2 4 1 1 3c-1 2-3 3-5 3C10 20 4 14 3 8c0-2 1-4 3-5z"],
  point: ["M12 21c5-6 7-9 7-12a7 7 0 0 0-14 0c0 3 2 6 7 12z", "M12 11a2 2 0 1 0 0-4 2 2 0 0 0 0 4z"],
};

/**
 * An outline drawing.
 * @param {string} name
 */
export function icon(name) {
  const paths = (ICONS[name] ?? []).map((d, key) => h("path", { key, d }));
  return h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, paths);
}

/**
 * A dialog over the page: takes the focus, gives it back; Escape dismisses.
 * @param {Say} say
 * @param {string} name
 * @param {string} title
 * @param {...any} children
 */
export function dialog(say, name, title, ...children) {
  const attach = (/** @type {HTMLDialogElement} */ element) => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    queueMicrotask(() => show(element));
    return () => queueMicrotask(() => before?.isConnected && before.focus());
  };
  const on = { cancel: (/** @type {Event} */ event) => leave(event, say) };
  return h("dialog", { key: name, class: `dialog-${name}`, "aria-labelledby": `${name}-title`, attach, on }, h("header", { class: "heading" }, h("h1", { id: `${name}-title` }, title), h("button", { type: "button", class: "quiet", on: does(say, "dismiss") }, "Back", h("kbd", { "aria-hidden": "true" }, "Esc"))), ...children);
}

const FIRST = "select, input:not([type=checkbox]), button.outcome, button.primary";

/**
 * Open with the focus on what the dialog is for, not on the way out; where something is chosen already, on that.
 * @param {HTMLDialogElement} element
 */
function show(element) {
  if (element.isConnected && !element.open) {
    element.showModal();
    const first = element.querySelector('button.outcome[aria-pressed="true"]') ?? element.querySelector(FIRST);
    /** @type {HTMLElement | null} */ (first)?.focus();
  }
}

/** @param {Event} event @param {Say} say */
function leave(event, say) {
  event.preventDefault();
  say({ type: "act", what: "dismiss" });
}
