/** Where the points stand, as a quiet drawing: those that call are red, those that cannot be reached hollow. */

import { h } from "./dom.js";
import { memory } from "./memo.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Point} Point */
/** @typedef {{point: Point, x: number, y: number}} Spot */

const WIDTH = 640;
const HEIGHT = 300;
const EDGE = 28;
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
  const marks = spots.map((spot) => mark(state, spot));
  const name = `Map of ${spots.length} points`;
  return h("svg", { key: "map", class: "map", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": name }, marks);
}

/** @param {State} state @param {Spot} spot */
function mark(state, { point, x, y }) {
  const incident = point.incident ? state.board.incident[point.incident] : undefined;
  const tone = incident?.state === "waiting" ? "calling" : incident?.state === "attended" ? "talking" : point.reachable === false ? "lost" : point.reachable === null ? "unknown" : "good";
  const right = x > WIDTH * 0.66;
  const label = tone === "good" ? null : h("text", { x: right ? x - 12 : x + 12, y: y + 4, "text-anchor": right ? "end" : "start" }, point.place.split(",")[0]);
  const halo = tone === "calling" ? h("circle", { class: "halo", cx: x, cy: y, r: 14 }) : null;
  return h("g", { key: point.id, class: tone }, h("title", null, point.place), halo, h("circle", { cx: x, cy: y, r: 6 }), label);
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
