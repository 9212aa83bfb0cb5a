/** The two dialogs of the replay: why somebody listens, and which keys there are. */

import { h, render } from "./dom.js";
import { SHOWN } from "./replay-keys.js";

export const REASONS = ["Review of the incident", "Complaint", "Request of the police", "Training", "Check of the recording"];
const OTHER = "Another reason";
const MOST = 400;

/**
 * The reason in one line, "" while it is none.
 * @param {string} chosen @param {string} more
 */
export function reasonOf(chosen, more) {
  const words = more.trim().replace(/\s+/g, " ").slice(0, MOST);
  if (!chosen || chosen === OTHER) {
    return words;
  }
  return words ? `${chosen}: ${words}` : chosen;
}

/**
 * Ask why; null when nobody wants to listen after all.
 * @param {HTMLDialogElement} dialog @param {string} place @param {string} [first]  the reason that is chosen already
 * @returns {Promise<string | null>}
 */
export function askReason(dialog, place, first = "") {
  finish();
  return new Promise((resolve) => {
    let reason = /** @type {string | null} */ (null);
    const submit = (/** @type {any} */ event) => {
      event.preventDefault();
      const given = new FormData(event.target);
      const found = reasonOf(String(given.get("reason") ?? ""), String(given.get("more") ?? ""));
      if (!found) {
        wrong(dialog, given.get("reason") === OTHER);
        return;
      }
      reason = found;
      dialog.close();
    };
    render(dialog, [
      h("form", { key: "reason", class: "reason", novalidate: true, on: { submit } },
        h("h2", { id: "dialog-title" }, "Why do you listen?"),
        h("p", { class: "is-quiet" }, `Listening to ${place} is journalled with your name and this reason.`),
        h("fieldset", null, h("legend", null, "Reason"),
          [...(first ? [first] : []), ...REASONS, OTHER].map((one, place) => h("label", { class: "radio", key: one },
            h("input", { type: "radio", name: "reason", value: one, autofocus: place === 0, checked: one === first }), one))),
        h("label", { for: "more" }, "More, a reference for instance"),
        h("input", { id: "more", name: "more", maxlength: MOST, autocomplete: "off", "aria-describedby": "reason-fault" }),
        h("p", { id: "reason-fault", class: "is-red", role: "alert" }),
        h("div", { class: "buttons" },
          h("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, "Cancel"),
          h("button", { type: "submit", class: "primary" }, "Listen"))),
    ]);
    shown(dialog, () => resolve(reason));
  });
}

/** @param {HTMLDialogElement} dialog @param {boolean} other */
function wrong(dialog, other) {
  const fault = dialog.querySelector("#reason-fault");
  if (fault) {
    fault.textContent = other ? "Write the reason in a few words." : "Choose a reason, or write one.";
  }
  dialog.querySelector("#more")?.setAttribute("aria-invalid", "true");
  /** @type {HTMLElement | null} */ (dialog.querySelector(other ? "#more" : "input[type=radio]"))?.focus();
}

/**
 * Show which keys there are.
 * @param {HTMLDialogElement} dialog
 */
export function showKeys(dialog) {
  if (dialog.open) {
    return;
  }
  finish();
  render(dialog, [
    h("div", { key: "keys", class: "keys" },
      h("div", { class: "facts-head" }, h("h2", { id: "dialog-title" }, "Keys"), h("button", { type: "button", autofocus: true, on: { click: () => dialog.close() } }, "Close")),
      h("div", { class: "tables" },
        SHOWN.map(([title, keys]) => h("section", { key: title }, h("h3", null, title),
          h("dl", null, keys.map(([key, does]) => h("div", null, h("dt", null, key.split(" ").map((one) => h("kbd", null, one))), h("dd", null, does)))))))),
  ]);
  shown(dialog, () => {});
}

/** What is still to be done about the dialog that was closed last: its event comes a moment later. */
let finish = () => {};

/**
 * Show what was rendered into the dialog; `closed` is called once, when it is over.
 * @param {HTMLDialogElement} dialog @param {() => void} closed
 */
export function shown(dialog, closed) {
  const done = () => {
    if (dialog.open) {
      return; // the event of the one before
    }
    dialog.removeEventListener("close", done);
    finish = () => {};
    render(dialog, []);
    closed();
  };
  finish = done;
  dialog.addEventListener("close", done);
  dialog.showModal();
}
