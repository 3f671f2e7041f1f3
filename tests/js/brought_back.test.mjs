import assert from "node:assert/strict";
import { test } from "node:test";
import { bringBack, broughtBackWords } from "../../static/js/lib/brought_back.js";
import { editCells, markDeleted, nothingStaged, undo } from "../../static/js/lib/staged_changes.js";

const ADA = { id: "item:ada", key: "ada", revision: "7" };
const EDIT = {
  key: "ada",
  item: { age: "36", vip: null },
  json: "{}",
  delete: false,
  stored: { revision: "7", values: { age: "37", vip: "true" } },
};
const NEW = { key: "bob", item: { age: "1" }, json: null, delete: false, stored: null };
const GONE = { key: "eve", item: {}, json: "{}", delete: true, stored: { revision: "9", values: {} } };
const ids = () => {
  let last = 0;
  return () => `new:${++last}`;
};

test("what was is staged as one step: edits, new rows and deletions", () => {
  const staged = bringBack(nothingStaged(), [EDIT, NEW, GONE], ids());
  assert.deepEqual(Object.fromEntries(staged.changes), {
    "item:ada": {
      kind: "edit",
      key: "ada",
      revision: "7",
      cells: { age: { loaded: "37", mine: "36" }, vip: { loaded: "true", mine: null } },
    },
    "new:1": { kind: "add", key: "bob", item: { age: "1" } },
    "item:eve": { kind: "delete", key: "eve", revision: "9" },
  });
  assert.equal(undo(staged).changes.size, 0);
});

test("a clash waits for a choice, as after a save", () => {
  const clash = { theirs: { age: "50" }, revision: "8", changed_at: "2026-11-29", changed_by: "Bea" };
  const change = bringBack(nothingStaged(), [{ ...EDIT, clash }], ids()).changes.get("item:ada");
  assert.deepEqual(change.problem, {
    outcome: "clash",
    theirs: { age: "50" },
    why: "",
    revision: "8",
    changedAt: "2026-11-29",
    changedBy: "Bea",
  });
});

test("a row that was marked for deletion is put back, and one that was staged already takes what was", () => {
  const marked = bringBack(markDeleted(nothingStaged(), [ADA]), [EDIT], ids());
  assert.equal(marked.changes.get("item:ada").kind, "edit");
  const edited = editCells(nothingStaged(), [{ row: ADA, name: "age", loaded: "37", mine: "99" }]);
  assert.deepEqual(bringBack(edited, [EDIT], ids()).changes.get("item:ada").cells.age, { loaded: "37", mine: "36" });
  const twice = ids();
  const again = bringBack(bringBack(nothingStaged(), [NEW], twice), [{ ...NEW, item: { age: "2" } }], twice);
  assert.deepEqual([...again.changes], [["new:1", { kind: "add", key: "bob", item: { age: "2" } }]]);
});

test("what is staged is counted in words", () => {
  const clash = { theirs: {}, revision: "8", changed_at: null, changed_by: null };
  assert.equal(
    broughtBackWords([{ ...EDIT, clash }, NEW, GONE], { unchanged: 2, expired: 1, leftAlone: 3 }),
    "Staged: 1 to put back, 1 to make again, 1 to delete, 1 changed by others since, 2 already so, 3 left alone. " +
      "Without __expires, which is past: 1.",
  );
});
