/** What is tried again, and after how long. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isTemporary, parseRetryAfter, retryDelay } from "../../static/js/lib/retries.js";

test("only what may pass by itself is tried again", () => {
  const statuses = [0, 200, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 507];
  assert.deepEqual(
    statuses.filter((status) => isTemporary({ status })),
    [0, 408, 429, 502, 503, 504],
  );
});

test("waits double up to a limit", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 50].map((tries) => retryDelay(tries)),
    [1000, 2000, 4000, 8000, 15_000, 15_000],
  );
});

test("the server may ask for a longer wait, not for a shorter one", () => {
  assert.equal(retryDelay(0, 30_000), 30_000);
  assert.equal(retryDelay(4, 2000), 15_000);
});

const NOW = Date.UTC(2026, 0, 1);
for (const [header, ms] of [
  [null, 0],
  ["", 0],
  ["5", 5000],
  [" 5 ", 5000],
  ["0", 0],
  ["-3", 0],
  ["soon", 0],
  ["99999999999", 3_600_000],
  ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
  ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
]) {
  test(`Retry-After: ${header} is ${ms} ms`, () => assert.equal(parseRetryAfter(header, NOW), ms));
}
