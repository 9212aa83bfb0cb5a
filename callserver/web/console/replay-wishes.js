/** What somebody asks for on a call's page by a dialog: to hold its incident, to have something out of the record. */

import { Refused } from "./api.js";
import { askExport } from "./replay-exports.js";
import { askHold, carryOut } from "./replay-holds.js";
import { partyOf } from "./replay-words.js";

/**
 * @param {{dialog: HTMLDialogElement, page: () => any, span: () => [number, number] | null, mark: () => number, again: () => Promise<void>, speak: (text: string) => void,
 *   trouble: (words: string, error: Refused | null) => void}} its  `mark` changes when another call is opened
 */
export function makeWishes({ dialog, page, span, mark, again, speak, trouble }) {
  async function said(/** @type {() => Promise<void>} */ what) {
    try {
      await what();
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
      trouble(`${error.message} ${error.what_to_do}`, error);
    }
  }

  return {
    /** Hold the incident, or lift a hold; then the page is loaded anew, for the journal has more. */
    async hold() {
      const { incident, holds, may_export } = page();
      const mine = mark();
      const wish = holds && may_export && (await askHold(dialog, holds, Date.now()));
      if (wish && mine === mark()) {
        await said(async () => {
          speak(await carryOut(incident.id, wish));
          trouble("", null);
          await again();
        });
      }
    },
    /** Ask for something out of the record; then where it can be followed. */
    async exported() {
      const { call, names, may_export } = page();
      const mine = mark();
      await said(async () => {
        const words = may_export && (await askExport(dialog, call, (leg) => partyOf(leg, names), span()));
        if (words && mine === mark()) {
          speak(words);
          location.hash = "desk";
        }
      });
    },
  };
}
