/** How long to wait for a server that does not answer, and whether waiting helps at all. */

const FIRST_MS = 1000;
const LONGEST_MS = 15_000;
/** Too many at once, a server that restarts or has lost an engine, a proxy before it that finds nobody. */
const PASSING = new Set([0, 408, 429, 502, 503, 504]);

/** Whether the same request may succeed later. */
export function isPassing(error) {
  return PASSING.has(error.status);
}

/**
 * @param {number} tries that failed before without anything getting through
 * @param {number} [askedMs] what the server asked for (Retry-After)
 */
export function nextWait(tries, askedMs = 0) {
  return Math.max(Math.min(FIRST_MS * 2 ** tries, LONGEST_MS), askedMs);
}
