/** How a move tells the operator something, and how it orders the page to do something. Pure. */

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Order} Order */
/** @typedef {import("./types.js").News} News */

const MOST_NEWS = 4;
const LASTS_MS = { "": 8000, green: 8000, amber: 15000, red: 20000 };

/**
 * The state with one more line of news. The same words twice in a row are told once.
 * @param {State} state
 * @param {string} text
 * @param {News["tone"]} [tone]
 * @returns {State}
 */
export function tell(state, text, tone = "") {
  const others = state.news.filter((one) => one.text !== text);
  const counted = state.counted + 1;
  const one = { id: counted, text, tone, at_ms: state.at_ms, lasts_ms: LASTS_MS[tone] };
  return { ...state, counted, news: [...others, one].slice(-MOST_NEWS) };
}

/**
 * The state with one more order.
 * @param {State} state
 * @param {Order} one
 * @returns {State}
 */
export function order(state, one) {
  return { ...state, orders: [...state.orders, one] };
}

/**
 * The state in which the service was asked something; the same verb is not asked again until it was answered.
 * @param {State} state
 * @param {string} verb
 * @param {string} path
 * @param {Object} [body]
 * @returns {State}
 */
export function ask(state, verb, path, body = {}) {
  if (state.pending[verb] !== undefined) {
    return state;
  }
  return order({ ...state, pending: { ...state.pending, [verb]: state.at_ms } }, { do: "api", verb, path, body });
}
