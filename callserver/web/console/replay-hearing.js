/** How a call is listened to beyond play and pause: a span again and again, silence skipped, sides levelled, one party's track alone. */

import { Refused } from "./api.js";
import { makeDrag } from "./replay-drag.js";
import { gainsFor, levelWords, within } from "./replay-level.js";
import { begins, between, ends, jump, NO_SPAN, spanOf, spanWords } from "./replay-loop.js";
import { looked, merged, NOTHING_PLAYED } from "./replay-played.js";
import { gapsOf, hopWords, skipWords } from "./replay-silence.js";
import { makeTelling, send } from "./replay-telling.js";
import { offset } from "./replay-time.js";
import { loudnessOf, shapeOfTrack, tracksOf, WHOLE, whyNotAlone } from "./replay-tracks.js";

/** @typedef {import("./replay-silence.js").Loudness} Loudness */

const LOOK_MS = 25;
const TELL_AFTER_MS = 30_000;
const WORTH_MS = 50; // what is shorter waits for the next report
const NAMES = ["point", "heard"];

/**
 * @param {{sound: ReturnType<typeof import("./replay-sound.js").makeSound>, page: () => any, now: () => number, go: (at_ms: number) => void,
 *   listen: () => Promise<void>, draw: () => void, speak: (text: string) => void, near: () => void,
 *   troubled: (words: string, error: Refused | null) => void}} its
 */
