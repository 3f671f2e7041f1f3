/** Sorting by several columns, and arrangements that come from outside. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isArrangement, nextSort, readSort, withStep, writeSort } from "../../static/js/lib/table_columns.js";

test("a sort in the address is one attribute, or a list of several", () => {
  assert.deepEqual(readSort(""), []);
  assert.deepEqual(readSort("-age"), [{ name: "age", descending: true }]);
  const several = readSort('["city","-age"]');
  assert.deepEqual(several, [
    { name: "city", descending: false },
    { name: "age", descending: true },
  ]);
  assert.equal(writeSort(several), '["city","-age"]');
  for (const odd of ["[", "[1]", "a,b", '"x"']) {
    assert.deepEqual(readSort(odd), [{ name: odd, descending: false }]);
    assert.equal(writeSort(readSort(odd)), odd);
  }
  const named = [{ name: '["x"]', descending: false }];
  assert.deepEqual(readSort(writeSort(named)), named);
});

test("with Shift a column comes behind the others, turns round, and goes", () => {
  const add = (sort, name) => nextSort(sort, name, { add: true });
  assert.equal(add("", "city"), "city");
  assert.equal(add("city", "age"), '["city","age"]');
  assert.equal(add('["city","age"]', "age"), '["city","-age"]');
  assert.equal(add('["city","-age"]', "age"), "city");
  assert.equal(add('["a","b","c","d"]', "e"), '["a","b","c","d"]');
  assert.equal(nextSort('["city","-age"]', "city"), "city");
  assert.equal(withStep('["city","age"]', "city", true), '["age","-city"]');
});

test("what is no arrangement is none", () => {
  assert.ok(isArrangement({ order: ["a"], hidden: [], widths: { a: 3 } }));
  for (const wrong of [
    null,
    {},
    { order: "a", hidden: [], widths: {} },
    { order: [1], hidden: [], widths: {} },
    { order: [], hidden: [], widths: { a: "wide" } },
    { order: [], hidden: [], widths: [1] },
    { order: [], hidden: [] },
  ])
    assert.ok(!isArrangement(wrong), JSON.stringify(wrong));
});
