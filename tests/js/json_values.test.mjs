/** Values as people see and type them: types are kept, digits are kept, and what is missing is not empty. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  chipText,
  inWords,
  isSame,
  readAs,
  readTyped,
  shownText,
  textForType,
  textOf,
  timeLeft,
  typeOf,
} from "../../static/js/lib/json_values.js";

for (const [json, type] of [
  ['"a"', "string"],
  ["1", "number"],
  ["-1", "number"],
  ["true", "boolean"],
  ["false", "boolean"],
  ["null", "null"],
  ["{}", "object"],
  ["[]", "array"],
  [null, "missing"],
]) {
  test(`${json} is ${type}`, () => assert.equal(typeOf(json), type));
}

test("missing, null and empty are told apart", () => {
  assert.deepEqual([null, "null", '""'].map(inWords), ["missing", "null", "empty text"]);
});

test("texts lose their quotes, numbers nothing", () => {
  assert.equal(textOf('"a\\n\\"b\\""'), 'a\n"b"');
  assert.equal(textOf("12345678901234567890"), "12345678901234567890");
  assert.equal(shownText(JSON.stringify("x".repeat(10_000))).length, 201);
  assert.equal(chipText('{"a":{"b":1,"c":2}}'), "{ 1 }");
  assert.equal(chipText("[1,[2,3]]"), "[ 2 ]");
});

const typed = [
  ["23", "22", {}, "23"],
  ["12345678901234567890", "1", {}, "12345678901234567890"],
  ["1.0", "1", {}, "1.0"],
  ["1e21", "1", {}, "1e21"],
  ["23", '"22"', {}, '"23"'],
  ["true", '"x"', {}, '"true"'],
  ["TRUE", "false", {}, "true"],
  ["23", null, { number: 5, missing: 1 }, "23"],
  ["abc", null, { number: 5 }, '"abc"'],
  ["23", null, { string: 5, number: 1 }, '"23"'],
  ["23", null, {}, '"23"'],
  ["7", "null", { number: 2, null: 9 }, "7"],
];
for (const [text, current, types, expected] of typed) {
  test(`typing ${text} over ${current} in a column of ${JSON.stringify(types)}`, () =>
    assert.equal(readTyped(text, current, types).json, expected));
}

for (const [text, word] of [
  ["abc", "not a number"],
  ["", "A number is missing"],
  ["007", "cannot begin with 0"],
  ["1,000", "separators"],
  ["1,5", "point"],
  ["1 000 000", "separators"],
  ["0x10", "not a number"],
  ["NaN", "not a number"],
]) {
  test(`${JSON.stringify(text)} is no number, and it is said why`, () =>
    assert.ok(readTyped(text, "1").fault.message.includes(word)));
}

test("the editor's types", () => {
  assert.equal(readAs('{ "a": 1.0 }', "object").json, '{"a":1.0}');
  assert.match(readAs("[1]", "object").fault.message, /a list, not an object/);
  assert.equal(readAs("[1,]", "array").fault.column, 3);
  assert.match(readAs("yes", "boolean").fault.message, /true or false/);
});

const changed = [
  ["22", "string", "22"],
  ['"22"', "number", "22"],
  ['"abc"', "number", "abc"],
  ["true", "number", "1"],
  ["0.0", "boolean", "false"],
  ["5", "boolean", "true"],
  ["10", "boolean", "true"],
  ['"True"', "boolean", "true"],
  ['"a"', "array", '["a"]'],
  ['"[1]"', "array", "[1]"],
  [null, "array", "[]"],
  ['"{}"', "object", "{}"],
  ["1", "object", "{}"],
  ["[1]", "string", "[1]"],
  ["null", "string", ""],
  [null, "number", "0"],
];
for (const [json, type, text] of changed) {
  test(`${json} as ${type} starts with ${text}`, () => assert.equal(textForType(json, type), text));
}

test("the same value in other spaces is the same; in other digits it is not", () => {
  assert.ok(isSame('{"a": 1}', '{"a":1}'));
  assert.ok(!isSame("1", "1.0"));
  assert.ok(!isSame(null, "null"));
  assert.ok(isSame(null, null));
});

test("of an expiry is told what is left", () => {
  const now = Date.UTC(2030, 0, 1);
  const seconds = now / 1000;
  assert.equal(timeLeft(String(seconds + 4 * 86_400), now), "in 4 days");
  assert.equal(timeLeft(String(seconds + 59), now), "in 1 minute");
  assert.equal(timeLeft(String(seconds - 10), now), "expired");
  assert.equal(timeLeft("1e100", now), null);
  assert.equal(timeLeft('"soon"', now), null);
  assert.match(inWords(String(seconds), "__expires"), /^20(29|30)-\d\d-\d\d \d\d:\d\d$/);
  assert.equal(inWords(String(seconds), "age"), String(seconds));
});
