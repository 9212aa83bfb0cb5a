/** Legal holds of the incident that is open: what stands, and the dialog that places one or lifts it. */

import { ask, Refused } from "./api.js";
import { h, render } from "./dom.js";
import { shown } from "./replay-dialogs.js";

const MOST = 500;
const DAY_MS = 86_400_000;
const FIRST_REVIEW_DAYS = 90;

/**
 * @typedef {{hold: string, incident: string, by: string, placed: string, review: string, why: string, lifted: string | null}} Hold
 * @typedef {{place: {why: string, review: string}} | {release: {hold: string}}} Wish
 */

/** @param {string} incident */
const path = (incident) => `/api/incidents/${encodeURIComponent(incident)}`;

/**
 * The holds of an incident; null for who may not see them. Throws `Refused`.
 * @param {string} incident @returns {Promise<Hold[] | null>}
 */
export async function holdsOf(incident) {
  try {
    return (await ask("GET", `${path(incident)}/holds`)).items;
  } catch (error) {
    if (error instanceof Refused && error.status === 403) {
      return null;
    }
    throw error;
  }
}

/**
 * Those that stand.
 * @param {Hold[] | null} holds
 */
export function standing(holds) {
  return (holds ?? []).filter((one) => !one.lifted);
}

/**
 * A day, so many after another moment, as a date field has it.
 * @param {number} now_ms @param {number} days
 */
export function dayAfter(now_ms, days) {
  return new Date(now_ms + days * DAY_MS).toISOString().slice(0, 10);
}

/**
 * What is wrong with a wish to hold, "" where nothing is.
 * @param {string} why @param {string} review @param {number} now_ms
 */
export function faultOf(why, review, now_ms) {
  if (!why.trim()) {
    return "Write why it is held, in a few words.";
  }
  return review > dayAfter(now_ms, 0) ? "" : "Choose a day to come: an alarm rings then, and somebody looks whether it is still needed.";
}

/**
 * In words, for the service has done it. Throws `Refused`.
 * @param {string} incident @param {Wish} wish
 */
export async function carryOut(incident, wish) {
  if ("release" in wish) {
    await ask("POST", `${path(incident)}/release`, { ...wish.release, why: "" });
    return "The hold is lifted.";
  }
  const { late } = await ask("POST", `${path(incident)}/hold`, wish.place);
  return late.length ? "The incident is held. It came too late for its recording, which was deleted before." : "The incident is held: nothing of it is deleted.";
}

/**
 * What is held, and whether to hold or release; null for neither.
 * @param {HTMLDialogElement} dialog @param {Hold[] | null} holds @param {number} now_ms @returns {Promise<Wish | null>}
 */
export function askHold(dialog, holds, now_ms) {
  return new Promise((resolve) => {
    let wish = /** @type {Wish | null} */ (null);
    const choose = (/** @type {Wish} */ one) => {
      wish = one;
      dialog.close();
    };
    const submit = (/** @type {any} */ event) => {
      event.preventDefault();
      const given = new FormData(event.target);
      const [why, review] = [String(given.get("why") ?? ""), String(given.get("review") ?? "")];
      const fault = faultOf(why, review, now_ms);
      if (fault) {
        wrong(dialog, fault, why.trim() ? "#hold-review" : "#hold-why");
      } else {
        choose({ place: { why: why.trim(), review } });
      }
    };
    const item = (/** @type {Hold} */ one) => h("li", { key: one.hold },
      h("span", null, `Held by ${one.by} since ${one.placed.slice(0, 10)}, to be reviewed on ${one.review.slice(0, 10)}: ${one.why || "the reason was erased"} `),
      h("button", { type: "button", "aria-label": `Release the hold of ${one.by}, placed on ${one.placed.slice(0, 10)}`, on: { click: () => choose({ release: { hold: one.hold } }) } }, "Release"));
    render(dialog, [
      h("form", { key: "hold", class: "reason", novalidate: true, on: { submit } },
        h("h2", { id: "dialog-title" }, standing(holds).length ? "This incident is held" : "Hold this incident"),
        h("p", { class: "is-quiet" }, "Nothing of a held incident is deleted or erased. The hold is journalled with your name and the reason."),
        standing(holds).length > 0 && [h("ul", { class: "holds" }, standing(holds).map(item)), h("h3", null, "Hold it for another reason too")],
        h("label", { for: "hold-why" }, "Why, with a reference if there is one"),
        h("input", { id: "hold-why", name: "why", maxlength: MOST, autocomplete: "off", autofocus: true, "aria-describedby": "reason-fault" }),
        h("label", { for: "hold-review" }, "To be reviewed on"),
        h("input", { id: "hold-review", name: "review", type: "date", min: dayAfter(now_ms, 1), value: dayAfter(now_ms, FIRST_REVIEW_DAYS), "aria-describedby": "reason-fault" }),
        h("p", { id: "reason-fault", class: "is-red", role: "alert" }),
        h("div", { class: "buttons" },
          h("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, "Cancel"),
          h("button", { type: "submit", class: "primary" }, "Hold"))),
    ]);
    shown(dialog, () => resolve(wish));
  });
}

/** @param {HTMLDialogElement} dialog @param {string} words @param {string} field */
function wrong(dialog, words, field) {
  const fault = dialog.querySelector("#reason-fault");
  if (fault) {
    fault.textContent = words;
  }
  const input = /** @type {HTMLElement | null} */ (dialog.querySelector(field));
  input?.setAttribute("aria-invalid", "true");
  input?.focus();
}
