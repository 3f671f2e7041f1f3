/** Where keys lead in a list of options. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { nextIndex } from "../../static/js/lib/listbox.js";

const cases = [
  ["ArrowDown", 0, 3, 1],
  ["ArrowDown", 2, 3, 0],
  ["ArrowDown", -1, 3, 0],
  ["ArrowUp", 0, 3, 2],
  ["ArrowUp", -1, 3, 2],
  ["ArrowUp", 2, 3, 1],
  ["PageDown", 0, 3, 2],
  ["PageDown", 0, 9, 5],
  ["PageUp", 8, 9, 3],
  ["PageUp", 2, 9, 0],
  ["a", 0, 3, null],
  ["ArrowDown", 0, 0, null],
];

for (const [key, index, count, expected] of cases) {
  test(`${key} at ${index} of ${count}`, () => assert.equal(nextIndex(key, index, count), expected));
}
