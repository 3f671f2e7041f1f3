/** Rows go back where they were. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { placeAmong, placesOf } from "../../static/js/lib/row_order.js";

const rows = (ids) => [...ids].map((id) => ({ id }));
const ids = (list) => list.map(({ id }) => id).join("");

test("what was taken out goes back where it was", () => {
  for (const taken of ["a", "c", "e", "bc", "abcde", "ace"]) {
    const places = placesOf(rows("abcde"), new Set(taken));
    const left = rows("abcde").filter(({ id }) => !taken.includes(id));
    const back = rows(taken).map((row) => ({ row, place: places.get(row.id) }));
    assert.equal(ids(placeAmong(left, back)), "abcde", taken);
  }
});

test("others that came meanwhile stay where they are, and a lost neighbour is made up for by the count", () => {
  const places = placesOf(rows("abcde"), new Set("d"));
  assert.equal(ids(placeAmong(rows("xabyce"), [{ row: { id: "d" }, place: places.get("d") }])), "xabycde");
  assert.equal(ids(placeAmong(rows("xyzuv"), [{ row: { id: "d" }, place: places.get("d") }])), "xyzduv");
  assert.equal(ids(placeAmong(rows("x"), [{ row: { id: "d" }, place: places.get("d") }])), "xd");
});

test("without a place a row stands on top, in the order it was added", () => {
  const last = { after: "b", index: 2 };
  const added = [
    { row: { id: "1" } },
    { row: { id: "8" }, place: last },
    { row: { id: "2" } },
    { row: { id: "9" }, place: last },
  ];
  assert.equal(ids(placeAmong(rows("ab"), added)), "12ab89");
});
