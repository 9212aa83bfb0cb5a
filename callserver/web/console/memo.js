/** Descriptions that are made again only when what they are made of has changed. */

/** @typedef {import("./dom.js").Node_} Node_ */

/**
 * A memory for descriptions by key: the same dependencies give the same object, which the renderer then skips.
 * @returns {(key: string, dependencies: any[], make: () => Node_) => Node_}
 */
export function memory() {
  /** @type {Map<string, {dependencies: any[], made: Node_}>} */
  const kept = new Map();
  return (key, dependencies, make) => {
    const was = kept.get(key);
    if (was && was.dependencies.length === dependencies.length && was.dependencies.every((one, place) => one === dependencies[place])) {
      return was.made;
    }
    if (kept.size > 5000) {
      kept.clear();
    }
    const made = make();
    kept.set(key, { dependencies, made });
    return made;
  };
}
