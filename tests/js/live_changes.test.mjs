/** What waits to be looked at while a table is open, and what a row becomes by it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { createWaiting, letGo, takeOver, waitingWords } from "../../static/js/lib/live_changes.js";

const notice = (key, revision = "1", gone = false) => ({ key, revision, gone });

test("of each key the last notice waits, and what is known is dropped", () => {
  const waiting = createWaiting(10);
  waiting.add(notice("a"));
  waiting.add(notice("b"));
  waiting.add(notice("a", "2"));
  waiting.drop(({ key, revision }) => key === "b" && revision === "1");
  assert.deepEqual(waiting.take(), [notice("a", "2")]);
  assert.equal(waiting.size, 0);
});

test("what could not be looked at waits again, unless something newer came", () => {
  const waiting = createWaiting(10);
  waiting.add(notice("a"));
  waiting.add(notice("b"));
  const taken = waiting.take();
  waiting.add(notice("a", "2", true));
  waiting.putBack(taken);
  assert.deepEqual(waiting.take(), [notice("a", "2", true), notice("b")]);
});

test("a batch is bounded by its number and by the length of its address", () => {
  const waiting = createWaiting(1_000);
  for (let number = 0; number < 150; number += 1) waiting.add(notice(`k${number}`));
  assert.equal(waiting.take().length, 100);
  assert.equal(waiting.take().length, 50);
  for (let number = 0; number < 5; number += 1) waiting.add(notice("ü".repeat(500) + number));
  assert.equal(waiting.take().length, 1);
  waiting.clear();
  waiting.add(notice("x".repeat(9_000)));
  assert.equal(waiting.take().length, 1);
});

test("too many are remembered as too many", () => {
  const waiting = createWaiting(2);
  for (const key of ["a", "b", "c", "d"]) waiting.add(notice(key));
  assert.deepEqual([waiting.isFull, waiting.size, waiting.take()], [true, 0, []]);
  assert.equal(waitingWords(waiting, 2), "more than 2 changes waiting");
  waiting.clear();
  waiting.add(notice("a"));
  assert.equal(waitingWords(waiting, 2), "1 change waiting");
});

const row = (revision, values) => ({ id: "item:a", key: "a", revision, values: new Map(Object.entries(values)) });
const isSame = (one, other) => one === other;

test("a row is taken over, and what is another value is told", () => {
  const now = row("2", { age: "23", city: '"Ulm"' });
  assert.deepEqual(takeOver(row("1", { age: "22", name: '"Ada"' }), now, null, isSame), {
    row: now,
    changed: ["age", "name", "city"],
  });
});

test("what somebody is at stays until they leave it", () => {
  const { row: held, changed } = takeOver(
    row("1", { age: "22", b: "1" }),
    row("2", { age: "23", b: "2" }),
    "age",
    isSame,
  );
  assert.deepEqual([held.values.get("age"), held.theirs, changed], ["22", { name: "age", json: "23" }, ["b"]]);
  assert.deepEqual(letGo(held), row("2", { age: "23", b: "2" }));
  const { row: gone } = takeOver(row("1", { age: "22" }), row("2", {}), "age", isSame);
  assert.deepEqual(letGo(gone).values, new Map());
});

test("what is back as it was has nothing to tell", () => {
  const { row: held } = takeOver(row("1", { age: "22" }), row("2", { age: "23" }), "age", isSame);
  const { row: back, changed } = takeOver(held, row("3", { age: "22" }), "age", isSame);
  assert.deepEqual([back.theirs, changed, letGo(back)], [undefined, [], back]);
});
