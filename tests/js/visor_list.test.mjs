/** What the list of recorded requests works out: what is new, and what a key does. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { actionFor, countNew, describeNew, withoutEmpty } from "../../static/js/lib/visor_list.js";

const counts = [
  [[], ["3", "2"], 2],
  [["2", "1"], ["4", "3", "2", "1"], 2],
  [["4", "2"], ["4", "3", "2"], 1],
  [["5", "4", "3"], ["5", "4", "3", "2"], 0],
  [["5", "4"], ["5", "4"], 0],
];

for (const [shown, fresh, expected] of counts) {
  test(`${fresh} after ${shown} are ${expected} new`, () => assert.equal(countNew(shown, fresh), expected));
}

test("a full page may hide more", () => {
  assert.equal(describeNew(3, 50), "3 new");
  assert.equal(describeNew(50, 50), "50+ new");
});

const free = { isTyping: false, isOpen: false, isOnControl: false };
const keys = [
  [{ key: "j" }, free, "next"],
  [{ key: "k" }, free, "previous"],
  [{ key: "Enter" }, free, "open"],
  [{ key: "Enter" }, { ...free, isOnControl: true }, null],
  [{ key: "r" }, free, "redo"],
  [{ key: "r", ctrlKey: true }, free, null],
  [{ key: "e" }, free, "edit"],
  [{ key: "c" }, free, "copy"],
  [{ key: "c", metaKey: true }, free, null],
  [{ key: "p" }, free, "pin"],
  [{ key: "/" }, free, "filter"],
  [{ key: "/" }, { ...free, isTyping: true }, null],
  [{ key: " " }, free, "pause"],
  [{ key: " " }, { ...free, isOnControl: true }, null],
  [{ key: "Escape" }, free, null],
  [{ key: "Escape" }, { ...free, isOpen: true }, "close"],
  [{ key: "Escape" }, { ...free, isOpen: true, isTyping: true }, "close"],
  [{ key: "R" }, free, "redoAtOnce"],
  [{ key: "?" }, free, "keys"],
  [{ key: "x" }, free, null],
];

for (const [event, state, expected] of keys) {
  test(`${JSON.stringify(event)} with ${JSON.stringify(state)} means ${expected}`, () =>
    assert.equal(actionFor(event, state), expected));
}

test("an address holds what is asked for", () =>
  assert.deepEqual(withoutEmpty({ path: "", status: "4xx" }), { status: "4xx" }));
