// The night behind the points: houses, windows, trees, a clock tower. Drawn once for each row, the same every time.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1200;
const HEIGHT = 240;
const GROUND = 206; // where the pavement begins

/** A row of numbers that look like chance and are always the same. */
function chance(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

function add(parent, name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  parent.append(element);
  return element;
}

function windows(picture, next, left, top, width, bottom) {
  for (let y = top + 12; y < bottom - 26; y += 22) {
    for (let x = left + 9; x < left + width - 14; x += 19) {
      const lit = next();
      add(picture, "rect", { x, y, width: 9, height: 12, class: lit > 0.88 ? "lit" : lit > 0.8 ? "dim" : "unlit" });
    }
  }
}

function house(picture, next, left, width, height) {
  const top = GROUND - height;
  const group = add(picture, "g", { class: next() > 0.5 ? "house" : "house other" });
  add(group, "rect", { x: left, y: top, width, height });
  if (next() > 0.45) {
    const peak = 12 + next() * 14;
    add(group, "path", { d: `M${left - 2} ${top}l${width / 2 + 2} ${-peak}l${width / 2 + 2} ${peak}z` });
  }
  if (next() > 0.5) add(group, "rect", { x: left + width * 0.7, y: top - 26, width: 7, height: 28 });
  windows(picture, next, left, top, width, GROUND);
  if (next() > 0.55) {
    add(picture, "rect", { x: left + 8, y: GROUND - 22, width: width - 16, height: 17, class: next() > 0.6 ? "shop lit-shop" : "shop" });
  }
}

function tree(picture, x, size) {
  add(picture, "path", { d: `M${x} ${GROUND}v${-size}`, class: "trunk" });
  for (const [dx, dy, r] of [[0, 1.25, 0.5], [-0.35, 0.95, 0.4], [0.35, 0.95, 0.42]]) {
    add(picture, "circle", { cx: x + dx * size, cy: GROUND - dy * size, r: r * size, class: "leaves" });
  }
}

function tower(picture, x) {
  const group = add(picture, "g", { class: "house tower" });
  add(group, "path", { d: `M${x} ${GROUND}v-138h-3l21-46l21 46h-3v138z` });
  add(picture, "circle", { cx: x + 18, cy: GROUND - 118, r: 11, class: "clock" });
  add(picture, "path", { d: `M${x + 18} ${GROUND - 118}v-7M${x + 18} ${GROUND - 118}l4 3`, class: "hands" });
}

/** The picture behind one row of the town. */
export function backdrop(row) {
  const next = chance(17 + row * 101);
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  picture.setAttribute("preserveAspectRatio", "xMidYMax slice");
  picture.setAttribute("aria-hidden", "true");
  picture.setAttribute("class", "backdrop");
  for (let star = 0; star < 26; star += 1) {
    add(picture, "circle", { cx: next() * WIDTH, cy: next() * 90, r: 0.6 + next() * 0.7, class: "star" });
  }
  let left = -10;
  while (left < WIDTH) {
    const width = 62 + next() * 62;
    if (row === 2 && left > WIDTH * 0.42) {
      tree(picture, left + 30, 46 + next() * 34);
      left += 58;
    } else {
      house(picture, next, left, width, 78 + next() * 66);
      left += width + (next() > 0.8 ? 16 : 1);
    }
  }
  if (row === 1) tower(picture, WIDTH * 0.475);
  if (row === 0) add(picture, "circle", { cx: WIDTH * 0.86, cy: 40, r: 17, class: "moon" });
  add(picture, "rect", { x: 0, y: GROUND, width: WIDTH, height: HEIGHT - GROUND, class: "pavement" });
  add(picture, "path", { d: `M0 ${GROUND}H${WIDTH}`, class: "kerb" });
  return picture;
}

/** A lamppost with its light, and somebody who stands beside the point while a call is on. */
export function figures() {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 130 190");
  picture.setAttribute("aria-hidden", "true");
  picture.setAttribute("class", "figures");
  add(picture, "path", { d: "M24 30L-14 178H96L40 30z", class: "beam" });
  add(picture, "path", { d: "M10 178V34q0-14 16-14h6", class: "lamppost" });
  add(picture, "path", { d: "M22 22h22l-4 8H26z", class: "lantern" });
  const person = add(picture, "g", { class: "person" });
  add(person, "circle", { cx: 29, cy: 112, r: 8.5 });
  add(person, "path", { d: "M16 152q0-28 13-28t13 28l-4 1-1 25h-6l-2-20-2 20h-6l-1-25z" });
  return picture;
}
