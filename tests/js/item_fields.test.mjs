/** An item as a form. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { guessType, joinFields, typeForColumn } from "../../static/js/lib/item_fields.js";

for (const [text, type] of [
  ["", "string"],
  ["Ada", "string"],
  ["22", "number"],
  [" 1.50 ", "number"],
  ["007", "string"],
  ["314e59", "string"],
  ["true", "boolean"],
  ["null", "string"],
  ["[1, 2]", "array"],
  ['{"a": 1}', "object"],
  ["{name}", "string"],
  ["+49 30", "string"],
]) {
  test(`“${text}” is meant as ${type}`, () => assert.equal(guessType(text), type));
}

test("a new value has the type of its column", () => {
  assert.equal(typeForColumn({ number: 3, missing: 9 }), "number");
  assert.equal(typeForColumn({ number: 3, string: 4, null: 9 }), "string");
  assert.equal(typeForColumn({}), "string");
});

test("fields make an object or a list, digits as they are", () => {
  const fields = [
    { name: "a", json: "1.0" },
    { name: "b", json: null },
    { name: "", json: '""', isBlank: true },
    { name: "c", json: "12345678901234567890" },
  ];
  assert.equal(joinFields(fields, false).json, '{"a":1.0,"c":12345678901234567890}');
  assert.equal(joinFields(fields, true).json, "[1.0,12345678901234567890]");
  assert.deepEqual(joinFields([{ name: "__proto__", json: "1" }], false).json, '{"__proto__":1}');
});

test("what is wrong is said of its field", () => {
  const a = { name: "a", json: "1" };
  assert.deepEqual(joinFields([a, { name: "", json: "2" }], false).fault, { message: "Name the attribute", index: 1 });
  assert.equal(joinFields([a, a], false).fault.message, "There are two attributes called “a”");
  assert.deepEqual(joinFields([a, { name: "b", fault: { message: "no" } }], false).fault, { message: "no", index: 1 });
});
