/**
 * Telling the service what was played. A report that does not arrive is kept and goes with the next; nothing waits for it, and nobody
 * who listens is disturbed.
 *
 * @typedef {import("./replay-played.js").Span} Span
 * @typedef {{call: string, reason: string, leg: string, spans: Span[]}} Report
 */

import { merged } from "./replay-played.js";

export const MOST_SPANS = 200; // of one report
const MOST_KEPT = 50; // openings of recordings whose reports are kept

/**
 * @param {(report: Report) => Promise<boolean>} send whether it arrived
 */
export function makeTelling(send) {
  /** @type {Map<string, Report>} */
  const kept = new Map();

  function keep(/** @type {Report} */ report) {
    const key = JSON.stringify([report.call, report.reason, report.leg]);
    kept.set(key, { ...report, spans: merged([...(kept.get(key)?.spans ?? []), ...report.spans]) });
    if (kept.size > MOST_KEPT) {
      kept.delete(/** @type {string} */ (kept.keys().next().value));
    }
  }

  async function one(/** @type {Report} */ report) {
    for (let n = 0; n < report.spans.length; n += MOST_SPANS) {
      const part = { ...report, spans: report.spans.slice(n, n + MOST_SPANS) };
      const arrived = await send(part).catch(() => false);
      if (!arrived) {
        keep(part);
      }
    }
  }

  return {
    /**
     * Report, with whatever did not arrive before.
     * @param {Report} report
     */
    async tell(report) {
      if (report.spans.length) {
        keep(report);
      }
      const all = [...kept.values()];
      kept.clear();
      await Promise.all(all.map(one));
    },
  };
}

/**
 * Send a report so that it arrives even if the page goes away meanwhile; the status of the answer.
 * @param {Report} report @returns {Promise<number>}
 */
export async function send({ call, ...body }) {
  const answer = await fetch(`/api/calls/${encodeURIComponent(call)}/played`, {
    method: "POST", keepalive: true, headers: { Accept: "application/json", "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  return answer.status;
}
