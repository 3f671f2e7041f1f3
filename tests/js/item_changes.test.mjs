/** Changes of many items: what a form asks for, and what is said of them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { actLabel, isUnfinished, outcomeWords, progressWords, readAct } from "../../static/js/lib/item_changes.js";

const form = {
  kind: "set",
  attribute: "a",
  value: "x",
  type: "string",
  newName: "",
  to: "number",
  base: "",
  replace: false,
};
const change = {
  id: "1",
  act: "remove “a”",
  state: "done",
  expected: 1204,
  seen: 0,
  changed: 0,
  refused: 0,
  problems: [],
  reason: "",
  restored: 0,
  kept: 0,
  asked_at: "",
  undo_seconds: 0,
};

test("a form becomes an act, with every digit of its value", () => {
  const act = (more) => readAct({ ...form, ...more }).act;
  assert.deepEqual(act({}), { kind: "set", attribute: "a", value: '"x"' });
  assert.deepEqual(act({ type: "number", value: " 12345678901234567890 " }).value, "12345678901234567890");
  assert.deepEqual(act({ type: "json", value: '{"b": 1.0}' }).value, '{"b": 1.0}');
  assert.deepEqual(act({ type: "null" }).value, "null");
  assert.deepEqual(act({ kind: "unset" }), { kind: "unset", attribute: "a" });
  assert.deepEqual(act({ kind: "rename", newName: "b" }), { kind: "rename", attribute: "a", new_name: "b" });
  assert.deepEqual(act({ kind: "convert" }), { kind: "convert", attribute: "a", to: "number" });
  assert.deepEqual(act({ kind: "copy", base: "b" }), { kind: "copy", base: "b", replace: false });
  assert.deepEqual(act({ kind: "delete", attribute: "" }), { kind: "delete" });
});

test("what is missing or wrong is said", () => {
  const fault = (more) => readAct({ ...form, ...more }).fault;
  for (const wrong of [
    { attribute: "" },
    { attribute: "key" },
    { type: "number" },
    { type: "boolean" },
    { type: "json" },
    { kind: "rename" },
    { kind: "copy" },
  ])
    assert.ok(fault(wrong), JSON.stringify(wrong));
});

test("the button says what it does", () => {
  assert.equal(actLabel("set", 1204), "Change 1,204 items");
  assert.equal(actLabel("delete", 1), "Delete 1 item");
  assert.equal(actLabel("copy", 2), "Copy 2 items");
});

test("progress and outcome in words", () => {
  assert.equal(progressWords({ ...change, state: "running", seen: 250 }).text, "Remove “a” … 250 of 1,204");
  assert.deepEqual(progressWords({ ...change, state: "undoing", changed: 9, restored: 3, kept: 1 }), {
    text: "Undoing: remove “a” … 4 of 9",
    done: 4,
    all: 9,
  });
  assert.ok(isUnfinished({ ...change, state: "queued" }) && !isUnfinished(change));
  assert.equal(outcomeWords({ ...change, changed: 1204 }), "Remove “a”: 1,204 items.");
  const problems = ["a: no", "b: no", "c: no", "d: no"];
  assert.equal(
    outcomeWords({ ...change, changed: 1, refused: 4, problems }),
    "Remove “a”: 1 item. Left as they were: 4 (a: no; b: no; c: no …).",
  );
  assert.match(outcomeWords({ ...change, state: "failed", reason: "The Base was deleted." }), /It stopped: The Base/);
  assert.equal(
    outcomeWords({ ...change, state: "undone", restored: 3, kept: 1 }),
    "Undone: 3 items as before. 1 item was changed since, which stays.",
  );
});
