/** How parts of a page hear of each other. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { createEventBus } from "../../static/js/lib/event_bus.js";

test("listeners hear their types alone, in order, with the detail", () => {
  const { on, emit } = createEventBus();
  const heard = [];
  on("rows columns", (detail) => heard.push(["first", detail]));
  on("rows", (detail) => heard.push(["second", detail]));
  emit("rows", "a");
  emit("columns", { b: 1 });
  emit("other", "c");
  assert.deepEqual(heard, [
    ["first", "a"],
    ["second", "a"],
    ["first", { b: 1 }],
  ]);
});

test("without a detail there is an empty one, to be taken apart", () => {
  const { on, emit } = createEventBus();
  let found = null;
  on("changed", ({ focus = "none" }) => (found = focus));
  emit("changed");
  assert.equal(found, "none");
});

test("two buses do not hear each other", () => {
  const [one, other] = [createEventBus(), createEventBus()];
  other.on("rows", () => assert.fail());
  one.emit("rows");
});
