/** One form in the dialog: fields, a fault in words, and what was given. What the desk asks people goes through here. */

import { h, render } from "./dom.js";
import { shown } from "./replay-dialogs.js";

const MOST = 500;

/**
 * @typedef {{name: string, label: string, kind?: "text" | "date" | "choice", options?: string[][], value?: string, max?: string, hint?: string,
 *   asked?: (given: Record<string, string>) => boolean}} Field  `options` are [value, label]; `asked`: whether it is shown, by what is given; always, where it is not said
 * @typedef {{title: string, text: string, fields: Field[], done: string, fault: (given: Record<string, string>) => [string, string] | null}} Form
 *   `fault`: a field's name and what is wrong with it; null where nothing is
 */

/**
 * Ask; null when nobody wants to after all.
 * @param {HTMLDialogElement} dialog @param {Form} form @returns {Promise<Record<string, string> | null>}
 */
export function askForm(dialog, form) {
  return new Promise((resolve) => {
    let answer = /** @type {Record<string, string> | null} */ (null);
    const submit = (/** @type {any} */ event) => {
      event.preventDefault();
      const given = givenIn(event.target, form);
      const fault = form.fault(given);
      if (fault) {
        wrong(dialog, ...fault);
      } else {
        answer = given;
        dialog.close();
      }
    };
    render(dialog, [
      h("form", { key: form.title, class: "reason", novalidate: true, on: { submit, change: () => show(dialog, form) } },
        h("h2", { id: "dialog-title" }, form.title),
        h("p", { class: "is-quiet" }, form.text),
        form.fields.map((field, place) => h("div", { class: "asked", id: `asked-${field.name}`, key: field.name },
          h("label", { for: `form-${field.name}` }, field.label), input(field, place === 0), field.hint && h("p", { class: "is-quiet", id: `hint-${field.name}` }, field.hint))),
        h("p", { id: "reason-fault", class: "is-red", role: "alert" }),
        h("div", { class: "buttons" },
          h("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, "Cancel"),
          h("button", { type: "submit", class: "primary" }, form.done))),
    ]);
    show(dialog, form);
    shown(dialog, () => resolve(answer));
  });
}

/** @param {HTMLFormElement} element @param {Form} form */
function givenIn(element, form) {
  const data = new FormData(element);
  return Object.fromEntries(form.fields.map(({ name }) => [name, String(data.get(name) ?? "").trim()]));
}

/**
 * Only what is asked with what was chosen so far.
 * @param {HTMLDialogElement} dialog @param {Form} form
 */
function show(dialog, form) {
  const given = givenIn(/** @type {HTMLFormElement} */ (dialog.querySelector("form")), form);
  for (const { name, asked } of form.fields) {
    /** @type {HTMLElement} */ (dialog.querySelector(`#asked-${name}`)).hidden = asked ? !asked(given) : false;
  }
}

/** @param {Field} field @param {boolean} autofocus */
function input({ name, kind, options, value, max, hint }, autofocus) {
  const given = { id: `form-${name}`, name, autofocus, "aria-describedby": hint ? `hint-${name} reason-fault` : "reason-fault" };
  if (kind === "choice") {
    return h("select", given, (options ?? []).map(([one, label]) => h("option", { value: one, key: one, selected: one === value }, label)));
  }
  return h("input", { ...given, type: kind ?? "text", maxlength: MOST, autocomplete: "off", value: value ?? "", max: max ?? false });
}

/** @param {HTMLDialogElement} dialog @param {string} field @param {string} words */
function wrong(dialog, field, words) {
  const fault = dialog.querySelector("#reason-fault");
  if (fault) {
    fault.textContent = words;
  }
  const input = /** @type {HTMLElement | null} */ (dialog.querySelector(`#form-${field}`));
  input?.setAttribute("aria-invalid", "true");
  input?.focus();
}
