/** Requests to the service. Each answers what came, or throws `Refused` with words for a person. */

/** What the service said no to, or that it said nothing. */
export class Refused extends Error {
  /** @param {number} status 0: no answer @param {string} code @param {string} message @param {string} what_to_do */
  constructor(status, code, message, what_to_do) {
    super(message);
    this.status = status;
    this.code = code;
    this.what_to_do = what_to_do;
  }
}

const NO_ANSWER_AFTER_MS = 6000;

/**
 * Ask the service.
 * @param {string} method
 * @param {string} path
 * @param {Object} [body]
 * @returns {Promise<any>} the JSON of the answer, or null where there is none
 */
export async function ask(method, path, body) {
  const answer = await reached(method, path, body);
  const text = await answer.text();
  const content = text && answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : null;
  if (!answer.ok) {
    const error = content?.error ?? {};
    throw new Refused(answer.status, error.code ?? "", error.message ?? `The service answered ${answer.status}.`, error.what_to_do ?? "");
  }
  return content;
}

/** @param {string} method @param {string} path @param {Object} [body] */
async function reached(method, path, body) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), NO_ANSWER_AFTER_MS);
  try {
    const headers = { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) };
    return await fetch(path, { method, headers, body: body ? JSON.stringify(body) : undefined, signal: stop.signal });
  } catch (error) {
    throw new Refused(0, "no-answer", "The service does not answer.", "Check the network; try again in a few seconds.");
  } finally {
    clearTimeout(timer);
  }
}
