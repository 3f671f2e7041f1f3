/** Conditions put into a query and taken out of it, as text. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { addFilter, canFilter, filtersOn, withoutFilters } from "../../static/js/lib/query_filters.js";

const add = (query, name, operator, json) => addFilter(query, { name, operator, json });

test("a condition begins a query, joins one, and joins each object of a list", () => {
  assert.equal(add("", "city", "eq", '"Paris"'), '{"city": "Paris"}');
  assert.equal(add('{"age?gt":1.50}', "city", "eq", '"Paris"'), '{"age?gt": 1.50, "city": "Paris"}');
  assert.equal(add('[{"a": 1}, {"b": 2}]', "c", "lt", "3"), '[{"a": 1, "c?lt": 3}, {"b": 2, "c?lt": 3}]');
  assert.equal(add("[]", "c", "eq", "null"), '{"c": null}');
  assert.equal(add("[{}]", "c", "eq", "true"), '{"c": true}');
});

test("no digit of a value is lost", () => {
  assert.equal(add("", "id", "eq", "12345678901234567890"), '{"id": 12345678901234567890}');
  assert.equal(add('{"x": 1.0}', "id", "gt", "1e-7"), '{"x": 1.0, "id?gt": 1e-7}');
});

test("the same condition again takes the new value, however it was written", () => {
  assert.equal(add('{"age?>": 1}', "age", "gt", "5"), '{"age?gt": 5}');
  assert.equal(add('{"age?eq": 1}', "age", "eq", "5"), '{"age": 5}');
  assert.equal(add('{"age?gt": 1}', "age", "lt", "5"), '{"age?gt": 1, "age?lt": 5}');
});

test("two values of an attribute are left out at once, and no third", () => {
  const one = add("", "city", "ne", '"Paris"');
  const two = add(one, "city", "ne", '"Rome"');
  assert.equal(two, '{"city?ne": "Paris", "city?!=": "Rome"}');
  assert.equal(add(two, "city", "ne", '"Paris"'), two);
  assert.equal(add(two, "city", "ne", '"Oslo"'), null);
});

test("there is one condition on the key", () => {
  assert.equal(add('{"key?pfx": "a", "b": 1}', "key", "gt", '"k"'), '{"b": 1, "key?gt": "k"}');
});

test("a question mark in a name is no operator", () => {
  assert.equal(add("", "ok?", "eq", "true"), '{"ok??eq": true}');
  assert.deepEqual(filtersOn('{"ok??eq": true, "ok": 1}', "ok?"), [{ operator: "eq", json: "true" }]);
  assert.equal(add('{"ok??eq": true}', "ok?", "eq", "false"), '{"ok??eq": false}');
});

test("what a query cannot say is no filter", () => {
  const can = (name, operator, json) => canFilter({ name, operator, json });
  assert.ok(can("age", "gt", "1") && can("tags", "eq", "[1]") && can("a", "eq", "null") && can("key", "eq", '"a"'));
  assert.ok(can("constructor", "eq", "1") && can("tags", "contains", '"x"'));
  for (const wrong of [
    ["a.b", "eq", "1"],
    ["", "eq", "1"],
    ["a", "eq", null],
    ["key", "ne", '"a"'],
    ["a", "gt", "true"],
    ["a", "contains", "1"],
  ])
    assert.ok(!can(...wrong), wrong.join(" "));
});

test("the conditions of an attribute are found and taken out", () => {
  const query = '{"age?gt": 1, "age?lte": 5, "name": "x"}';
  assert.deepEqual(filtersOn(query, "age"), [
    { operator: "gt", json: "1" },
    { operator: "lte", json: "5" },
  ]);
  assert.deepEqual(filtersOn('[{"age": 1}, {"age": 2}]', "age"), []);
  assert.equal(withoutFilters(query, "age"), '{"name": "x"}');
  assert.equal(withoutFilters(query, "name"), '{"age?gt": 1, "age?lte": 5}');
  assert.equal(withoutFilters('{"age": 1}', "age"), "");
  assert.equal(withoutFilters('[{"age": 1}, {"age": 2, "b": 3}]', "age"), "");
});
