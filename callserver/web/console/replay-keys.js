/**
 * Which key does what. Pure. The same table is shown by `?`. Keys never act while somebody types or a dialog is open.
 *
 * @typedef {{key: string, shift: boolean, other: boolean, typing: boolean, on_button: boolean, in_dialog: boolean, repeat: boolean,
 *   on_slider?: boolean}} Press
 */

/** @type {[string, [string, string][]][]} */
export const SHOWN = [
  [
    "Listening",
    [
      ["Space", "Play and pause"],
      ["← →", "5 seconds back, on"],
      ["Shift ← →", "1 second back, on"],
      ["↑ ↓", "To the fact before, after"],
      ["Home End", "To the beginning, the end"],
      ["[ ]", "Slower, faster; the pitch stays"],
      ["1 2 0", "The point alone, what it heard alone, both"],
      ["T", "The next party’s track alone; with Shift the one before"],
      ["I O", "A span begins, ends here"],
      ["L", "Loop the span, and no more"],
      ["X", "Clear the span; Esc does so too"],
      ["S", "Skip silence, and no more"],
      ["V", "Level the sides, and as recorded; with Shift by hand"],
    ],
  ],
  [
    "Looking",
    [
      ["+ −", "Nearer, farther"],
      [", .", "Move the view back, on"],
      ["F", "The whole call"],
      ["A", "All facts, and only those that matter"],
      ["H", "Hold the incident, or lift a hold"],
      ["E", "Ask for an evidence pack, a copy or a redaction"],
      ["G", "The sheet of a call that is drawn for the quality sample"],
    ],
  ],
  [
    "Lists",
    [
      ["/", "Search"],
      ["J K", "Down, up"],
      ["Enter", "Open"],
      ["N P", "Next page, page before"],
      ["R", "Look again"],
      ["Y", "Keep this search under a name"],
      ["U", "Searches that are kept, and away again"],
      ["C", "Take the list away, for a spreadsheet"],
      ["E", "Exports, disclosures, requests for access"],
      ["W", "Who looked; on a call: who looked at it"],
      ["M", "The month’s quality sample; N P the month after, before"],
    ],
  ],
  [
    "Exports",
    [
      ["J K", "Down, up; Enter does what the button says"],
      ["D", "Enter a disclosure"],
      ["Q", "Enter a request for access"],
      ["R", "Look again"],
    ],
  ],
  ["Everywhere", [["Esc", "Back to the list"], ["?", "These keys"]]],
];

/** @type {Record<string, string>} */
const CALL = {
  " ": "toggle", ArrowLeft: "back-5", ArrowRight: "on-5", "shift ArrowLeft": "back-1", "shift ArrowRight": "on-1",
  ArrowUp: "fact-before", ArrowDown: "fact-after", Home: "begin", End: "end",
  "[": "slower", "]": "faster", 1: "solo-point", 2: "solo-heard", 0: "both",
  "+": "nearer", "=": "nearer", "-": "farther", "−": "farther", ",": "view-back", ".": "view-on", f: "whole", a: "all-facts", h: "hold", e: "export", g: "sheet", w: "looks",
  i: "loop-in", o: "loop-out", l: "loop", x: "clear-span", s: "skip-silence", v: "level", "shift v": "level-by-hand", t: "track-next", "shift t": "track-before",
  Escape: "list",
};
/** @type {Record<string, string>} */
const LIST = { "/": "search", j: "down", k: "up", n: "next-page", p: "page-before", r: "again", y: "keep-search", u: "kept-searches", c: "csv", e: "desk", m: "sample", w: "looks" };
/** @type {Record<string, string>} */
const DESK = { j: "down", k: "up", r: "again", d: "disclose", q: "request", Escape: "list" };
/** @type {Record<string, string>} */
const LOOKS = { "/": "person", j: "down", k: "up", n: "next-page", p: "page-before", r: "again", Escape: "list" };
/** @type {Record<string, string>} */
const SAMPLE = { j: "down", k: "up", n: "month-after", p: "month-before", r: "again", Escape: "list" };
const ON_BUTTON = new Set([" ", "Enter"]);
const ON_SLIDER = /^(Arrow|Home$|End$|Page)/;
const ONCE = new Set(["toggle", "search", "next-page", "page-before", "again", "keep-search", "kept-searches", "csv", "list", "all-facts", "loop-in", "loop-out", "loop", "clear-span", "skip-silence", "level", "level-by-hand", "track-next", "track-before", "hold", "export", "sheet", "sample", "month-after", "month-before", "desk", "disclose", "request", "looks", "person"]);

/**
 * What a key does on a page: a word, or null.
 * @param {"call" | "list" | "desk" | "looks" | "sample"} page @param {Press} press
 */
export function deed(page, press) {
  if (press.other || press.typing || press.in_dialog || (press.on_button && ON_BUTTON.has(press.key)) || (press.on_slider && ON_SLIDER.test(press.key))) {
    return null;
  }
  if (press.key === "?") {
    return "keys";
  }
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const table = { call: CALL, list: LIST, desk: DESK, looks: LOOKS, sample: SAMPLE }[page];
  const found = (press.shift && table[`shift ${key}`]) || table[key] || null;
  return found && press.repeat && ONCE.has(found) ? null : found;
}
