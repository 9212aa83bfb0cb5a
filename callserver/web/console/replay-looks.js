/** The page "Who looked" while it is open: what is looked for there, and what came of it. */

import { ask } from "./api.js";
import { looksAddress, looksHash, PAGE } from "./replay-looked.js";
import { looksView } from "./replay-looks-view.js";

/** @typedef {import("./replay-looked.js").Sought} Sought */

/**
 * @param {{draw: () => void, speak: (text: string) => void, refused: (error: unknown) => void, home: () => string}} told
 *   `home`: what stands behind the # of the lists
 */
export function makeLooks(told) {
  /** @type {any} */
  let shown = null;
  let zone = "UTC";

  /** @param {Sought} sought @param {string} of_zone */
  async function open(sought, of_zone) {
    zone = of_zone;
    document.title = "Who looked";
    shown = { state: "loading", error: null, sought, from: sought.call, items: [], more: false, page: 0, befores: [null] };
    told.draw();
    await look();
  }

  async function look() {
    const mine = shown;
    const asked = (mine.asked = (mine.asked ?? 0) + 1);
    mine.state = "loading";
    told.draw();
    try {
      const { items } = await ask("GET", looksAddress(mine.sought, zone, mine.befores[mine.page]));
      if (mine === shown && asked === mine.asked) {
        Object.assign(mine, { state: "ready", items: items.slice(0, PAGE), more: items.length > PAGE });
        told.speak(items.length ? `${mine.items.length} looks` : "Nothing found");
      }
    } catch (error) {
      if (mine === shown && asked === mine.asked) {
        Object.assign(mine, { state: "failed", items: [], error });
        told.refused(error);
      }
    }
    told.draw();
  }

  /**
   * What is being typed survives what is drawn meanwhile.
   * @param {Partial<Sought>} change
   */
  function typed(change) {
    shown.sought = { ...shown.sought, ...change };
  }

  /** @param {Partial<Sought>} change */
  function seek(change) {
    const sought = { ...shown.sought, ...change };
    history.replaceState(null, "", `#${looksHash(sought)}`);
    Object.assign(shown, { sought, page: 0, befores: [null] });
    void look();
  }

  /** @param {number} step */
  function turn(step) {
    if (shown.state !== "ready" || (step > 0 ? !shown.more : !shown.page)) {
      return;
    }
    if (step > 0) {
      shown.befores[shown.page + 1] = shown.items[shown.items.length - 1].number;
    }
    shown.page += step;
    scrollTo(0, 0);
    void look();
  }

  const again = () => void look();
  /** The call from whose page somebody came here, else the lists. */
  const home = () => (shown?.from ? `call=${encodeURIComponent(shown.from)}` : told.home());

  return {
    open,
    isOpen: () => shown !== null,
    home,
    /** Another page: nothing of this one is shown any more. */
    leave() {
      shown = null;
    },
    turn,
    again,
    toPerson: () => document.getElementById("by")?.focus(),
    view: (/** @type {any} */ names) => looksView({ ...shown, names }, { typed, seek, page: turn, again, listAddress: () => `#${home()}` }),
  };
}
