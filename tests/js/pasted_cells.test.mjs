/** What is pasted over cells: taken apart, placed, and read as its column wants it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  areaOf,
  blockOfValues,
  bringsRows,
  columnReader,
  isNested,
  kindOfColumn,
  readBlock,
} from "../../static/js/lib/pasted_cells.js";

const texts = (text) => readBlock(text).map((row) => row.map((field) => field.text));

for (const [name, text, expected] of [
  ["one column, as a spreadsheet ends it", "a\r\nb\r\n", [["a"], ["b"]]],
  [
    "a block",
    "1\t2\n3\t4",
    [
      ["1", "2"],
      ["3", "4"],
    ],
  ],
  ["commas do not part", "Berlin, Mitte\nParis, 11e", [["Berlin, Mitte"], ["Paris, 11e"]]],
  [
    "empty fields",
    "a\t\n\tb\n",
    [
      ["a", null],
      [null, "b"],
    ],
  ],
  ["an empty line is an empty field", "a\n\nb", [["a"], [null], ["b"]]],
  [
    "rows of different lengths",
    "a\nb\tc",
    [
      ["a", null],
      ["b", "c"],
    ],
  ],
  [
    "quotes hold line breaks and tabs together",
    '"two\r\nlines"\t"a\tb"\t"say ""hi"""',
    [["two\nlines", "a\tb", 'say "hi"']],
  ],
  ["an empty text in quotes", '""\tx', [["", "x"]]],
  ["quotes that close too early are text", '"a" and b\tc', [['"a" and b', "c"]]],
  ["quotes that never close are text", '"a\tb', [['"a', "b"]]],
  ["one value keeps its quotes", '"quoted"', [['"quoted"']]],
  ["one value of two lines from a spreadsheet", '"one\ntwo"\n', [["one\ntwo"]]],
  ["spaces stay", " a \t b", [[" a ", " b"]]],
]) {
  test(`taken apart: ${name}`, () => assert.deepEqual(texts(text), expected));
}

for (const text of [
  '[{"a": 1}]',
  ' [ {"a": 1',
  '{"a": 1}\n{"a": 2}',
  "key\tage\na\t1",
  "age,key\n1,a",
  '"key";"age"\na;1',
  "key|b\na|c",
])
  test(`brings rows: ${text.slice(0, 20)}`, () => assert.equal(bringsRows(text), true));
for (const text of ["key\na\nb", "key\tage", "name\tage\nAda\t36", "[1, 2]", "{name}", "the key, of all\nthings"])
  test(`brings cells: ${text.slice(0, 20)}`, () => assert.equal(bringsRows(text), false));

test("a block goes where it was put, or as often as it fills the range", () => {
  const at = (bottom, right) => ({ top: 2, left: 1, bottom, right });
  assert.deepEqual(areaOf({ rows: 1, columns: 1 }, at(2, 1)), { top: 2, left: 1, rows: 1, columns: 1 });
  assert.deepEqual(areaOf({ rows: 1, columns: 1 }, at(9, 3)), { top: 2, left: 1, rows: 8, columns: 3 });
  assert.deepEqual(areaOf({ rows: 3, columns: 2 }, at(2, 1)), { top: 2, left: 1, rows: 3, columns: 2 });
  assert.deepEqual(areaOf({ rows: 2, columns: 1 }, at(5, 1)), { top: 2, left: 1, rows: 4, columns: 1 });
  assert.deepEqual(areaOf({ rows: 3, columns: 1 }, at(5, 1)), { top: 2, left: 1, rows: 3, columns: 1 });
  assert.deepEqual(areaOf({ rows: 1, columns: 2 }, at(4, 2)), { top: 2, left: 1, rows: 3, columns: 2 });
});

test("a column's kind", () => {
  assert.equal(kindOfColumn({ number: 3, null: 1, missing: 2 }), "number");
  assert.equal(kindOfColumn({ number: 3, string: 1 }), "mixed");
  assert.equal(kindOfColumn({ missing: 2, string: 0 }), "");
});

/** The JSON that each text becomes in a column. */
function read(name, types, values, current = null) {
  const fields = values.map((text) => ({ text }));
  const reader = columnReader(name, types, fields, { now: new Date("2026-11-29T10:00:00Z") });
  return fields.map((field) => reader(field, current).json);
}

