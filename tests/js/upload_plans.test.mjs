/** Parts, speeds, clashes of names, dropped trees and interrupted uploads. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { listFiles, walkEntries } from "../../static/js/lib/dropped_files.js";
import { formatCount, formatProgress, formatSize, formatWait } from "../../static/js/lib/formatting.js";
import { InterruptedUploads, KEPT_MS, SILENCE_MS } from "../../static/js/lib/interrupted_uploads.js";
import { decideClashes, dropDoubles } from "../../static/js/lib/name_clashes.js";
import { Semaphore } from "../../static/js/lib/semaphore.js";
import { SpeedMeter } from "../../static/js/lib/speed_meter.js";
import { bytesOf, fingerprintOf, isSameFile, nextPart, planParts } from "../../static/js/lib/upload_parts.js";

test("parts cover a file without gaps, the last as long as what is left", () => {
  assert.deepEqual(planParts(25, 10), [
    { number: 1, start: 0, end: 10 },
    { number: 2, start: 10, end: 20 },
    { number: 3, start: 20, end: 25 },
  ]);
  assert.deepEqual(
    planParts(20, 10).map((part) => part.end),
    [10, 20],
  );
  assert.deepEqual(planParts(0, 10), []);
});

test("parts that are there are left out", () => {
  const parts = planParts(25, 10, [1, 3]);
  assert.deepEqual(
    parts.map((part) => part.number),
    [2],
  );
  assert.equal(bytesOf(parts), 10);
});

test("parts that go in order follow each other without a gap, up to the end of the file", () => {
  let received = 0;
  const sizes = [];
  for (let part = nextPart(0, 21, 8); part; part = nextPart(received, 21, 8)) {
    assert.equal(part.start, received);
    sizes.push(part.end - part.start);
    received = part.end;
  }
  assert.deepEqual(sizes, [8, 8, 5]);
  assert.equal(nextPart(21, 21, 8), null);
});

test("where no time is kept, a file is the same by its name and size", () => {
  assert.ok(isSameFile({ name: "a.zip", size: 5 }, { name: "a.zip", size: 5 }));
  assert.ok(!isSameFile({ name: "a.zip", size: 6 }, { name: "a.zip", size: 5 }));
  assert.ok(!isSameFile({ name: "b.zip", size: 5 }, { name: "a.zip", size: 5 }));
});

test("a file is told by its name, size and time", () => {
  const one = fingerprintOf({ name: "a", size: 1, lastModified: 5 });
  for (const other of [
    { name: "b", size: 1, lastModified: 5 },
    { name: "a", size: 2, lastModified: 5 },
    { name: "a", size: 1, lastModified: 6 },
  ]) {
    assert.notEqual(fingerprintOf(other), one);
  }
});

for (const [bytes, text] of [
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [4_200_000, "4.2 MB"],
  [104_857_600, "105 MB"],
  [3e12, "3.0 TB"],
]) {
  test(`${bytes} bytes are ${text}`, () => assert.equal(formatSize(bytes), text));
}

for (const [seconds, text] of [
  [2, "a few seconds"],
  [41, "45 s"],
  [100, "2 min"],
  [7800, "2 h 10 min"],
  [Infinity, ""],
]) {
  test(`${seconds} s are ${text}`, () => assert.equal(formatWait(seconds), text));
}

test("counts agree with their noun", () =>
  assert.deepEqual([formatCount(1, "file"), formatCount(1204, "file")], ["1 file", "1,204 files"]));

test("progress is told in the unit of the whole", () => {
  assert.equal(formatProgress(5, 12), "5 of 12 B");
  assert.equal(formatProgress(1_250_000_000, 5_000_000_000), "1.3 of 5.0 GB");
  assert.equal(formatProgress(0, 1500), "0.0 of 1.5 kB");
});

test("the speed is that of the last seconds", () => {
  const meter = new SpeedMeter(5000);
  assert.equal(meter.rate(0), 0);
  for (let second = 0; second <= 10; second += 1) meter.add(second < 5 ? 100 : 1000, second * 1000);
  assert.ok(Math.abs(meter.rate(10_000) - 1000) < 1, String(meter.rate(10_000)));
  meter.pause();
  assert.equal(meter.rate(11_000), 0);
});

test("a rate needs some time before it means anything", () => {
  const meter = new SpeedMeter();
  meter.add(1e6, 1000);
  assert.equal(meter.rate(1001), 0);
});

const files = ["a", "b", "c", "d"].map((name) => ({ name }));

test("free names are not asked about", async () => {
  const decided = await decideClashes(files, [], () => assert.fail("asked"));
  assert.deepEqual(
    decided.map((file) => file.ifExists),
    ["fail", "fail", "fail", "fail"],
  );
});

test("each taken name is asked about, with how many are left", async () => {
  const asked = [];
  const answers = ["replace", "skip", "keep-both"];
  const decided = await decideClashes(files, ["a", "b", "d"], async (file, left) => {
    asked.push([file.name, left]);
    return { choice: answers[asked.length - 1], forAll: false };
  });
  assert.deepEqual(asked, [
    ["a", 2],
    ["b", 1],
    ["d", 0],
  ]);
  assert.deepEqual(decided, [
    { name: "a", ifExists: "replace" },
    { name: "c", ifExists: "fail" },
    { name: "d", ifExists: "keep-both" },
  ]);
});

test("an answer for all is the last question", async () => {
  let asked = 0;
  const decided = await decideClashes(files, ["a", "b", "d"], async () => {
    asked += 1;
    return { choice: "skip", forAll: true };
  });
  assert.equal(asked, 1);
  assert.deepEqual(
    decided.map((file) => file.name),
    ["c"],
  );
});

test("closing the question uploads nothing", async () =>
  assert.equal(await decideClashes(files, ["c"], async () => null), null));

test("of files with one name the last goes up", () => {
  const doubles = [
    { name: "a", n: 1 },
    { name: "b", n: 2 },
    { name: "a", n: 3 },
  ];
  assert.deepEqual(
    dropDoubles(doubles)
      .map((file) => file.n)
      .sort(),
    [2, 3],
  );
});

/** What a browser hands out for a dropped file or folder; a folder's reader gives its entries in portions. */
function fileEntry(name) {
  return { name, isFile: true, file: (resolve) => resolve({ name }) };
}
function folderEntry(name, children, portion = 100) {
  const createReader = () => {
    let at = 0;
    const readEntries = (resolve) => {
      resolve(children.slice(at, at + portion));
      at += portion;
    };
    return { readEntries };
  };
  return { name, isFile: false, createReader };
}
const locked = { name: "locked", isFile: true, file: (_, reject) => reject(new Error("no right")) };

