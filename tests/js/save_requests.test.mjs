/** From staged changes to a request and back from its answer. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  applyAnswer,
  buildRequest,
  inverse,
  newSaveId,
  outcomeWords,
  resolveClash,
} from "../../static/js/lib/save_requests.js";
import * as staging from "../../static/js/lib/staged_changes.js";

const editCell = (staged, row, name, loaded, mine) => staging.editCells(staged, [{ row, name, loaded, mine }]);
const row = (key) => ({ id: staging.rowId(key), key, revision: "7" });
const all = () => true;

function someStaged() {
  let staged = editCell(staging.nothingStaged(), row("a"), "age", "22", "23");
  staged = editCell(staged, row("a"), "gone", '"x"', null);
  staged = staging.addRows(staged, [{ id: "new:1", key: null, item: { n: "12345678901234567890" } }]);
  return staging.markDeleted(staged, [row("c")]);
}

test("a request says what was loaded and what is set, as JSON texts", () => {
  const { body, sent } = buildRequest(someStaged(), "an-id", all);
  assert.deepEqual(JSON.parse(body), {
    save: "an-id",
    changes: [
      {
        id: "item:a",
        kind: "edit",
        key: "a",
        revision: "7",
        loaded: { age: "22", gone: '"x"' },
        set: { age: "23" },
        unset: ["gone"],
      },
      { id: "new:1", kind: "add", key: null, item: { n: "12345678901234567890" } },
      { id: "item:c", kind: "delete", key: "c", revision: "7" },
    ],
  });
  assert.equal(sent.length, 3);
});

test("only what is asked for is sent, and a clash waits for a person", () => {
  let staged = someStaged();
  assert.equal(buildRequest(staged, "x", (change) => change.kind === "delete").sent.length, 1);
  staged = staging.settle(staged, [
    ["item:a", { ...staged.changes.get("item:a"), problem: { outcome: "clash", theirs: {} } }],
  ]);
  assert.deepEqual(
    buildRequest(staged, "x", all).sent.map(([id]) => id),
    ["new:1", "item:c"],
  );
  assert.equal(buildRequest(staging.nothingStaged(), "x", all), null);
});

test("very many changes go in several requests", () => {
  const rows = Array.from({ length: 1_500 }, (_, index) => ({ id: `new:${index}`, key: null, item: {} }));
  const staged = staging.addRows(staging.nothingStaged(), rows);
  assert.equal(buildRequest(staged, "x", all).sent.length, 1_000);
  const large = staging.addRows(
    staging.nothingStaged(),
    ["1", "2"].map((id) => ({ id, key: null, item: { a: `"${"x".repeat(3_000_000)}"` } })),
  );
  assert.equal(buildRequest(large, "x", all).sent.length, 1);
});

test("what is saved leaves, what failed stays with its reason", () => {
  const staged = someStaged();
  const { sent } = buildRequest(staged, "x", all);
  const answer = applyAnswer(staged, sent, [
    { id: "item:a", outcome: "clash", theirs: { age: "24" }, revision: "9", changed_by: "Ada", changed_at: "now" },
    { id: "new:1", outcome: "saved", key: "k1", revision: "10" },
    { id: "item:c", outcome: "merged", revision: "11" },
  ]);
  assert.deepEqual([...answer.staged.changes.keys()], ["item:a"]);
  assert.deepEqual(answer.staged.changes.get("item:a").problem, {
    outcome: "clash",
    theirs: { age: "24" },
    why: "",
    revision: "9",
    changedAt: "now",
    changedBy: "Ada",
  });
  assert.equal(answer.saved.length, 2);
  assert.equal(answer.failed.length, 1);
});

test("a row edited again while on its way stays staged against what was saved", () => {
  let staged = editCell(staging.nothingStaged(), row("a"), "age", "22", "23");
  const { sent } = buildRequest(staged, "x", all);
  staged = editCell(staged, row("a"), "age", "23", "24");
  staged = editCell(staged, row("a"), "name", '"A"', '"B"');
  const { staged: after } = applyAnswer(staged, sent, [{ id: "item:a", outcome: "saved", revision: "8" }]);
  assert.deepEqual(after.changes.get("item:a"), {
    kind: "edit",
    key: "a",
    revision: "8",
    cells: { age: { loaded: "23", mine: "24" }, name: { loaded: '"A"', mine: '"B"' } },
  });
});

test("a new row edited while on its way becomes an edit of the stored item", () => {
  let staged = staging.addRows(staging.nothingStaged(), [{ id: "new:1", key: null, item: { a: "1" } }]);
  const { sent } = buildRequest(staged, "x", all);
  staged = editCell(staged, { id: "new:1" }, "b", null, "2");
  const { staged: after } = applyAnswer(staged, sent, [{ id: "new:1", outcome: "saved", revision: "8", key: "k" }]);
  assert.deepEqual(after.changes.get("new:1"), {
    kind: "edit",
    key: "k",
    revision: "8",
    cells: { b: { loaded: null, mine: "2" } },
  });
});

function clashed(theirs = { age: "24" }) {
  let staged = editCell(staging.nothingStaged(), row("a"), "age", "22", "23");
  staged = editCell(staged, row("a"), "name", '"A"', '"B"');
  const { sent } = buildRequest(staged, "x", all);
  return applyAnswer(staged, sent, [{ id: "item:a", outcome: "clash", theirs, revision: "9" }]).staged;
}

test("a clash settled as mine is sent against their value", () => {
  const change = resolveClash(clashed(), "item:a", { age: "mine" }).changes.get("item:a");
  assert.deepEqual(change, {
    kind: "edit",
    key: "a",
    revision: "9",
    cells: { age: { loaded: "24", mine: "23" }, name: { loaded: '"A"', mine: '"B"' } },
  });
});

test("a clash settled as theirs drops that attribute alone", () => {
  const change = resolveClash(clashed(), "item:a", { age: "theirs" }).changes.get("item:a");
  assert.deepEqual(Object.keys(change.cells), ["name"]);
});

test("a clash settled with another value is sent against theirs; all theirs leaves nothing", () => {
  const change = resolveClash(clashed(), "item:a", { age: { json: "99" } }).changes.get("item:a");
  assert.deepEqual(change.cells.age, { loaded: "24", mine: "99" });
  const both = clashed({ age: "24", name: null });
  assert.equal(resolveClash(both, "item:a", { age: "theirs", name: "theirs" }).changes.size, 0);
});

test("a deletion is taken up again against the newer state", () => {
  const staged = staging.markDeleted(staging.nothingStaged(), [row("a")]);
  const { sent } = buildRequest(staged, "x", all);
  const after = applyAnswer(staged, sent, [{ id: "item:a", outcome: "clash", theirs: {}, revision: "9" }]).staged;
  assert.deepEqual(resolveClash(after, "item:a", {}).changes.get("item:a"), {
    kind: "delete",
    key: "a",
    revision: "9",
  });
});

test("what undoes a saved change", () => {
  const edit = { kind: "edit", key: "a", revision: "7", cells: { age: { loaded: null, mine: "23" } } };
  assert.deepEqual(inverse({ change: edit, result: { revision: "9" } }), {
    kind: "edit",
    key: "a",
    revision: "9",
    cells: { age: { loaded: "23", mine: null } },
  });
  assert.deepEqual(inverse({ change: { kind: "add", key: null, item: {} }, result: { key: "k", revision: "9" } }), {
    kind: "delete",
    key: "k",
    revision: "9",
  });
  assert.deepEqual(inverse({ change: { kind: "delete", key: "k" }, result: {} }, { a: "1.0" }), {
    kind: "add",
    key: "k",
    item: { a: "1.0" },
  });
});

test("an id is a UUID, and the outcome is said in words", () => {
  assert.match(newSaveId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(
    [outcomeWords(3, 0), outcomeWords(2, 1), outcomeWords(0, 1), outcomeWords(2, 0, "Deleted")],
    ["Saved 3", "Saved 2, 1 failed", "1 failed", "Deleted 2"],
  );
});