test("types follow the column", () => {
  assert.deepEqual(read("zip", { string: 9, null: 1 }, ["01067", "80331", "true"]), ['"01067"', '"80331"', '"true"']);
  assert.deepEqual(read("age", { number: 9 }, [" 7 ", "12345678901234567890", "1.0"]), [
    "7",
    "12345678901234567890",
    "1.0",
  ]);
  assert.deepEqual(read("done", { boolean: 9, missing: 2 }, ["TRUE", "false"]), ["true", "false"]);
  assert.deepEqual(read("done", { boolean: 9, missing: 2 }, ["VRAI", "FALSO"]), ["true", "false"]);
  assert.deepEqual(read("tags", { array: 9 }, ["[1, 2]"]), ["[1,2]"]);
  assert.deepEqual(read("new", {}, ["01067", "80331"]), ['"01067"', '"80331"']);
  assert.deepEqual(read("new", { missing: 4 }, ["1", "2.50"]), ["1", "2.50"]);
  assert.deepEqual(read("colour", {}, ["314e59"]), ['"314e59"']);
});

test("a lone value in quotes keeps them, and a column of such, as our exports have it, are texts", () => {
  assert.deepEqual(read("name", { string: 9 }, ['"quoted"']), ['"\\"quoted\\""']);
  assert.deepEqual(read("code", {}, ['"12"', '"13"']), ['"12"', '"13"']);
});

test("an empty field takes the attribute away, an empty text stays one", () => {
  assert.deepEqual(read("age", { number: 9 }, [null]), [null]);
  assert.deepEqual(read("name", { string: 9 }, [null, ""]), [null, '""']);
});

test("what a column cannot hold becomes a text, and that is told", () => {
  const reader = columnReader("age", { number: 9 }, [{ text: "many" }]);
  assert.deepEqual(reader({ text: "many" }, "5"), { json: '"many"', isOther: true });
  assert.deepEqual(reader({ text: "007" }, null), { json: '"007"', isOther: true });
  assert.deepEqual(reader({ text: "7" }, null), { json: "7", isOther: false });
});

test("in a mixed column a cell keeps its own type, and one without a value takes the most frequent", () => {
  const types = { number: 5, string: 2 };
  assert.deepEqual(read("age", types, ["7"], '"6"'), ['"7"']);
  assert.deepEqual(read("age", types, ["7"], "6"), ["7"]);
  assert.deepEqual(read("age", types, ["7", "x"]), ["7", '"x"']);
});

test("cells copied here keep what a text cannot say", () => {
  const [row] = blockOfValues([["null", '{"a":1}', '""', "7", '"7"', null]]);
  const reader = (types) => columnReader("x", types, row);
  assert.deepEqual(
    row.map((field) => reader({ string: 1 })(field, null).json),
    ["null", '{"a":1}', '""', '"7"', '"7"', null],
  );
  assert.deepEqual(
    row.map((field) => reader({ number: 1 })(field, null).json),
    ["null", '{"a":1}', '""', "7", "7", null],
  );
});

test("dates become seconds in the column of expiries", () => {
  assert.deepEqual(read("__expires", { number: 3 }, ["2026-12-24T18:00Z", "1766595600"]), ["1798135200", "1766595600"]);
  assert.deepEqual(read("__expires", {}, ["in 1 h"]), [String(Date.UTC(2026, 10, 29, 11) / 1000)]);
  assert.deepEqual(read("other", {}, ["in 1 h"]), ['"in 1 h"']);
});

test("one JSON value on several lines is one value", () => {
  assert.equal(isNested('{\n  "a": 1\n}'), true);
  assert.equal(isNested("[1,\n 2]"), true);
  assert.equal(isNested("{a}"), false);
  assert.equal(isNested("12"), false);
});