export function makeHearing({ sound, page, now, go, listen, draw, speak, near, troubled }) {
  const { tell } = makeTelling(async (one) => {
    const status = await send(one);
    if (status === 401 && sound.isOpen()) { // signed out elsewhere: nobody is here who gave a reason
      troubled("", new Refused(status, "signed-out", "", ""));
    }
    return status < 300;
  });
  let loop = NO_SPAN;
  /** @type {{on: boolean, gaps: import("./replay-silence.js").Gap[], words: string}} */
  let skip = { on: false, gaps: [], words: "" };
  let level = { on: false, gains: [0, 0] };
  let track = { ...WHOLE, sound: /** @type {any} */ (null), shapes: /** @type {any[]} */ ([]) };
  let wanted = ""; // the track that was asked for last; its shape may be on its way
  let played = NOTHING_PLAYED;
  let told_ms = 0;
  let last_ms = 0;
  let timer = 0;
  /** @type {Map<string, Promise<Loudness>>} */
  let known = new Map();
  const drag = makeDrag(chosen);
  addEventListener("pagehide", () => report());
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && report());

  const length = () => page().timeline.sound_ms;
  const here = () => now() - page().timeline.began_ms;
  const names = () => (track.leg ? [track.said] : NAMES);

  // ---- what was heard ------------------------------------------------------------------------------------------------

  function note(/** @type {boolean} */ sounding) {
    played = looked(played, { at_ms: sound.at(), wall_ms: performance.now(), rate: sound.rate(), sounding });
  }

  /** Tell the service; what it does not take is told with the next. */
  function report() {
    if (sound.isOpen()) {
      note(sound.isSounding());
    }
    const heard = merged(played.spans);
    const spans = heard.reduce((sum, [from, to]) => sum + to - from, 0) < WORTH_MS ? [] : heard; // two events may tell of one end
    played = { ...played, spans: spans.length ? [] : heard };
    told_ms = performance.now();
    void tell({ ...sound.opened(), spans });
  }

  /** While it plays: what was heard, and whether to go somewhere else. */
  function look() {
    if (!sound.isPlaying()) {
      stopped(); // the event that tells of it may come later
      return;
    }
    note(sound.isSounding());
    if (performance.now() - told_ms > TELL_AFTER_MS) {
      report();
    }
    const at_ms = sound.at();
    const to = sound.isSounding() ? jump({ last_ms, at_ms, loop, gaps: skip.on ? skip.gaps : [], length_ms: length() }) : null;
    last_ms = at_ms;
    if (to) {
      sound.seek(to.to_ms);
      if (to.over) {
        speak(hopWords(to.over, at_ms, track.leg ? 1 : 2));
      }
    }
  }

  /** After each change of the player. */
  function changed() {
    if (sound.isPlaying() && !timer) {
      told_ms = performance.now();
      last_ms = sound.at();
      timer = setInterval(look, LOOK_MS);
    } else if (!sound.isPlaying() && timer) {
      stopped();
    }
  }

  function stopped() {
    clearInterval(timer);
    timer = 0;
    report();
    const span = loop.on && sound.isEnded() && page()?.state === "ready" ? spanOf(loop, length()) : null;
    if (span && last_ms >= span[0]) { // it ended before anybody looked
      sound.seek(span[0]);
      void sound.play();
    }
  }

  // ---- a span --------------------------------------------------------------------------------------------------------

  function setLoop(/** @type {import("./replay-loop.js").Loop} */ next, /** @type {string} */ words) {
    loop = next;
    speak(words);
    draw();
  }

  function end(/** @type {boolean} */ first) {
    const at = Math.min(length(), Math.max(0, here()));
    const next = first ? begins(loop, at) : ends(loop, at);
    setLoop(next, `The span ${first ? "begins" : "ends"} at ${offset(at)}. ${howLong(next)}`);
  }

  function howLong(/** @type {import("./replay-loop.js").Loop} */ one) {
    const span = spanOf(one, length());
    return span ? `${spanWords(one, length())}, ${offset(span[1] - span[0])} long.` : "";
  }

  /** Two moments of the timeline that somebody drew between; `done`: the mouse is up. */
  function chosen(/** @type {number} */ one, /** @type {number} */ other, /** @type {boolean} */ done) {
    const { began_ms } = page().timeline;
    const next = began_ms === null ? null : between(loop, one - began_ms, other - began_ms, length());
    if (next) {
      loop = next;
      draw();
      if (done) {
        speak(`Span chosen: ${howLong(next)} ${next.on ? "" : "L loops it."}`);
      }
    }
  }

  function toggleLoop() {
    const span = spanOf(loop, length());
    if (!span) {
      speak("Choose a span first: I where it begins, O where it ends, or draw over the waveform.");
      return;
    }
    setLoop({ ...loop, on: !loop.on }, loop.on ? "Loop off" : `Loop on: ${howLong(loop)}`);
    const at = here();
    if (loop.on && (at < span[0] || at >= span[1])) {
      go(page().timeline.began_ms + span[0]);
    }
  }

  // ---- silence, levels, tracks -----------------------------------------------------------------------------------------

  /** How loud the track is from moment to moment; asked for once. Null where it cannot be had, or is not wanted any more. */
  async function loudness() {
    const [{ id }, { leg }] = [page(), track];
    const found = known.get(leg) ?? loudnessOf(id, leg, (track.sound ?? page().sound).duration_ms);
    known.set(leg, found);
    try {
      const loud = await found;
      return page()?.id === id && track.leg === leg ? loud : null;
    } catch (error) {
      known.delete(leg);
      if (!(error instanceof Refused)) {
        throw error;
      }
      if (page()?.id === id) {
        troubled(`${error.message} ${error.what_to_do}`, error);
      }
      return null;
    }
  }

  async function toggleSkip() {
    if (skip.on) {
      skip = { on: false, gaps: [], words: "" };
      speak("Silence is not skipped");
      draw();
      return;
    }
    const loud = await loudness();
    if (loud) {
      const gaps = gapsOf(loud);
      skip = { on: true, gaps, words: skipWords(gaps, loud.sides.length) };
      speak(skip.words);
      draw();
    }
  }

  function setLevel(/** @type {boolean} */ on, /** @type {number[]} */ gains) {
    level = { on, gains };
    sound.level(on ? gains : null);
    speak(on ? `Levelled: ${levelWords(gains, names())}. The recording is not changed.` : "As recorded");
    draw();
  }

  async function toggleLevel() {
    if (level.on) {
      setLevel(false, [0, 0]);
      return;
    }
    const loud = await loudness();
    if (loud) {
      const gains = gainsFor(loud.sides);
      setLevel(true, [gains[0] ?? 0, gains[1] ?? 0]);
    }
  }

  /** @param {number} side @param {number} db */
  function byHand(side, db) {
    const gains = level.gains.map((one, place) => (place === side ? within(db) : one));
    level = { on: true, gains };
    sound.level(gains);
    draw(); // the slider itself tells
  }

  /** Back to what is measured of the track that is heard now. */
  async function measureAnew() {
    const [skipped, levelled] = [skip.on, level.on];
    skip = { on: false, gaps: [], words: "" };
    level = { on: false, gains: [0, 0] };
    sound.level(null);
    if (skipped) {
      await toggleSkip();
    }
    if (levelled) {
      await toggleLevel();
    }
  }

  async function choose(/** @type {string} */ leg) {
    const { id, call, names: known_as } = page();
    const next = tracksOf(call, known_as).find((one) => one.leg === leg) ?? WHOLE;
    wanted = next.leg;
    try {
      const shape = next.leg ? await shapeOfTrack(id, next.leg) : null;
      if (page()?.id === id && wanted === next.leg && track.leg !== next.leg) {
        troubled("", null);
        switchTo({ ...next, sound: shape, shapes: shape ? [shape] : [] });
      }
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
      if (page()?.id === id) {
        wanted = track.leg;
        troubled(`${error.message} ${error.what_to_do}`, error);
      }
    }
  }

  function switchTo(/** @type {typeof track} */ next) {
    const [at, playing] = [here(), sound.isPlaying()];
    if (sound.isOpen()) {
      report();
      played = NOTHING_PLAYED;
    }
    track = next;
    if (sound.isOpen()) {
      sound.open(page().id, sound.opened().reason, track.leg);
      sound.seek(at);
    }
    if (playing) {
      void listen();
    }
    speak(track.leg ? `Only the track of ${track.said}` : "The whole call");
    void measureAnew();
    draw();
    near();
  }

  function step(/** @type {number} */ by) {
    const all = tracksOf(page().call, page().names);
    const place = all.findIndex((one) => one.leg === wanted);
    void choose(all[(place + by + all.length) % all.length].leg);
  }

  /** @type {Record<string, () => void>} */
  const DEEDS = {
    "loop-in": () => end(true),
    "loop-out": () => end(false),
    loop: toggleLoop,
    "clear-span": () => setLoop(NO_SPAN, "No span"),
    "skip-silence": () => void toggleSkip(),
    level: () => void toggleLevel(),
    "level-by-hand": () => /** @type {HTMLElement | null} */ (document.querySelector(".levels input"))?.focus(),
    "track-next": () => step(1),
    "track-before": () => step(-1),
  };

  return {
    changed,
    /** The sound is about to be somewhere else. A loop does not call back who went out of it. */
    moving(/** @type {number | null} */ to_ms) {
      note(false);
      last_ms = to_ms ?? 0;
    },
    drag,
    choose,
    byHand,
    track: () => track,
    still: () => (skip.on ? skip.gaps : []),
    /**
     * The one track could not be played: back to the whole call.
     * @param {{code: string, message: string, what_to_do: string}} error
     */
    failed(error) {
      const words = track.leg ? whyNotAlone(error) : `${error.message} ${error.what_to_do}`;
      wanted = "";
      track = { ...WHOLE, sound: null, shapes: [] };
      void measureAnew();
      return words;
    },
    /** Before the call is left; another may be opened then. */
    close() {
      if (sound.isOpen()) {
        report();
      }
      played = NOTHING_PLAYED;
      loop = NO_SPAN;
      skip = { on: false, gaps: [], words: "" };
      level = { on: false, gains: [0, 0] };
      sound.level(null);
      wanted = "";
      track = { ...WHOLE, sound: null, shapes: [] };
      known = new Map();
    },
    /** As the view wants it. */
    shown: () => ({
      loop, skip, level, span: spanOf(loop, length()), span_words: spanWords(loop, length()), names: names(),
      level_words: levelWords(level.gains, names()), track: track.leg, tracks: tracksOf(page().call, page().names), track_name: track.name, track_said: track.said,
    }),
    /**
     * Do what a key or button says; false where it is nobody's here. Esc clears a span before it leaves the call.
     * @param {string} deed
     */
    do(deed) {
      const found = deed === "list" && spanOf(loop, length()) ? "clear-span" : deed;
      if (!DEEDS[found] || !page().sound) {
        return false;
      }
      DEEDS[found]();
      return true;
    },
  };
}
