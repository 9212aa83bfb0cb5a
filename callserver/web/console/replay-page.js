/** The page of one call while it is open: what is looked at, where the sound is, and what every key and button does to it. */

import { Refused } from "./api.js";
import { askReason } from "./replay-dialogs.js";
import { makeHearing } from "./replay-hearing.js";
import { loadCall, nearShape } from "./replay-load.js";
import { makeSound } from "./replay-sound.js";
import { clockTime, offset } from "./replay-time.js";
import { isWhole, moved, shareOf, showing, whole, zoom, ZOOM } from "./replay-view.js";
import { draw as drawWave } from "./replay-wave.js";
import { makeWishes } from "./replay-wishes.js";

const AGAIN_AFTER_MS = 5000;
const NEAR_AFTER_MS = 90;
const ON_IT_MS = 60;
const REACTION_MS = 700; // "the fact before" means the one before this one, until the sound is so far past it

/**
 * @param {{dialog: HTMLDialogElement, draw: () => void, speak: (text: string) => void, refused: (error: Refused) => void, reason: () => string}} told
 */
export function makePage(told) {
  /** @type {any} */
  let page = null;
  /** @type {HTMLCanvasElement | null} */
  let canvas = null;
  /** @type {HTMLElement | null} */
  let plot = null;
  /** @type {HTMLElement | null} */
  let clock = null;
  let all = false;
  let width = 1000;
  let at_ms = 0;
  let trouble = "";
  let frame = 0;
  let again = 0;
  let nearing = 0;
  let opened = 0;
  const sound = makeSound({ changed, failed: (address) => void failed(address), moving: (to_ms) => hearing.moving(to_ms) });
  const hearing = makeHearing({ sound, page: () => page, now, go, listen, draw: told.draw, speak: told.speak, near, troubled });
  const wishes = makeWishes({
    dialog: told.dialog, page: () => page, span: () => (page.sound ? hearing.shown().span : null), mark: () => opened, again: () => open(page.id, page.newest, true), speak: told.speak,
    trouble: troubled,
  });

  /** What went wrong stands above the stage; "" takes it away. */
  function troubled(/** @type {string} */ words, /** @type {Refused | null} */ error) {
    trouble = words;
    if (error) {
      told.refused(error);
    }
  }

  function changed() {
    hearing.changed();
    told.draw();
  }

  async function open(/** @type {string} */ id, /** @type {any} */ names, quietly = false) {
    const mine = (opened += 1);
    if (!quietly) {
      close();
      opened = mine;
      page = { state: "loading", id };
      told.draw();
    }
    try {
      const loaded = await loadCall(id, names, Date.now());
      if (mine === opened) {
        adopt(loaded, names, quietly);
      }
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
      if (mine === opened && !quietly) {
        page = { state: "failed", id, error };
        told.refused(error);
      }
    }
  }

  function adopt(/** @type {any} */ loaded, /** @type {any} */ names, /** @type {boolean} */ quietly) {
    const before = quietly && page?.state === "ready" ? page : null;
    page = { ...loaded, newest: names };
    at_ms = before ? at_ms : page.timeline.began_ms ?? page.timeline.from_ms;
    if (page.sound) { // it may have come while the page was open, and begins after the press
      at_ms = Math.max(at_ms, page.timeline.began_ms);
    }
    clearTimeout(again);
    if (page.soundless?.again) {
      again = setTimeout(() => void open(page.id, names, true), AGAIN_AFTER_MS);
    }
    told.draw();
    near();
  }

  function close() {
    opened += 1;
    clearTimeout(again);
    clearTimeout(nearing);
    hearing.close();
    sound.close();
    trouble = "";
    page = null;
  }

  /** Why the element could not play: the service says it in words. */
  async function failed(/** @type {string} */ address) {
    sound.close();
    try {
      const answer = await fetch(address, { headers: { Range: "bytes=1-1" } });
      const error = answer.ok ? null : (await answer.json()).error;
      trouble = error ? hearing.failed(error) : "This browser cannot play the recording.";
    } catch {
      trouble = "The service does not answer. Try again in a few seconds.";
    }
    told.draw();
  }

  // ---- where the sound is -------------------------------------------------------------------------------------

  function now() {
    return sound.isOpen() ? page.timeline.began_ms + sound.at() : at_ms;
  }

  /** Go to a moment; where there is sound, to the nearest moment that has some. */
  function go(/** @type {number} */ moment) {
    const { began_ms, sound_ms, from_ms, to_ms } = page.timeline;
    const [least, most] = page.sound ? [began_ms, began_ms + sound_ms] : [from_ms, to_ms];
    at_ms = Math.min(most, Math.max(least, moment));
    if (page.sound) {
      sound.seek(at_ms - began_ms);
    }
    look(showing(page.view, at_ms));
    follow();
  }

  async function listen() {
    if (page.soundless) {
      return;
    }
    if (!sound.isOpen()) {
      const mine = opened;
      const reason = await askReason(told.dialog, page.names.points[page.call.point] ?? page.call.point, told.reason());
      if (reason === null || mine !== opened) {
        return;
      }
      trouble = "";
      sound.open(page.id, reason, hearing.track().leg);
      sound.seek(at_ms - page.timeline.began_ms);
    }
    await sound.play();
    run();
  }

  function run() {
    cancelAnimationFrame(frame);
    const step = () => {
      if (page?.state === "ready") {
        at_ms = now();
        look(showing(page.view, at_ms));
        follow();
        frame = sound.isPlaying() ? requestAnimationFrame(step) : 0;
      }
    };
    frame = requestAnimationFrame(step);
  }

  function look(/** @type {any} */ view) {
    if (view !== page.view) {
      page.view = view;
      told.draw();
      near();
    }
  }

  /** The finer shape of what is looked at, once the view rests. */
  function near() {
    clearTimeout(nearing);
    const { view, id } = page;
    nearing = setTimeout(async () => {
      if (canvas && page?.sound && page.view === view && !isWhole(view)) {
        const track = hearing.track();
        const shape = await nearShape(id, view, page.timeline, canvas, track);
        if (shape && page?.id === id && page.view === view && track === hearing.track()) {
          track.leg ? track.shapes.splice(1, 1, shape) : (page.shapes = [page.sound, shape]);
          wave();
        }
      }
    }, NEAR_AFTER_MS);
  }

  // ---- what is drawn beside the description ---------------------------------------------------------------------

  function wave() {
    if (canvas && page?.sound) {
      const style = getComputedStyle(canvas);
      const { leg, shapes } = hearing.track();
      const colours = (leg ? ["--wave-alone"] : ["--wave-point", "--wave-heard"]).map((name) => style.getPropertyValue(name).trim());
      const skipped = { gaps: hearing.still(), colour: style.getPropertyValue("--wave-skipped").trim() };
      drawWave(canvas, page.view, page.timeline.began_ms, leg ? shapes : page.shapes, colours, leg ? "both" : sound.solo(), skipped);
    }
  }

  /** The playhead, the clock, the fact that is current. */
  function follow() {
    if (page?.state !== "ready" || !plot) {
      return;
    }
    const { timeline, names, view } = page;
    const moment = now();
    const [from_start, of_day] = [offset(moment - (timeline.began_ms ?? timeline.from_ms)), clockTime(moment, names.time_zone)];
    plot.style.setProperty("--head", String(shareOf(view, moment)));
    plot.setAttribute("aria-valuenow", String(Math.round((moment - timeline.from_ms) / 1000)));
    plot.setAttribute("aria-valuetext", `${from_start} from the start, ${of_day}`);
    const [whereOffset, whereClock] = clock?.children ?? [];
    if (whereOffset && whereClock) {
      whereOffset.textContent = from_start;
      whereClock.textContent = `of ${offset(timeline.sound_ms, false)}   ${of_day}`;
    }
    const current = marks().filter((one) => one.at_ms <= moment + ON_IT_MS).pop()?.number ?? 0;
    if (current !== page.current) {
      page.current = current;
      told.draw();
    }
  }

  function marks() {
    return /** @type {import("./replay-timeline.js").Mark[]} */ (page.timeline.marks).filter((one) => (all || !one.minor) && !one.after);
  }

  function toFact(/** @type {number} */ step) {
    const moment = now();
    const slack = sound.isPlaying() ? REACTION_MS : ON_IT_MS;
    const fits = marks().filter((one) => (step < 0 ? one.at_ms < moment - slack : one.at_ms > moment + ON_IT_MS));
    const fact = step < 0 ? fits.pop() : fits[0];
    if (fact) {
      go(fact.at_ms);
      told.speak(`${fact.title} ${fact.detail}`);
    }
  }

  function zoomBy(/** @type {number} */ by) {
    look(zoom(page.view, by, now()));
  }

  function rate(/** @type {number} */ step) {
    sound.changeRate(step);
    told.speak(`${sound.rate()} times`);
    told.draw();
  }

  function hear(/** @type {import("./replay-sound.js").Solo} */ side, /** @type {string} */ words) {
    sound.hear(side);
    void hearing.choose(""); // sides are those of the whole call
    told.speak(words);
    told.draw();
  }

  /** @type {Record<string, () => void>} */
  const DEEDS = {
    toggle: () => (sound.isPlaying() ? sound.pause() : void listen()),
    "back-5": () => go(now() - 5000),
    "on-5": () => go(now() + 5000),
    "back-1": () => go(now() - 1000),
    "on-1": () => go(now() + 1000),
    begin: () => go(page.timeline.from_ms),
    end: () => go(page.timeline.to_ms),
    "fact-before": () => toFact(-1),
    "fact-after": () => toFact(1),
    slower: () => rate(-1),
    faster: () => rate(1),
    "solo-point": () => hear("point", "Only what the point said"),
    "solo-heard": () => hear("heard", "Only what the point heard"),
    both: () => hear("both", "Both sides"),
    nearer: () => zoomBy(ZOOM),
    farther: () => zoomBy(1 / ZOOM),
    hold: () => void wishes.hold(),
    export: () => void wishes.exported(),
    whole: () => look(whole(page.view.whole_from_ms, page.view.whole_to_ms)),
    "view-back": () => look(moved(page.view, -0.5)),
    "view-on": () => look(moved(page.view, 0.5)),
    "all-facts": () => {
      all = !all;
      told.draw();
    },
  };

  function keepCanvas(/** @type {HTMLCanvasElement} */ element) {
    canvas = element;
    return () => {
      canvas = canvas === element ? null : canvas;
    };
  }

  /** The plot says how wide it is: labels and waves depend on it. */
  function keepPlot(/** @type {HTMLElement} */ element) {
    plot = element;
    const watch = new ResizeObserver(() => {
      width = element.clientWidth;
      told.draw();
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot = plot === element ? null : plot;
    };
  }

  return {
    open,
    close,
    isOpen: () => page !== null,
    /** The state as the view wants it. */
    shown: () => ({ ...page, all, width, trouble, hearing: page?.sound ? hearing.shown() : null, player: { solo: sound.solo(), rate: sound.rate(), playing: sound.isPlaying(), waiting: sound.isOpen() && sound.isWaiting() } }),
    /** After each rendering: what is drawn by hand. */
    drawn() {
      wave();
      follow();
    },
    /**
     * Do what a key or button says; false where nothing is open.
     * @param {string} deed
     */
    do(deed) {
      if (page?.state === "ready" && DEEDS[deed]) {
        DEEDS[deed]();
        return true;
      }
      return page?.state === "ready" && hearing.do(deed);
    },
    acts: {
      listenAt: (/** @type {number} */ moment) => {
        go(moment);
        void listen();
      },
      fact: (/** @type {{at_ms: number, after: boolean}} */ fact) => {
        if (!fact.after) {
          go(fact.at_ms);
          void listen();
        }
      },
      zoomAt: (/** @type {number} */ by, /** @type {number} */ moment) => look(zoom(page.view, by, moment)),
      move: (/** @type {number} */ share) => look(moved(page.view, share)),
      drag: hearing.drag,
      track: hearing.choose,
      levelBy: hearing.byHand,
      canvas: keepCanvas,
      plot: keepPlot,
      clock: (/** @type {HTMLElement} */ element) => {
        clock = element;
      },
    },
  };
}
