/** The links of the head: which page this is, and which of them this role may read. */

const LISTEN = ["supervisor", "auditor"];

/** @type {Record<string, string[]>} by what stands behind the # of the link; where nothing is said everybody may */
export const READERS = { desk: LISTEN, looks: [...LISTEN, "administrator"], sample: LISTEN };

/**
 * The page that an address leads to, as its link has it: "" for lists and calls.
 * @param {string} hash
 */
export function pageOf(hash) {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const call = found.has("call") && !found.has("looks"); // which may be those of one call
  return call ? "" : Object.keys(READERS).find((page) => found.has(page)) ?? "";
}

/**
 * Mark the link of this page; a link that leads to a refusal is not shown.
 * @param {Iterable<HTMLAnchorElement>} links @param {string} hash @param {string} role
 */
export function markLinks(links, hash, role) {
  const here = pageOf(hash);
  for (const link of links) {
    const [path, page = ""] = (link.getAttribute("href") ?? "").split("#");
    const current = path === "/replay" && page === here;
    current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    link.hidden = path === "/replay" && page in READERS && !READERS[page].includes(role);
  }
}