test("a dropped tree is walked to its end, whatever the portions", async () => {
  const many = Array.from({ length: 250 }, (_, n) => fileEntry(`${n}.txt`));
  const found = await walkEntries([
    fileEntry("top.txt"),
    folderEntry("photos", [...many, folderEntry("2024", [fileEntry("a.jpg")]), folderEntry("empty", [])]),
    locked,
  ]);
  assert.equal(found.files.length, 252);
  assert.ok(found.files.some(({ path }) => path === "photos/2024/a.jpg"));
  assert.ok(found.files.some(({ path }) => path === "photos/249.txt"));
  assert.deepEqual(found.folders, ["photos/empty/"]);
  assert.deepEqual(found.unreadable, ["locked"]);
});

test("a chosen folder keeps its paths", () => {
  const chosen = [
    { name: "a.jpg", webkitRelativePath: "photos/2024/a.jpg" },
    { name: "b.txt", webkitRelativePath: "" },
  ];
  assert.deepEqual(
    listFiles(chosen).map(({ path }) => path),
    ["photos/2024/a.jpg", "b.txt"],
  );
});

/** localStorage as a Map. */
function makeStorage() {
  const map = new Map();
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => map.set(key, value),
    removeItem: (key) => map.delete(key),
    map,
  };
}

test("an upload belongs to its page until that leaves, falls silent, or ends it", () => {
  let now = 0;
  const uploads = new InterruptedUploads(makeStorage(), () => now);
  uploads.note({ id: "u1", base: "/d/", name: "a", page: "p1" });
  uploads.note({ id: "u2", base: "/d/", name: "b", page: "p2" });
  assert.deepEqual(uploads.list("/d/"), []);
  uploads.leave("p1");
  assert.deepEqual(
    uploads.list("/d/").map((each) => each.id),
    ["u1"],
  );
  assert.deepEqual(uploads.list("/other/"), []);
  now += SILENCE_MS + 1;
  assert.deepEqual(
    uploads.list("/d/").map((each) => each.id),
    ["u1", "u2"],
  );
  // A page that stalls for as long does not take its own for another's.
  assert.deepEqual(
    uploads.list("/d/", "p2").map((each) => each.id),
    ["u1"],
  );
  uploads.note({ id: "u2", base: "/d/", name: "b", page: "p2" });
  uploads.forget("u1");
  assert.deepEqual(uploads.list("/d/"), []);
  now += KEPT_MS;
  assert.deepEqual(uploads.list("/d/"), []);
});

test("broken or forbidden storage is no storage", () => {
  const broken = {
    getItem: () => "{nonsense",
    setItem: () => {
      throw new Error("full");
    },
    removeItem: () => {},
  };
  const uploads = new InterruptedUploads(broken);
  uploads.note({ id: "u1", base: "/d/", page: "" });
  assert.deepEqual(uploads.list("/d/"), []);
});

test("slots go to who waits longest, and one who gives up loses the place", async () => {
  const slots = new Semaphore(1);
  assert.ok(slots.tryAcquire());
  assert.ok(!slots.tryAcquire());
  const order = [];
  const gone = new AbortController();
  const lost = assert.rejects(slots.acquire(gone.signal));
  const first = slots.acquire().then(() => order.push("first"));
  const second = slots.acquire().then(() => order.push("second"));
  gone.abort();
  slots.release();
  await first;
  slots.release();
  await second;
  await lost;
  assert.deepEqual(order, ["first", "second"]);
  slots.release();
  assert.ok(slots.tryAcquire());
});
