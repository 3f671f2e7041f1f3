/** Selecting rows and moving among them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { findByLetters, nextRow } from "../../static/js/lib/list_keys.js";
import { all, click, extend, keep, none, only, toggle } from "../../static/js/lib/row_selection.js";

const ORDER = ["a", "b", "c", "d", "e"];
const names = (selection) => [...selection.chosen].sort().join("");

test("a click takes one, Ctrl one more or less, Shift a range", () => {
  let selection = click(none(), ORDER, "b");
  assert.equal(names(selection), "b");
  selection = click(selection, ORDER, "d", { ctrl: true });
  assert.equal(names(selection), "bd");
  selection = click(selection, ORDER, "d", { ctrl: true });
  assert.equal(names(selection), "b");
  selection = click(selection, ORDER, "c");
  selection = click(selection, ORDER, "e", { shift: true });
  assert.equal(names(selection), "cde");
  selection = click(selection, ORDER, "a", { shift: true });
  assert.equal(names(selection), "abc");
});

test("Ctrl and Shift add a range to what is there", () => {
  let selection = toggle(only("a"), "d");
  selection = click(selection, ORDER, "e", { ctrl: true, shift: true });
  assert.equal(names(selection), "ade");
});

test("a range without a start begins at the first row", () => assert.equal(names(extend(none(), ORDER, "c")), "abc"));
test("a range to what is not there changes nothing", () => assert.equal(names(extend(only("b"), ORDER, "z")), "b"));
test("all are all that are listed", () => assert.equal(names(all(ORDER)), "abcde"));

test("what left the list leaves the selection", () => {
  const selection = keep(toggle(only("a"), "b"), ["a", "c"]);
  assert.equal(names(selection), "a");
  assert.equal(selection.anchor, null);
});

test("a selection is never changed in place", () => {
  const before = only("a");
  toggle(before, "b");
  extend(before, ORDER, "e");
  assert.equal(names(before), "a");
});

for (const [key, index, expected] of [
  ["ArrowDown", 0, 1],
  ["ArrowDown", 9, 9],
  ["ArrowUp", 0, 0],
  ["ArrowUp", 5, 4],
  ["Home", 7, 0],
  ["End", 0, 9],
  ["PageDown", 3, 7],
  ["PageDown", 8, 9],
  ["PageUp", 2, 0],
  ["ArrowDown", -1, 0],
  ["x", 3, null],
]) {
  test(`${key} at row ${index} of 10`, () => assert.equal(nextRow(key, index, 10, 4), expected));
}
for (const [key, index, expected] of [
  ["ArrowRight", 1, 2],
  ["ArrowLeft", 0, 0],
  ["ArrowDown", 1, 5],
  ["ArrowDown", 8, 9],
  ["ArrowUp", 6, 2],
]) {
  test(`${key} at tile ${index} of 10, four beside each other`, () =>
    assert.equal(nextRow(key, index, 10, 8, 4), expected));
}
test("in a list nothing stands beside a row", () => assert.equal(nextRow("ArrowRight", 1, 10, 4), null));
test("no key moves in an empty list", () => assert.equal(nextRow("ArrowDown", 0, 0, 4), null));

const LABELS = ["alpha", "Beta", "beach", "gamma", "Über"];
for (const [typed, index, expected] of [
  ["b", 0, 1],
  ["b", 1, 2],
  ["b", 2, 1],
  ["be", 1, 1],
  ["bea", 1, 2],
  ["a", 0, 0],
  ["ü", 0, 4],
  ["z", 0, -1],
  ["g", -1, 3],
]) {
  test(`typing ${typed} at row ${index}`, () => assert.equal(findByLetters(LABELS, typed, index), expected));
}
