/** A Drive's names as paths, and the addresses of its pages. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  canMoveInto,
  faultOfLabel,
  folderOf,
  isFolder,
  labelOf,
  relabel,
  stemEnd,
  unturned,
} from "../../static/js/lib/drive_paths.js";
import { fileUrl, isSameList, readRoute, routeUrl } from "../../static/js/lib/drive_urls.js";

for (const [name, folder, label] of [
  ["b.txt", "", "b.txt"],
  ["a/b.txt", "a/", "b.txt"],
  ["a/b/", "a/", "b"],
  ["a/", "", "a"],
  ["/lead", "/", "lead"],
  ["a//b", "a//", "b"],
  ["a//", "a/", ""],
  ["../x", "../", "x"],
]) {
  test(`${name} is ${label} in ${folder || "the top"}`, () =>
    assert.deepEqual([folderOf(name), labelOf(name)], [folder, label]));
}

test("a file and a folder keep their place under another label", () => {
  assert.equal(relabel("a/b.txt", "c.txt"), "a/c.txt");
  assert.equal(relabel("a/b/", "c"), "a/c/");
  assert.ok(isFolder("a/"));
  assert.ok(!isFolder("a"));
});

for (const [label, end] of [
  ["photo.jpg", 5],
  ["a.tar.gz", 5],
  [".env", 4],
  ["README", 6],
]) {
  test(`a rename of ${label} selects ${label.slice(0, end)}`, () => assert.equal(stemEnd(label), end));
}

for (const [label, folder, fault] of [
  ["photo.jpg", "", /^$/],
  ["…'\"<b>%#?&+", "", /^$/],
  ["", "", /at least one/],
  ["   ", "", /at least one/],
  ["a\nb", "", /control/],
  ["a\u0085b", "", /control/],
  ["a/", "", /slash/],
  ["x".repeat(1024), "", /^$/],
  ["x".repeat(1025), "", /1,025 bytes/],
  ["é".repeat(512), "a/", /1,026 bytes/],
]) {
  test(`the label ${JSON.stringify(label.slice(0, 12))} is judged`, () =>
    assert.match(faultOfLabel(label, folder), fault));
}

for (const [name, target, can] of [
  ["a/b.txt", "", true],
  ["a/b.txt", "a/", false],
  ["a/", "a/", false],
  ["a/", "a/b/", false],
  ["a/", "", false],
  ["a/b/", "", true],
  ["ab/", "a/", true],
]) {
  test(`${name} ${can ? "can" : "cannot"} be moved to ${target || "the top"}`, () =>
    assert.equal(canMoveInto(name, target), can));
}

test("a route survives its address, odd names included", () => {
  for (const folder of ["", "a/", "//", "../", "50% & more/#1?/", "a+b/", "‮rtl/"]) {
    const route = { folder, sort: "-size", q: "x&y", file: `${folder}ü "q".png` };
    assert.deepEqual(readRoute(new URL(routeUrl("/d/", route), "http://h").search), route);
  }
});

test("the plain page has a plain address", () => {
  assert.equal(routeUrl("/d/", { folder: "", sort: "", q: "", file: "" }), "/d/");
  assert.equal(
    routeUrl("/d/rows/", { folder: "a/", sort: "", q: "", file: "" }, { last: "b" }),
    "/d/rows/?folder=a%2F&last=b",
  );
  assert.equal(fileUrl("/d/", "file", "a b/#?.txt"), "/d/file/?name=a%20b%2F%23%3F.txt");
});

test("a preview does not make it another list", () => {
  const route = readRoute("?folder=a/&file=a/b");
  assert.ok(isSameList(route, { ...route, file: "" }));
  assert.ok(!isSameList(route, { ...route, sort: "size" }));
});

test("marks that turn letters round are spelled out, right-to-left letters are not", () => {
  assert.equal(unturned("\u202egnp.exe"), "[U+202E]gnp.exe");
  assert.equal(unturned("\u05e9\u05dc\u05d5\u05dd.txt"), "\u05e9\u05dc\u05d5\u05dd.txt");
});
