/** The link that signs in: a token behind the # of the page's address. */

import { ask } from "./api.js";

const token = () => new URLSearchParams(location.hash.slice(1)).get("link") ?? "";

/** Whether the page was opened by such a link. */
export const isLink = () => Boolean(token());

/** Sign in by it; the token leaves the address at once. Throws `Refused`. */
export async function followLink() {
  const given = token();
  history.replaceState(null, "", location.pathname + location.search);
  await ask("POST", "/api/session/link", { token: given });
}

/** Followed where the page is open already, a link begins the page anew. */
export function awaitLink() {
  addEventListener("hashchange", () => (isLink() ? location.reload() : undefined));
}
