/** A column is as wide as what it shows. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fittingWidth, widthOfValue } from "../../static/js/lib/column_widths.js";

const bounds = { least: 5, most: 24 };
const width = (name, word, ...values) =>
  fittingWidth(
    { name, word },
    values.map((json) => widthOfValue(name, json)),
    bounds,
  );

test("values decide, the header at least, bounds at most", () => {
  assert.ok(width("age", "number", "7") < width("age", "number", "12345678901234567890"));
  assert.ok(width("x", "string", '"a"') >= 5);
  assert.equal(width("note", "string", JSON.stringify("word ".repeat(40))), 24);
  assert.ok(width("likes_ramen_a_lot", "boolean", "true") > width("a", "boolean", "true"));
  assert.ok(width("n", "string", '"日本日本日本日本日本"') > width("n", "string", '"abcdefghij"'));
});

test("a date with its countdown is shown whole", () => {
  assert.ok(width("__expires", "number", "1798135200") >= 14);
  assert.ok(width("other", "number", "1798135200") < 12);
});
