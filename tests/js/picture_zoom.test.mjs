import assert from "node:assert/strict";
import { test } from "node:test";

import { centredOn, zoomedSize } from "../../static/js/lib/picture_zoom.js";

const PANE = { width: 1000, height: 500 };

const CASES = [
  ["a photo gets its own size", { width: 4000, height: 3000 }, false, { width: 4000, height: 3000 }],
  [
    "one little larger than the pane gets twice what fits",
    { width: 1200, height: 400 },
    false,
    { width: 2000, height: 667 },
  ],
  ["one that just fits gets twice its size", { width: 1000, height: 500 }, false, { width: 2000, height: 1000 }],
  ["an icon fills the pane", { width: 16, height: 16 }, false, { width: 500, height: 500 }],
  ["a drawing that fills it already gets twice that", { width: 40, height: 20 }, true, { width: 2000, height: 1000 }],
  ["a drawing without a size is as large as the pane", { width: 0, height: 0 }, true, { width: 2000, height: 1000 }],
  ["no side is too long", { width: 1_000_000, height: 10 }, true, { width: 16_384, height: 1 }],
];

for (const [says, natural, fills, expected] of CASES) {
  test(says, () => assert.deepEqual(zoomedSize(natural, PANE, fills), expected));
}

test("the point that was clicked comes to the middle, as far as there is something beside it", () => {
  assert.equal(centredOn(0.5, 4000, 1000), 1500);
  assert.equal(centredOn(0, 4000, 1000), 0);
});
