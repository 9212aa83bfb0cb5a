/** The board's connection: what `/api/live` tells becomes messages of the model. */

import { keepOpen } from "./socket.js";

const NOT_SIGNED_IN = 4401;
const NOT_ALLOWED = 4403;
const DEAD_AFTER_MS = 4000; // four beats

/**
 * Watch the board until `stop()`.
 * @param {(message: import("./types.js").Message) => void} say
 * @param {() => import("./types.js").State} state
 */
export function watchBoard(say, state) {
  return keepOpen("/api/live", {
    silent_ms: DEAD_AFTER_MS,
    opened: (send) => {
      const { epoch, number } = state().board;
      send({ type: "watch", epoch, number });
    },
    told: (message) => {
      if (["snapshot", "changes", "beat"].includes(message.type)) {
        say(message);
      }
    },
    lost: (code) => {
      if (code === NOT_SIGNED_IN || code === NOT_ALLOWED) {
        say({ type: "signed-out", fault: "You were signed out.", what_to_do: "Sign in again." });
        return false;
      }
      return true;
    },
  });
}
