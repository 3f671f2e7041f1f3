import assert from "node:assert/strict";
import { test } from "node:test";

import { isSame, UndoOffers } from "../../static/js/lib/undo_offers.js";

test("a folder is what is in it", () => {
  assert.ok(isSame("a/", "a/b.txt"));
  assert.ok(isSame("a/b/c.txt", "a/"));
  assert.ok(isSame("a.txt", "a.txt"));
  assert.ok(!isSame("a", "a/b"));
  assert.ok(!isSame("a/", "ab"));
});

test("an offer waits for later ones about the same thing, and for no other", () => {
  const told = [];
  const offers = new UndoOffers((offer, isWaiting) => told.push([offer, isWaiting]));
  offers.add("rename", ["a", "b"]);
  offers.add("elsewhere", ["x"]);
  offers.add("rename again", ["b", "c"]);
  offers.add("delete", ["c"]);
  assert.deepEqual(told, [
    ["rename", true],
    ["rename again", true],
  ]);
  offers.take("delete");
  offers.take("rename again");
  assert.deepEqual(told.slice(2), [
    ["rename again", false],
    ["rename", false],
  ]);
  offers.take("rename");
  offers.take("unknown");
  assert.equal(told.length, 4);
});
