/** Moving in a grid, what of it is in view, arranging columns, and what goes to the clipboard. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { toJson, toTsv } from "../../static/js/lib/clipboard_text.js";
import {
  besideCell,
  isInside,
  nextCell,
  rectangle,
  rowsInView,
  scrollToRow,
} from "../../static/js/lib/grid_geometry.js";
import { arrange, mergeColumns, moveBefore, moveBy, nextSort, typeMix } from "../../static/js/lib/table_columns.js";

const size = { rows: 50, columns: 6, pageRows: 10 };
const moves = [
  ["ArrowDown", false, 3, 2, 4, 2],
  ["ArrowUp", false, 0, 2, 0, 2],
  ["ArrowLeft", false, 3, 0, 3, 0],
  ["ArrowRight", false, 3, 5, 3, 5],
  ["ArrowDown", true, 3, 2, 49, 2],
  ["ArrowUp", true, 3, 2, 0, 2],
  ["Home", false, 3, 4, 3, 0],
  ["End", false, 3, 0, 3, 5],
  ["Home", true, 3, 4, 0, 0],
  ["End", true, 3, 0, 49, 5],
  ["PageDown", false, 45, 1, 49, 1],
  ["PageUp", false, 15, 1, 5, 1],
];
for (const [key, ctrlKey, row, column, toRow, toColumn] of moves) {
  test(`${ctrlKey ? "Ctrl+" : ""}${key} from ${row}:${column}`, () => {
    assert.deepEqual(nextCell({ key, ctrlKey }, { row, column }, size), { row: toRow, column: toColumn });
  });
}

test("other keys and an empty grid do not move", () => {
  assert.equal(nextCell({ key: "a" }, { row: 0, column: 0 }, size), null);
  assert.equal(nextCell({ key: "toString" }, { row: 0, column: 0 }, size), null);
  assert.equal(nextCell({ key: "ArrowDown" }, { row: 0, column: 0 }, { ...size, rows: 0 }), null);
});

test("Tab goes on in the next row and ends at the ends", () => {
  assert.deepEqual(besideCell({ row: 0, column: 5 }, 1, size, 2), { row: 1, column: 2 });
  assert.deepEqual(besideCell({ row: 1, column: 2 }, -1, size, 2), { row: 0, column: 5 });
  assert.equal(besideCell({ row: 49, column: 5 }, 1, size, 2), null);
  assert.equal(besideCell({ row: 0, column: 2 }, -1, size, 2), null);
});

test("only the rows in view and some around are drawn", () => {
  assert.deepEqual(rowsInView({ scrollTop: 0, height: 400, rowHeight: 40, count: 1_000 }), [0, 18]);
  assert.deepEqual(rowsInView({ scrollTop: 20_000, height: 400, rowHeight: 40, count: 1_000 }), [492, 518]);
  assert.deepEqual(rowsInView({ scrollTop: 0, height: 400, rowHeight: 40, count: 0 }), [0, 0]);
});

test("a row is scrolled to only when it is not seen", () => {
  const view = { scrollTop: 400, height: 440, rowHeight: 40, headerHeight: 40 };
  assert.equal(scrollToRow({ ...view, row: 12 }), 400);
  assert.equal(scrollToRow({ ...view, row: 2 }), 80);
  assert.equal(scrollToRow({ ...view, row: 20 }), 440);
});

test("a range covers what lies between its ends, in any direction", () => {
  const range = rectangle({ row: 5, column: 1 }, { row: 2, column: 3 });
  assert.deepEqual(range, { top: 2, bottom: 5, left: 1, right: 3 });
  assert.ok(isInside(range, 3, 3) && !isInside(range, 6, 3));
});

test("columns are the union, their types add up", () => {
  const merged = mergeColumns(
    [{ name: "a", types: { number: 2 } }],
    [
      { name: "b", types: { null: 1 } },
      { name: "a", types: { number: 1, missing: 4 } },
    ],
  );
  assert.deepEqual(merged, [
    { name: "a", types: { number: 3, missing: 4 } },
    { name: "b", types: { null: 1 } },
  ]);
});

for (const [types, word] of [
  [{ number: 3 }, "number"],
  [{ number: 3, null: 2, missing: 1 }, "number"],
  [{ number: 3, string: 1 }, "mixed"],
  [{ null: 2 }, "null"],
  [{ missing: 2 }, ""],
  [{}, ""],
]) {
  test(`a column of ${JSON.stringify(types)} is called ${word || "nothing"}`, () =>
    assert.equal(typeMix(types).word, word));
}

test("a column says how often it holds what", () => {
  assert.equal(typeMix({ number: 3, string: 1, missing: 2 }).inWords, "number in 3, string in 1, missing in 2 of 6");
});

test("columns keep a person's order and stay hidden; new ones come last", () => {
  const columns = ["a", "b", "c", "d"].map((name) => ({ name, types: {} }));
  assert.deepEqual(
    arrange(columns, { order: ["c", "a", "gone"], hidden: ["d"] }).map(({ name }) => name),
    ["c", "a", "b"],
  );
  assert.deepEqual(moveBefore(["a", "b", "c"], "c", "a"), ["c", "a", "b"]);
  assert.deepEqual(moveBefore(["a", "b", "c"], "a", null), ["b", "c", "a"]);
  assert.deepEqual(moveBy(["a", "b", "c"], "a", 1), ["b", "a", "c"]);
  assert.deepEqual(moveBy(["a", "b", "c"], "c", 5), ["a", "b", "c"]);
  assert.deepEqual(
    [nextSort("", "a"), nextSort("a", "a"), nextSort("-a", "a"), nextSort("b", "a")],
    ["a", "-a", "", "a"],
  );
});

test("what is copied keeps its digits and survives a spreadsheet", () => {
  assert.equal(
    toTsv([
      ['"a"', "12345678901234567890", null],
      ['"tab\\there"', '"say \\"x\\""', "1.0"],
      ['""', null, "null"],
    ]),
    'a\t12345678901234567890\t\n"tab\there"\t"say ""x"""\t1.0\n""\t\tnull',
  );
  assert.equal(
    toJson([
      [
        ["key", '"k"'],
        ["n", "1e21"],
      ],
    ]),
    '[\n  {\n    "key": "k",\n    "n": 1e21\n  }\n]',
  );
});
