/** What a call is listened to with: play, sides, speed; below it the span, silence, levels and whose track. Described from the state. */

import { h } from "./dom.js";
import { dbWords, LEAST_DB, MOST_DB } from "./replay-level.js";

/** @typedef {any} Page  what replay.js keeps of the call that is open */

/** @param {any} act */
function buttons(act) {
  return (/** @type {string} */ deed, /** @type {string} */ name, /** @type {string} */ key, /** @type {Record<string, any>} */ { text, ...more } = {}) =>
    h("button", { type: "button", key: deed, "aria-label": name, title: `${name} (${key})`, "aria-keyshortcuts": key, ...more, on: { click: () => act.deed(deed) } }, text ?? name);
}

/** @param {Page} page @param {any} act */
export function controls(page, act) {
  const { player, soundless, sound, hearing } = page;
  const button = buttons(act);
  const hear = (/** @type {string} */ deed, /** @type {string} */ solo, /** @type {string} */ name, /** @type {string} */ key) =>
    button(deed, name, key, { class: `choice ${solo}`, "aria-pressed": String(player.solo === solo && !hearing?.track), text: [h("i", { class: "swatch" }), name] });
  const zooming = h("div", { class: "group", role: "group", "aria-label": "View" },
    button("farther", "Farther", "-", { text: "−" }), button("nearer", "Nearer", "+", { text: "+" }), button("whole", "Whole call", "F"));
  if (soundless) {
    return h("div", { class: "controls" }, h("span", { class: "grow" }), zooming);
  }
  return h("div", { class: "controls" },
    button("toggle", player.playing ? "Pause" : "Listen", "Space", { class: "primary play", text: [h("i", { class: player.playing ? "icon-pause" : "icon-play" }), player.waiting ? "Loading" : player.playing ? "Pause" : "Listen"] }),
    h("div", { class: "where", key: "where", attach: act.clock }, h("span", { class: "offset" }), h("span", { class: "clock" })),
    h("div", { class: "group", role: "group", "aria-label": "Which side is heard" },
      hear("both", "both", "Both", "0"), hear("solo-point", "point", "Point said", "1"), hear("solo-heard", "heard", "Point heard", "2")),
    h("div", { class: "group", role: "group", "aria-label": "Speed" },
      button("slower", "Slower", "[", { text: "−" }), h("output", { class: "rate", "aria-label": "Speed" }, `${player.rate} ×`), button("faster", "Faster", "]", { text: "+" })),
    h("span", { class: "grow" }),
    sound?.losses_ms > 0 && h("span", { class: "is-amber losses", title: sound.report || false }, `${(sound.losses_ms / 1000).toFixed(1)} s never arrived`),
    zooming);
}

/**
 * The second row, and what it comes to in words.
 * @param {Page} page @param {any} act
 */
export function closer({ hearing }, act) {
  if (!hearing) {
    return null;
  }
  const button = buttons(act);
  const { loop, span, skip, level, tracks } = hearing;
  return [
    h("div", { class: "controls closer", key: "closer" },
      tracks.length > 1 && h("label", { class: "track", title: "Whose track is heard (T)" }, "Track",
        h("select", { "aria-keyshortcuts": "T", on: { change: (/** @type {any} */ event) => chosen(event.target, act) } },
          tracks.map((/** @type {{leg: string, name: string}} */ one) => h("option", { key: one.leg, value: one.leg, selected: one.leg === hearing.track }, one.leg ? `${one.name} alone` : one.name)))),
      h("div", { class: "group", role: "group", "aria-label": "Span" },
        button("loop-in", "The span begins here", "I", { text: "In" }), button("loop-out", "The span ends here", "O", { text: "Out" }),
        button("loop", "Loop the span", "L", { "aria-pressed": String(loop.on), text: "Loop" }),
        button("clear-span", "Clear the span", "X", { "aria-disabled": span ? false : "true", text: "Clear" })),
      button("skip-silence", "Skip silence", "S", { "aria-pressed": String(skip.on) }),
      button("level", "Level the sides", "V", { "aria-pressed": String(level.on) }),
      levels(hearing, act)),
    h("p", { class: "closer-words", key: "closer-words" }, [
      span && `${loop.on ? "Loops" : "Span"} ${hearing.span_words}`,
      skip.on && skip.words,
      hearing.track && `Only ${hearing.track_said}, where that track was recorded; elsewhere it is silent`,
      level.on ? `${hearing.level_words}; the recording itself is not changed` : "Sound as recorded",
    ].filter(Boolean).join("  ·  ")),
  ];
}

/**
 * Who chose with the mouse goes on with keys, which a list would take.
 * @param {HTMLSelectElement} list @param {any} act
 */
function chosen(list, act) {
  void act.track(list.value);
  if (!list.matches(":focus-visible")) {
    list.blur();
  }
}

/** @param {any} hearing @param {any} act */
function levels({ level, names }, act) {
  return h("div", { class: "levels", role: "group", "aria-label": "Level by hand", title: "Level by hand (Shift V)" },
    names.map((/** @type {string} */ name, /** @type {number} */ side) => h("label", { key: side, class: `side-${side}` },
      h("span", null, `${name[0].toUpperCase()}${name.slice(1)}`),
      h("input", { type: "range", min: LEAST_DB, max: MOST_DB, step: 1, value: String(level.gains[side]), "aria-valuetext": dbWords(level.gains[side]),
        on: { input: (/** @type {any} */ event) => act.levelBy(side, Number(event.target.value)) } }),
      h("output", null, dbWords(level.gains[side])))));
}
