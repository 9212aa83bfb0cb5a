/** The quality sample while it is looked at: the page of a month, and the sheet of the call that is open. */

import { ask, Refused } from "./api.js";
import { monthAfter, monthName, sampleView } from "./replay-sample.js";
import { COMMENT, pointsOf, sheetView } from "./replay-sheet.js";

/**
 * @param {{draw: () => void, speak: (text: string) => void, refused: (error: unknown) => void, home: () => string, toPlayer: () => void}} told
 *   `home`: what stands behind the # of the lists
 */
export function makeQuality(told) {
  /** @type {any} */
  let shown = null; // the page of a month
  /** @type {any} */
  let sheet = null; // of the call that is open
  let from = ""; // the month from whose page that call was opened
  /** @type {HTMLElement | null} */
  let aside = null;

  const call = (/** @type {string} */ id) => `/api/calls/${encodeURIComponent(id)}/sheet`;

  // ---- the page of a month ------------------------------------------------------------------------------------

  /** @param {string} month  "" for the last that is over */
  async function open(month) {
    const mine = { state: "loading", error: null, sample: null, month };
    shown = mine;
    document.title = "Quality sample";
    told.draw();
    await look();
  }

  async function look() {
    const mine = shown;
    try {
      const sample = await ask("GET", `/api/quality${mine.month ? `?month=${encodeURIComponent(mine.month)}` : ""}`);
      if (mine === shown) {
        Object.assign(mine, { state: "ready", sample, month: sample.month });
      }
    } catch (error) {
      if (mine === shown) {
        Object.assign(mine, { state: "failed", sample: null, error });
        told.refused(error);
      }
    }
    told.draw();
  }

  function turn(/** @type {number} */ step) {
    if (shown?.month) {
      location.hash = `sample=${monthAfter(shown.month, step)}`;
    }
  }

  // ---- the sheet of the call that is open --------------------------------------------------------------------

  async function toSheet(/** @type {string} */ id) {
    if (sheet?.id === id) {
      focus();
      return;
    }
    const mine = { id, standing: null, error: null, given: {}, trouble: "", focus: true };
    sheet = mine;
    told.draw();
    await standing(mine);
    if (mine === sheet) {
      focus();
    }
  }

  async function standing(/** @type {any} */ mine) {
    try {
      mine.standing = await ask("GET", call(mine.id));
    } catch (error) {
      mine.error = error;
      if (mine === sheet) {
        told.refused(error);
      }
    }
    told.draw();
  }

  /** To the first criterion, once it is drawn; where there is none, to the heading. */
  function focus() {
    queueMicrotask(() => /** @type {HTMLElement | null} */ (aside?.querySelector("select") ?? aside?.querySelector("h2"))?.focus());
  }

  async function enter() {
    const mine = sheet;
    const scores = pointsOf(mine.given, mine.standing.criteria);
    mine.trouble = Object.keys(scores).length ? "" : "Give points for one criterion at least.";
    told.draw();
    if (mine.trouble || mine.sending) {
      focus();
      return;
    }
    mine.sending = true;
    try {
      await ask("POST", call(mine.id), { scores, comment: mine.given[COMMENT] ?? "" });
      mine.given = {};
      told.speak("The sheet is entered.");
      await standing(mine);
      told.toPlayer();
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
      mine.trouble = `${error.message} ${error.what_to_do}`;
      told.refused(error);
    } finally {
      mine.sending = false;
    }
  }

  const sheetActs = {
    give: (/** @type {string} */ name, /** @type {string} */ value) => {
      sheet.given = { ...sheet.given, [name]: value };
    },
    enter: () => void enter(),
    close: () => {
      sheet = null;
      told.draw();
      told.toPlayer();
    },
    leave: () => told.toPlayer(),
    attach: (/** @type {HTMLElement} */ element) => {
      aside = element;
    },
  };

  return {
    open,
    isOpen: () => shown !== null,
    /** Another page: nothing of this one is shown any more. */
    leave() {
      shown = null;
      sheet = null;
      from = "";
    },
    /**
     * A call was opened, from the page of this month or, "", from elsewhere.
     * @param {string} id @param {string} month
     */
    called(id, month) {
      from = month;
      if (month) {
        void toSheet(id);
      }
    },
    toSheet: (/** @type {string} */ id) => void toSheet(id),
    turn,
    again: () => void look(),
    /** Where the way back leads, behind the #. */
    home: () => (from ? `sample=${from}` : told.home()),
    /** The same in words. */
    backTo: () => (from ? `Quality sample of ${monthName(from)}` : "All incidents and calls"),
    /** Why somebody listens who came from a sample, in words. */
    reason: () => (from ? `Quality sample of ${monthName(from)}` : ""),
    view: (/** @type {any} */ names) => sampleView({ ...shown, names, now_ms: Date.now() }, { turn, again: () => void look(), listAddress: () => `#${told.home()}` }),
    /** The sheet, where it is open. */
    beside: (/** @type {string} */ zone) => (sheet ? [sheetView({ ...sheet, zone }, sheetActs)] : []),
  };
}
