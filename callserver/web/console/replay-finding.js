/** Beside a list: how many there are, the searches that are kept under a name, and the list as a file. */

import { ask, Refused } from "./api.js";
import { askForm } from "./replay-forms.js";
import { filtersOf, hashOf, searchOf } from "./replay-search.js";

/** @typedef {import("./replay-search.js").Search} Search */
/** @typedef {{id: string, name: string, of: "calls" | "incidents", filters: string, shared: boolean, by: string, mine: boolean}} Kept */

const NAME_MOST = 80;

/**
 * Where a kept search leads.
 * @param {Kept} kept
 */
export function hashOfKept(kept) {
  return hashOf({ ...searchOf(new URLSearchParams(kept.filters)), what: kept.of });
}

/**
 * @param {{dialog: HTMLDialogElement, draw: () => void, speak: (text: string) => void, refused: (error: Refused) => void,
 *   search: () => Search}} told
 */
export function makeFinding(told) {
  /** @type {{count: {found: number, more: boolean} | null, open: boolean, kept: Kept[] | null, may_share: boolean, trouble: string, taking: boolean}} */
  const state = { count: null, open: false, kept: null, may_share: false, trouble: "", taking: false };
  let counting = 0;

  /**
   * A page of the list has come. What the first page does not show whole is counted by the service.
   * @param {{search: Search, items: any[], more: boolean, page: number}} list
   */
  function looked(list) {
    if (list.page) {
      return; // it is part of what was counted
    }
    const mine = (counting += 1);
    state.count = list.more ? null : { found: list.items.length, more: false };
    if (list.more) {
      void counted(mine, list.search);
    }
  }

  /** @param {number} mine @param {Search} search */
  async function counted(mine, search) {
    try {
      const count = await ask("GET", `/api/count/${search.what}?${filtersOf(search)}`);
      if (mine === counting) {
        state.count = count;
        told.draw();
      }
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error; // else the list stands without its number
      }
    }
  }

  /**
   * Do something, and say what went wrong beside the list.
   * @param {() => Promise<void>} what
   */
  async function tried(what) {
    state.trouble = "";
    try {
      await what();
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
      state.trouble = `${error.message} ${error.what_to_do}`;
      told.refused(error);
    }
    told.draw();
  }

  async function load() {
    const { items, may_share } = await ask("GET", "/api/searches");
    Object.assign(state, { kept: items, may_share });
  }

  /** Open the list of kept searches, or close it. */
  function toggle() {
    state.open = !state.open;
    told.draw();
    if (state.open) {
      void tried(load).then(() => queueMicrotask(() => /** @type {HTMLElement | null} */ (document.querySelector(".kept a"))?.focus()));
    } else {
      /** @type {HTMLElement | null} */ (document.getElementById("kept-searches"))?.focus();
    }
  }

  async function keep() {
    await tried(async () => {
      await load();
      const search = told.search();
      /** @type {import("./replay-forms.js").Field[]} */
      const fields = [{ name: "name", label: "Name", hint: "A name that you have used already is given to this search instead." }];
      const whose = { name: "whose", label: "Who finds it", kind: /** @type {const} */ ("choice"), options: [["mine", "I alone"], ["all", "Everybody"]] };
      const given = await askForm(told.dialog, {
        title: "Keep this search", done: "Keep it",
        text: "Days that are counted back from today are counted anew each time.",
        fields: state.may_share ? [...fields, whose] : fields,
        fault: ({ name }) => (!name ? ["name", "Give it a name."] : name.length > NAME_MOST ? ["name", `A name has at most ${NAME_MOST} letters.`] : null),
      });
      if (given) {
        await ask("POST", "/api/searches", { name: given.name, of: search.what, filters: filtersOf(search), shared: given.whose === "all" });
        await load();
        state.open = true;
        told.speak(`Kept as ${given.name}.`);
      }
    });
  }

  /** @param {Kept} kept */
  function forget(kept) {
    void tried(async () => {
      await ask("DELETE", `/api/searches/${encodeURIComponent(kept.id)}`);
      await load();
      told.speak(`${kept.name} is gone.`);
    });
  }

  /** The list as a file. The service may take some seconds to make it, and says in words why it does not. */
  function take() {
    if (state.taking) {
      return;
    }
    const search = told.search();
    void tried(async () => {
      state.taking = true;
      told.draw();
      try {
        await saved(`/api/${search.what}.csv?${filtersOf(search)}`, `${search.what}.csv`);
      } finally {
        state.taking = false;
      }
    });
  }

  /** @param {string} address @param {string} name */
  async function saved(address, name) {
    let answer;
    try {
      answer = await fetch(address);
    } catch {
      throw new Refused(0, "no-answer", "The service does not answer.", "Try again in a few seconds.");
    }
    if (!answer.ok) {
      const { error } = await answer.json();
      throw new Refused(answer.status, error.code, error.message, error.what_to_do);
    }
    const file = URL.createObjectURL(await answer.blob());
    Object.assign(document.createElement("a"), { href: file, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(file), 60_000);
    const rows = answer.headers.get("X-Rows");
    told.speak(`${rows} lines were taken.`);
    if (answer.headers.get("X-Cut") === "true") {
      state.trouble = `Only the newest ${rows} lines were taken: there are more. Narrow the search, and take them in parts.`;
    }
  }

  return {
    looked,
    shown: () => state,
    acts: { toggle, keep: () => void keep(), forget, take },
    deeds: { "keep-search": () => void keep(), "kept-searches": toggle, csv: take },
  };
}
