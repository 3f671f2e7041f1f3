/** Where the words of a search are. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { cutAround, findHit, splitAtHits } from "../../static/js/lib/search_hits.js";

test("whole words are found whatever their case, at any depth", () => {
  const item = '{"a":{"b":["x",{"c":"Rue de Paris 5"}]},"n":5.0,"d":"parisian","e":"PARIS"}';
  assert.deepEqual(findHit(item, "paris"), { path: "a.b.1.c", text: "Rue de Paris 5" });
  assert.deepEqual(findHit('"le PARIS"', "Paris "), { path: "", text: "le PARIS" });
  assert.equal(findHit('"parisian"', "paris"), null);
  assert.equal(findHit('"a_paris"', "paris"), null);
  assert.deepEqual(findHit('["a",[true,"é Été!"]]', "été"), { path: "1.1", text: "é Été!" });
});

test("numbers, booleans and null are found whole; names of attributes are not", () => {
  assert.deepEqual(findHit('{"n":15,"m":5}', "5"), { path: "m", text: "5" });
  assert.deepEqual(findHit("TRUE".toLowerCase(), "True"), { path: "", text: "true" });
  assert.equal(findHit('{"paris":1}', "paris"), null);
});

test("signs have no meaning of their own", () => {
  for (const words of ["a.b", "(x)", "a+b", "[1]", "\\d", "a/b", "$", "x-y"])
    assert.ok(findHit(JSON.stringify(`see ${words} here`), words), words);
  assert.equal(findHit('"axb"', "a.b"), null);
});

test("hits are taken apart from what is between them", () => {
  assert.deepEqual(splitAtHits("Paris, paris", "paris"), [
    { text: "Paris", isHit: true },
    { text: ", ", isHit: false },
    { text: "paris", isHit: true },
  ]);
  const long = `${"a ".repeat(100)}Paris ${"b ".repeat(100)}`;
  const pieces = cutAround(long, "paris", 40);
  assert.equal(pieces[0].text, "…");
  assert.equal(pieces.at(-1).text, "…");
  assert.ok(pieces.some(({ text, isHit }) => isHit && text === "Paris"));
  assert.ok(pieces.map(({ text }) => text).join("").length <= 42);
});
