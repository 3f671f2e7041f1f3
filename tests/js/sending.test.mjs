import assert from "node:assert/strict";
import { test } from "node:test";

import { describeProgress, isSameFile, mayPass, nextPart, retryDelay } from "../../static/js/lib/sending.js";

test("parts follow each other without a gap, up to the end of the file", () => {
  let received = 0;
  const sizes = [];
  for (let part; (part = nextPart(received, 21, 8)); received = part.end) {
    assert.equal(part.start, received);
    sizes.push(part.end - part.start);
  }
  assert.deepEqual(sizes, [8, 8, 5]);
  assert.equal(nextPart(21, 21, 8), null);
});

test("a failure is tried again for about a minute, ever more slowly", () => {
  const delays = [];
  for (let failures = 1, delay; (delay = retryDelay(failures)) !== null; failures += 1) delays.push(delay);
  assert.ok(delays.every((delay, index) => index === 0 || delay >= delays[index - 1]));
  const total = delays.reduce((sum, delay) => sum + delay, 0);
  assert.ok(total > 30_000 && total < 120_000, String(total));
});

test("only what may pass is tried again", () => {
  assert.deepEqual([0, 200, 400, 403, 404, 413, 500, 503, 507].filter(mayPass), [0, 503]);
});

test("a file is the same by its name and size", () => {
  assert.ok(isSameFile({ name: "a.zip", size: 5 }, { name: "a.zip", size: 5 }));
  assert.ok(!isSameFile({ name: "a.zip", size: 6 }, { name: "a.zip", size: 5 }));
  assert.ok(!isSameFile({ name: "b.zip", size: 5 }, { name: "a.zip", size: 5 }));
});

test("progress is told in the unit of the whole", () => {
  assert.equal(describeProgress(5, 12), "5 of 12 B");
  assert.equal(describeProgress(1_250_000_000, 5_000_000_000), "1.3 of 5.0 GB");
  assert.equal(describeProgress(0, 1500), "0.0 of 1.5 kB");
});
