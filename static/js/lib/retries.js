/** Whether a failed request may succeed when it is sent again, and how long to wait before that. */

const FIRST_MS = 1000;
const LONGEST_MS = 15_000;
/** No answer; too slow (408) or too often (429); a server that restarts or lost an engine; a proxy that finds no server. */
const TEMPORARY = new Set([0, 408, 429, 502, 503, 504]);
/** A longer Retry-After is a mistake, and longer than timers can wait. */
const RETRY_AFTER_MAX_MS = 3_600_000;

/** Whether the same request may succeed later. @param {{status: number}} error */
export function isTemporary({ status }) {
  return TEMPORARY.has(status);
}

/**
 * How long to wait before the next try, in milliseconds: twice as long each time, and never shorter than the server asked for.
 * @param {number} tries that failed before this one, in a row
 * @param {number} [retryAfterMs] what the server asked for
 */
export function retryDelay(tries, retryAfterMs = 0) {
  return Math.max(Math.min(FIRST_MS * 2 ** tries, LONGEST_MS), retryAfterMs);
}

/**
 * The wait that a Retry-After header asks for, in milliseconds; 0 without one. It holds seconds or a date.
 * @param {string | null} header
 */
export function parseRetryAfter(header, nowMs = Date.now()) {
  if (!header) return 0;
  const asked = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Math.min(Math.max(asked || 0, 0), RETRY_AFTER_MAX_MS);
}
