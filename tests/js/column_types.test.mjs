/** The browser's half of `tests/column_types.json`; the server's is in `tests/storage/archive/test_column_types.py`. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { guessColumn, jsonOf } from "../../static/js/lib/column_types.js";

const CASES = JSON.parse(readFileSync(new URL("../column_types.json", import.meta.url), "utf8"));

/** The same JSON, though a number or an object may be written in another way. */
function isSame(json, expected) {
  if (json === expected) return true;
  const [read, wanted] = [JSON.parse(json), JSON.parse(expected)];
  return typeof read === "number" ? read === wanted : isDeepStrictEqual(read, wanted);
}

for (const { cells, known, type, values } of CASES)
  test(`${known ?? "new"}: ${JSON.stringify(cells).slice(0, 60)}`, () => {
    const guessed = guessColumn(cells);
    if (!known) assert.equal(guessed.type, type);
    const column = { ...guessed, type: known ?? guessed.type };
    for (const [index, cell] of cells.entries()) {
      if (values[index] === null) continue;
      const json = jsonOf(cell, column);
      assert.ok(isSame(json, values[index]), `${json} is not ${values[index]}`);
    }
  });
