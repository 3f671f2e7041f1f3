/** Staged changes: what is staged, undone, redone, reverted, counted, kept and restored. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { buildRequest } from "../../static/js/lib/save_requests.js";
import * as staging from "../../static/js/lib/staged_changes.js";

const editCell = (staged, row, name, loaded, mine) => staging.editCells(staged, [{ row, name, loaded, mine }]);
const row = (key, revision = "7") => ({ id: staging.rowId(key), key, revision });
const cells = (staged, key) => staged.changes.get(staging.rowId(key))?.cells;

function threeEdits() {
  let staged = staging.nothingStaged();
  staged = editCell(staged, row("a"), "age", "22", "23");
  staged = editCell(staged, row("a"), "name", '"A"', '"B"');
  return editCell(staged, row("b"), "age", null, "5");
}

test("edits are staged with what was loaded", () => {
  const staged = threeEdits();
  assert.deepEqual(cells(staged, "a"), { age: { loaded: "22", mine: "23" }, name: { loaded: '"A"', mine: '"B"' } });
  assert.deepEqual(staging.count(staged), { edits: 3, adds: 0, deletes: 0, changes: 3, problems: 0 });
});

test("editing a cell again keeps what was loaded; its loaded value takes it off", () => {
  let staged = editCell(threeEdits(), row("a"), "age", "23", "24");
  assert.deepEqual(cells(staged, "a").age, { loaded: "22", mine: "24" });
  staged = editCell(staged, row("a"), "age", "24", "22");
  assert.deepEqual(Object.keys(cells(staged, "a")), ["name"]);
  staged = editCell(staged, row("b"), "age", "5", null);
  assert.equal(staged.changes.size, 1);
});

test("undo and redo step through, and a new edit ends the way forward", () => {
  const staged = threeEdits();
  const one = staging.undo(staged);
  assert.equal(one.changes.size, 1);
  const none = staging.undo(staging.undo(one));
  assert.equal(none.changes.size, 0);
  assert.equal(staging.undo(none), none);
  const again = staging.redo(staging.redo(staging.redo(none)));
  assert.deepEqual([...again.changes], [...staged.changes]);
  assert.equal(staging.redo(again), again);
  assert.equal(editCell(one, row("c"), "x", null, "1").future.length, 0);
});

test("one cell, one row or all are reverted, and reverting is a step as well", () => {
  let staged = staging.revertCell(threeEdits(), staging.rowId("a"), "age");
  assert.deepEqual(Object.keys(cells(staged, "a")), ["name"]);
  staged = staging.revertRow(staged, staging.rowId("a"));
  assert.equal(staged.changes.size, 1);
  staged = staging.revertAll(staged);
  assert.equal(staged.changes.size, 0);
  assert.equal(staging.undo(staging.undo(staging.undo(staged))).changes.size, 2);
});

test("nothing to revert is no step", () => {
  const staged = threeEdits();
  assert.equal(staging.revertRow(staged, "item:nobody"), staged);
  assert.equal(staging.revertCell(staged, staging.rowId("a"), "other"), staged);
});

test("new rows take values and keys, and count as one edit each", () => {
  let staged = staging.addRows(staging.nothingStaged(), [
    { id: "new:1", key: null, item: {} },
    { id: "new:2", key: "k", item: { a: "1" } },
  ]);
  staged = editCell(staged, { id: "new:1" }, "a", null, "1.0");
  staged = staging.setKey(staged, "new:1", "mine");
  assert.deepEqual(staged.changes.get("new:1"), { kind: "add", key: "mine", item: { a: "1.0" } });
  assert.deepEqual(staging.stagedCell(staged, "new:1", "a", null), { json: "1.0", loaded: null, isStaged: true });
  assert.equal(staging.setKey(staged, "new:1", "").changes.get("new:1").key, null);
  assert.deepEqual(staging.count(staged), { edits: 2, adds: 2, deletes: 0, changes: 2, problems: 0 });
  assert.equal(staging.undo(staging.undo(staging.undo(staged))).changes.size, 0);
});

test("rows of a file are new ones, and edits of rows that are stored, as one step", () => {
  const before = threeEdits();
  const staged = staging.importRows(before, [
    { id: "new:1", key: null, item: { x: "1" }, stored: null },
    { id: "item:z", key: "z", item: { x: "2", y: '"t"' }, stored: { revision: "9", values: { x: "1", y: null } } },
  ]);
  assert.deepEqual(staged.changes.get("new:1"), { kind: "add", key: null, item: { x: "1" } });
  assert.deepEqual(staged.changes.get("item:z"), {
    kind: "edit",
    key: "z",
    revision: "9",
    cells: { x: { loaded: "1", mine: "2" }, y: { loaded: null, mine: '"t"' } },
  });
  assert.deepEqual(staging.undo(staged).changes, before.changes);
  const marked = staging.markDeleted(before, [row("a")]);
  const again = staging.importRows(marked, [
    { id: "item:a", key: "a", item: { x: "5" }, stored: { revision: "7", values: { x: "1" } } },
  ]);
  assert.equal(again.changes.get("item:a").kind, "delete");
});

test("marking for deletion replaces edits, takes new rows off, and undo brings both back", () => {
  let staged = staging.addRows(threeEdits(), [{ id: "new:1", key: null, item: {} }]);
  staged = staging.markDeleted(staged, [row("a"), { id: "new:1" }]);
  assert.deepEqual(staged.changes.get(staging.rowId("a")), { kind: "delete", key: "a", revision: "7" });
  assert.equal(staged.changes.has("new:1"), false);
  assert.deepEqual(staging.count(staged), { edits: 1, adds: 0, deletes: 1, changes: 2, problems: 0 });
  staged = staging.undo(staged);
  assert.ok(cells(staged, "a") && staged.changes.has("new:1"));
});

test("a row marked for deletion takes no edits", () => {
  const staged = staging.markDeleted(staging.nothingStaged(), [row("a")]);
  assert.equal(editCell(staged, row("a"), "x", null, "1"), staged);
});

test("several cells are one step", () => {
  const staged = staging.editCells(
    staging.nothingStaged(),
    ["a", "b", "c"].map((key) => ({ row: row(key), name: "x", loaded: null, mine: "1" })),
  );
  assert.equal(staged.changes.size, 3);
  assert.deepEqual(staging.nextStepRows(staged, "undo"), ["item:a", "item:b", "item:c"]);
  assert.equal(staging.undo(staged).changes.size, 0);
});

test("what is kept as text comes back whole, history included", () => {
  const staged = staging.undo(staging.markDeleted(threeEdits(), [row("b")]));
  const back = staging.restore(staging.serialise(staged));
  assert.deepEqual(back, staged);
  assert.deepEqual([...staging.redo(back).changes], [...staging.redo(staged).changes]);
  assert.deepEqual(staging.restore("nonsense"), staging.nothingStaged());
  assert.deepEqual(staging.restore(null), staging.nothingStaged());
});

test("a settled row leaves the history, the others stay in it", () => {
  const staged = staging.settle(threeEdits(), [[staging.rowId("a"), undefined]]);
  assert.deepEqual([...staged.changes.keys()], ["item:b"]);
  const undone = staging.undo(staged);
  assert.equal(undone.changes.size, 0);
  assert.equal(undone.past.length, 0);
});

test("editing a row that failed takes its problem off", () => {
  let staged = threeEdits();
  const id = staging.rowId("a");
  staged = staging.settle(staged, [[id, { ...staged.changes.get(id), problem: { outcome: "refused", why: "no" } }]]);
  assert.equal(staging.count(staged).problems, 1);
  assert.equal(staging.count(editCell(staged, row("a"), "age", "22", "30")).problems, 0);
});

test("attributes may be called what every object has", () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    const staged = editCell(staging.nothingStaged(), row("a"), name, null, "1");
    assert.deepEqual(Object.keys(staging.restore(staging.serialise(staged)).changes.get("item:a").cells), [name]);
    assert.deepEqual(staging.stagedCell(staged, "item:a", "valueOf", '"x"'), {
      json: '"x"',
      loaded: '"x"',
      isStaged: false,
    });
    const { body } = buildRequest(staged, "x", () => true);
    assert.equal(body.includes(`"set":{"${name}":"1"}`), true);
  }
});
