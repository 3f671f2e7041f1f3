/** JSON as text: every digit stays, and a fault is named with its exact place. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { compact, findFault, indent, joinObject, splitList, splitObject } from "../../static/js/lib/json_text.js";

const DIGITS = ["12345678901234567890", "0.1234567890123456789", "1.0", "1e21", "-0", "1E-7", "0.10"];

for (const number of DIGITS) {
  test(`${number} keeps its digits through every function`, () => {
    const text = `{"a": [${number}, {"b":${number}}]}`;
    assert.equal(compact(text), `{"a":[${number},{"b":${number}}]}`);
    assert.equal(compact(indent(text)), compact(text));
    assert.deepEqual(splitObject(text), [["a", `[${number}, {"b":${number}}]`]]);
    assert.deepEqual(splitList(`[ ${number} , 2 ]`), [number, "2"]);
  });
}

test("layout over lines", () => {
  assert.equal(
    indent('{"a":[1,{"b":null}],"c":{},"d":[]}'),
    '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": {},\n  "d": []\n}',
  );
  assert.equal(indent(' "text" '), '"text"');
});

test("an object is taken apart and put together", () => {
  const entries = [
    ["a", '"x,y:z"'],
    ["b}", "[1,[2,{}]]"],
    ['quote"', "{}"],
    ["", "null"],
  ];
  assert.deepEqual(splitObject(joinObject(entries)), entries);
  assert.deepEqual(splitObject('{"a":1,"a":2}'), [["a", "2"]]);
  assert.deepEqual(splitObject("{}"), []);
  assert.deepEqual(splitList("[]"), []);
  assert.deepEqual(splitList('[[],{},"]",[[1]]]'), ["[]", "{}", '"]"', "[[1]]"]);
  assert.deepEqual(splitObject('{"__proto__":1}'), [["__proto__", "1"]]);
});

const faults = [
  ["", 1, 1, "missing at the end"],
  ["{", 1, 2, "a } is missing"],
  ['{\n  "a": 1,\n}', 2, 9, "Remove this comma"],
  ["[1,2,]", 1, 5, "Remove this comma"],
  ['{"a" 1}', 1, 6, "colon is missing"],
  ['{"a":1 "b":2}', 1, 8, "comma or a }"],
  ["[1 2]", 1, 4, "comma or a ]"],
  ["{'a':1}", 1, 2, "not single ones"],
  ["['a']", 1, 2, "not single ones"],
  ["{a:1}", 1, 2, "name in double quotes"],
  ["[True]", 1, 2, "True is written true"],
  ["[None]", 1, 2, "None is written null"],
  ["[NaN]", 1, 2, "JSON has no NaN"],
  ["[hello]", 1, 2, 'needs double quotes: "hello"'],
  ["[01]", 1, 2, "not a valid number"],
  ["[.5]", 1, 2, "begins with a digit"],
  ["[1.]", 1, 2, "not a valid number"],
  ['["a', 1, 2, "no closing quote"],
  ['["a\nb"]', 1, 4, "line break"],
  ['["a\tb"]', 1, 4, "control character"],
  ['["\\x"]', 1, 3, "After a backslash"],
  ["[1] 2", 1, 5, "after the end"],
  ["[1", 1, 1, "a ] is missing"],
  ["[".repeat(101), 1, 101, "more than 100 levels"],
];

for (const [text, line, column, word] of faults) {
  test(`${JSON.stringify(text).slice(0, 30)} is wrong at ${line}:${column}`, () => {
    const fault = findFault(text);
    assert.ok(fault.message.includes(word), fault.message);
    assert.deepEqual([fault.line, fault.column], [line, column]);
  });
}

test("what the platform's parser takes is right here, and the other way round", () => {
  const texts = [
    '{"a":[1,-2.5e+3,"\\u00e9\\n",true,false,null,{}]}',
    '"\u2028"',
    "0",
    "-0.0",
    "[[[[]]]]",
    '{"":""}',
    "1e5",
    "--1",
    "[,]",
    "{,}",
    '{"a"}',
    "tru",
    "[1,]",
    '"\\u12"',
    "+1",
  ];
  for (const text of texts) {
    let isRight = true;
    try {
      JSON.parse(text);
    } catch {
      isRight = false;
    }
    assert.equal(findFault(text) === null, isRight, text);
  }
});

test("400 KB are looked at without trouble", () => {
  const text = JSON.stringify({ a: "x".repeat(200_000), b: Array.from({ length: 20_000 }, (_, index) => index) });
  assert.equal(findFault(text), null);
  assert.equal(compact(indent(text)), text);
});
