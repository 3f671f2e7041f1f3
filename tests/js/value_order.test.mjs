/** Where a row belongs that comes while the table is open, as the server would sort it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { placeInOrder } from "../../static/js/lib/value_order.js";

const row = (key, values = {}) => ({ key, values: new Map(Object.entries(values)) });
const byAge = (...ages) => ages.map((age, index) => row(`k${index}`, age === null ? {} : { age }));

const keys = [
  [["a", "c"], "b", "", 1],
  [["a", "c"], "d", "", 2],
  [["c", "a"], "b", "-key", 1],
  // By code points, as bytes in UTF-8 are, and not by UTF-16.
  [["\uffee", "\u{1f600}"], "\u{1f5ff}", "", 1],
  [["a", "ab"], "aa", "", 1],
];
for (const [shown, key, sort, place] of keys)
  test(`${key} among ${shown} by “${sort}”`, () =>
    assert.equal(
      placeInOrder(
        shown.map((each) => row(each)),
        row(key),
        sort,
      ),
      place,
    ));

const values = [
  // null, strings, numbers, booleans; what is missing is last either way round.
  [["null", '"a"', "1", "false", null], '"b"', "age", 2],
  [["null", '"a"', "1", "false", null], "2", "age", 3],
  [["true", "5", '"a"', "null", null], "true", "-age", 0],
  [["9", "5", null], "1", "-age", 2],
  [["1", "2"], null, "age", 2],
  // With every digit, however they are written.
  [["12345678901234567890", "12345678901234567892"], "12345678901234567891", "age", 1],
  [["-1.5", "1e2", "1.5e2"], "101", "age", 2],
  [["-10", "-9", "0.001"], "-9.5", "age", 1],
  [["0", "1"], "0.0", "age", 1],
];
for (const [shown, age, sort, place] of values)
  test(`${age} among ${shown} by “${sort}”`, () =>
    assert.equal(placeInOrder(byAge(...shown), row("k00", age === null ? {} : { age }), sort), place));

test("equal ones are in the order of the next attribute, then of their keys", () => {
  const rows = [
    row("a", { age: "1", name: '"b"' }),
    row("d", { age: "1", name: '"b"' }),
    row("b", { age: "1", name: '"a"' }),
  ];
  assert.equal(placeInOrder(rows, row("c", { age: "1", name: '"b"' }), '["age","-name"]'), 1);
});

test("a row that was changed since does not mislead", () => {
  assert.equal(placeInOrder(byAge("1", "99", "2", "3", "5"), row("x", { age: "4" }), "age"), 4);
});

test("lists, objects and values that are not here whole are the server's to sort", () => {
  for (const age of ["[1]", "{}", { size: 9000 }])
    assert.equal(placeInOrder(byAge("1", "2"), row("x", { age }), "age"), null);
  assert.equal(placeInOrder(byAge("1", "[2]", "3"), row("x", { age: "2" }), "age"), 1);
});
