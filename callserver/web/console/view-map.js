/** Where the points stand, as a quiet drawing: those that call are red, those that cannot be reached hollow. */

import { h } from "./dom.js";
import { memory } from "./memo.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Point} Point */
/** @typedef {{point: Point, x: number, y: number}} Spot */
/** @typedef {{x: number, y: number, wide: number, high: number}} Box */

const WIDTH = 640;
const HEIGHT = 400;
const EDGE = 28;
const LETTER = 7.2; // about the width of one in a label
const drawn = memory();

/** @param {State} state */
export function map(state) {
  return drawn("map", [state.board.point, state.board.incident], () => draw(state));
}

/** @param {State} state */
function draw(state) {
  const spots = placed(Object.values(state.board.point));
  if (spots.length < 2) {
    return h("div", { key: "map" });
  }
  const first = spots.filter(({ point }) => toneOf(state, point) !== "good");
  const others = spots.filter(({ point }) => toneOf(state, point) === "good");
  const taken = spots.map(({ x, y }) => ({ x: x - 7, y: y - 7, wide: 14, high: 14 }));
  const marks = [...first, ...others].map((spot) => mark(state, spot, taken));
  const name = `Map of ${spots.length} points`;
  return h("svg", { key: "map", class: "map", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": name }, marks);
}

/** @param {State} state @param {Spot} spot @param {Box[]} taken */
function mark(state, { point, x, y }, taken) {
  const tone = toneOf(state, point);
  const text = point.place.split(",")[0];
  const box = boxFor(text, x, y, taken);
  const label = box ? h("text", { x: box.x, y: y + 5 }, text) : null;
  const halo = tone === "calling" ? h("circle", { class: "halo", cx: x, cy: y, r: 14 }) : null;
  return h("g", { key: point.id, class: tone }, h("title", null, point.place), halo, h("circle", { cx: x, cy: y, r: 5 }), label);
}

/** @param {State} state @param {Point} point */
function toneOf(state, point) {
  const incident = point.incident ? state.board.incident[point.incident] : undefined;
  if (incident?.state === "waiting") {
    return "calling";
  }
  if (incident?.state === "attended") {
    return "talking";
  }
  if (point.reachable === null) {
    return point.expects_register ? "unknown" : "unheard";
  }
  return point.reachable ? "good" : "lost";
}

/**
 * Where a label covers nothing: right of its mark, or left, or nowhere.
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {Box[]} taken
 * @returns {Box | null}
 */
function boxFor(text, x, y, taken) {
  const wide = text.length * LETTER + 4;
  const found = [x + 11, x - 11 - wide].map((left) => ({ x: left, y: y - 8, wide, high: 16 }));
  const free = found.find((one) => one.x >= 0 && one.x + wide <= WIDTH && !taken.some((other) => overlap(one, other)));
  free ? taken.push(free) : undefined;
  return free ?? null;
}

/** @param {Box} a @param {Box} b */
function overlap(a, b) {
  return a.x < b.x + b.wide && b.x < a.x + a.wide && a.y < b.y + b.high && b.y < a.y + a.high;
}

/**
 * Coordinates as places on the drawing, north up, true to shape.
 * @param {Point[]} points
 * @returns {Spot[]}
 */
export function placed(points) {
  const known = points.filter((one) => one.latitude !== null && one.longitude !== null);
  const lat = known.map((one) => Number(one.latitude));
  const lon = known.map((one) => Number(one.longitude));
  const shrink = Math.cos((Math.max(...lat) * Math.PI) / 180) || 1;
  const wide = (Math.max(...lon) - Math.min(...lon)) * shrink;
  const high = Math.max(...lat) - Math.min(...lat);
  const scale = Math.min((WIDTH - 2 * EDGE) / (wide || 1e-6), (HEIGHT - 2 * EDGE) / (high || 1e-6));
  return known.map((point) => ({
    point,
    x: WIDTH / 2 + (Number(point.longitude) - (Math.max(...lon) + Math.min(...lon)) / 2) * shrink * scale,
    y: HEIGHT / 2 - (Number(point.latitude) - (Math.max(...lat) + Math.min(...lat)) / 2) * scale,
  }));
}
