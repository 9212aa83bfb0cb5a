/**
 * A small keyed renderer: `h` describes an element, `render` makes the page so. What did not change is not touched, so focus, scroll
 * and what a screen reader reads stay where they are. The same description object twice means: nothing changed below.
 *
 * @typedef {{tag: string, key: string | number | undefined, props: Record<string, any>, children: Child[]}} Node_
 * @typedef {Node_ | string} Child
 */

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "htmlFor", "srcObject"]);

/** @type {WeakMap<Node, Child>} */
const shown = new WeakMap();
/** @type {WeakMap<Node, Record<string, (event: any) => void>>} */
const listening = new WeakMap();
/** @type {WeakMap<Node, () => void>} */
const leaving = new WeakMap();

/**
 * Describe an element. `on` has the listeners, `attach` is called with the new element and may return what is to be done when it goes.
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...any} children
 * @returns {Node_}
 */
export function h(tag, props, ...children) {
  const flat = children.flat(3).filter((one) => one !== null && one !== undefined && one !== false && one !== "");
  const { key, ...rest } = props ?? {};
  return { tag, key, props: rest, children: flat.map((one) => (typeof one === "number" ? String(one) : one)) };
}

/**
 * Make the children of `root` what the descriptions say.
 * @param {Element} root
 * @param {Child[]} children
 */
export function render(root, children) {
  reconcile(root, children);
}

/** @param {Child} child @param {number} place */
function keyOf(child, place) {
  return typeof child === "string" ? `#${place}` : child.key === undefined ? `${child.tag}#${place}` : `${child.tag}:${child.key}`;
}

/** @param {Element} parent @param {Child[]} children */
function reconcile(parent, children) {
  const keys = children.map(keyOf);
  const old = known(parent, new Set(keys));
  /** @type {Node | null} */
  let at = parent.firstChild;
  children.forEach((child, index) => {
    const found = old.get(keys[index]);
    const node = found ? patch(found, child) : create(child, parent.namespaceURI === SVG);
    if (at && node === at.nextSibling) {
      parent.insertBefore(at, null); // what stood here has gone further back: one move instead of many
      at = node;
    }
    if (node === at) {
      at = node.nextSibling;
    } else {
      parent.insertBefore(node, at);
    }
  });
}

/**
 * The children that stay, by key; the others are removed.
 * @param {Element} parent
 * @param {Set<string>} wanted
 */
function known(parent, wanted) {
  /** @type {Map<string, Node>} */
  const found = new Map();
  Array.from(parent.childNodes).forEach((node, place) => {
    const was = shown.get(node);
    const key = was === undefined ? "" : keyOf(was, place);
    wanted.has(key) && !found.has(key) ? found.set(key, node) : remove(node);
  });
  return found;
}

/** @param {Node} node */
function remove(node) {
  depart(node);
  node.parentNode?.removeChild(node);
}

/** @param {Node} node */
function depart(node) {
  leaving.get(node)?.();
  node.childNodes.forEach(depart);
}

/** @param {Child} child @param {boolean} inSvg @returns {Node} */
function create(child, inSvg) {
  if (typeof child === "string") {
    const text = document.createTextNode(child);
    shown.set(text, child);
    return text;
  }
  const svg = inSvg || child.tag === "svg";
  const element = svg ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
  reconcile(element, child.children);
  setProps(element, {}, child.props);
  shown.set(element, child);
  const leave = child.props.attach?.(element);
  if (leave) {
    leaving.set(element, leave);
  }
  return element;
}

/** @param {Node} node @param {Child} child @returns {Node} */
function patch(node, child) {
  const was = shown.get(node);
  if (was === child) {
    return node;
  }
  shown.set(node, child);
  if (typeof child === "string" || typeof was === "string" || !was) {
    node.nodeValue = /** @type {string} */ (child);
    return node;
  }
  const element = /** @type {Element} */ (node);
  reconcile(element, child.children);
  setProps(element, was.props, child.props);
  return node;
}

/** @param {Element} element @param {Record<string, any>} was @param {Record<string, any>} props */
function setProps(element, was, props) {
  for (const name of Object.keys(was)) {
    if (!(name in props) && name !== "on" && name !== "attach") {
      element.removeAttribute(name === "class" ? "class" : name);
    }
  }
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      listen(element, value);
    } else if (name === "vars") {
      Object.entries(value).forEach(([key, one]) => /** @type {HTMLElement} */ (element).style.setProperty(key, String(one)));
    } else if (PROPERTIES.has(name)) {
      setProperty(element, name, value);
    } else if (name !== "attach" && was[name] !== value) {
      value === false || value === null || value === undefined ? element.removeAttribute(name) : element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/** @param {any} element @param {string} name @param {any} value */
function setProperty(element, name, value) {
  if (element[name] !== value) {
    element[name] = value;
  }
}

/** @param {Element} element @param {Record<string, (event: any) => void>} on */
function listen(element, on) {
  const known = listening.get(element);
  listening.set(element, on);
  if (!known) {
    Object.keys(on).forEach((name) => element.addEventListener(name, (event) => listening.get(element)?.[name]?.(event)));
  }
}
