/** The short texts of the filter fields under the headers. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { readFilter, writeFilter } from "../../static/js/lib/header_filters.js";

const CASES = [
  ["30", "number", "eq", "30"],
  ["12345678901234567890", "number", "eq", "12345678901234567890"],
  ["> 30", "number", "gt", "30"],
  [">=1.50", "number", "gte", "1.50"],
  ["<x", "string", "lt", '"x"'],
  ["5..10", "number", "r", "[5,10]"],
  ["2024-01..2024-06", "string", "r", '["2024-01","2024-06"]'],
  ["!Paris", "string", "ne", '"Paris"'],
  ["=Paris", "string", "eq", '"Paris"'],
  ["Par*", "string", "pfx", '"Par"'],
  ["Paris", "string", "contains", '"Paris"'],
  ["30", "string", "contains", '"30"'],
  ["30", "mixed", "eq", "30"],
  ['"30"', "mixed", "eq", '"30"'],
  ["true", "boolean", "eq", "true"],
  ["!null", "string", "ne", "null"],
  ["Paris", "array", "contains", '"Paris"'],
  ["[3, 4]", "array", "eq", "[3,4]"],
  ["!=[3]", "array", "ne", "[3]"],
  ['{"a": 1}', "object", "eq", '{"a":1}'],
  ["[3]", "string", "contains", '"[3]"'],
  ["!=Paris", "string", "ne", '"Paris"'],
  ["<> 3", "number", "ne", "3"],
  ["==3", "number", "eq", "3"],
];

test("a text is a condition, and the condition that text again", () => {
  for (const [text, type, operator, json] of CASES) {
    assert.deepEqual(readFilter(text, type), [{ operator, json }], text);
    const written = writeFilter([{ operator, json }], type);
    assert.deepEqual(readFilter(written, type), [{ operator, json }], `${text} as ${written}`);
  }
});

test("a key begins with what is typed, or is compared as text", () => {
  assert.deepEqual(readFilter("12", "string", { isKey: true }), [{ operator: "pfx", json: '"12"' }]);
  assert.deepEqual(readFilter(">12", "string", { isKey: true }), [{ operator: "gt", json: '"12"' }]);
});

test("nothing is no condition, and what a field cannot say is left to the bar", () => {
  for (const text of ["", "  ", ">", "!"]) assert.deepEqual(readFilter(text, "number"), []);
  assert.equal(writeFilter([], "number"), "");
  assert.equal(writeFilter([{ operator: "not_contains", json: '"x"' }], "string"), null);
  const both = [
    { operator: "gt", json: "1" },
    { operator: "lt", json: "5" },
  ];
  assert.equal(writeFilter(both, "number"), null);
});
