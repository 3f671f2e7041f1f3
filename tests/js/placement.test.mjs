/** Where menus and messages open. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { placeBeside } from "../../static/js/lib/placement.js";

const WINDOW = { width: 1000, height: 800 };
const MENU = { width: 200, height: 300 };
const at = (left, top, width = 40, height = 20) => ({ left, top, right: left + width, bottom: top + height });

for (const [what, from, size, expected] of [
  ["below, with the same left edge", at(100, 100), MENU, { left: 100, top: 126 }],
  ["with the same right edge near the window's", at(950, 100), MENU, { left: 790, top: 126 }],
  ["above where there is no room below", at(100, 700), MENU, { left: 100, top: 394 }],
  [
    "as low as it fits where there is room in neither",
    at(100, 250),
    { width: 200, height: 600 },
    { left: 100, top: 194 },
  ],
  [
    "at the window's edge when it is as wide as that",
    at(300, 100),
    { width: 1100, height: 300 },
    { left: 6, top: 126 },
  ],
  ["inside the window when what it belongs to is below that", at(100, 1000), MENU, { left: 100, top: 494 }],
  ["at the top when it is higher than the window", at(100, 100), { width: 200, height: 900 }, { left: 100, top: 6 }],
  ["beside a point", at(990, 790, 0, 0), MENU, { left: 790, top: 484 }],
]) {
  test(`it opens ${what}`, () => assert.deepEqual(placeBeside(from, size, WINDOW), expected));
}
