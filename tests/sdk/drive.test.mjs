// The published JavaScript client's Drive, unmodified, against this server. It is pointed here by the environment
// variables DETA_DRIVE_HOST and NODE_EXTRA_CA_CERTS alone; DETA_TEST_KEY is the data key of an empty collection.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { Deta } from "deta";

const PROJECT_KEY = process.env.DETA_TEST_KEY;
const MB = 1024 * 1024;
let drives = 0;

function newDrive() {
  drives += 1;
  return Deta(PROJECT_KEY).Drive(`drive-${drives}`);
}

// The client throws plain errors whose message is all a caller has to go by.
async function message(promise) {
  const error = await promise.then(
    () => assert.fail("it succeeded"),
    (reason) => reason,
  );
  assert.ok(error instanceof Error);
  return error.message;
}

const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

async function bytesOf(drive, name) {
  const blob = await drive.get(name);
  assert.notEqual(blob, null, `${name} is not there`);
  return Buffer.from(await blob.arrayBuffer());
}

describe("put and get", () => {
  const drive = newDrive();
  let folder;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "homeport-drive-"));
  });
  after(() => rm(folder, { recursive: true }));

  test("a string", async () => {
    assert.equal(await drive.put("hello.txt", { data: "Hello, world!" }), "hello.txt");
    assert.equal((await bytesOf(drive, "hello.txt")).toString(), "Hello, world!");
  });

  test("a Uint8Array", async () => {
    await drive.put("array.bin", { data: new Uint8Array([0, 1, 254, 255]) });
    assert.deepEqual([...(await bytesOf(drive, "array.bin"))], [0, 1, 254, 255]);
  });

  test("an empty buffer, which is an upload without parts", async () => {
    assert.equal(await drive.put("empty", { data: Buffer.alloc(0) }), "empty");
    assert.equal((await bytesOf(drive, "empty")).length, 0);
  });

  const sizes = [
    ["1 byte", 1],
    ["a byte less than a part", 10 * MB - 1],
    ["exactly 10 MB", 10 * MB],
    ["a byte more than a part", 10 * MB + 1],
    ["exactly 20 MB", 20 * MB],
    ["25 MB", 25 * MB],
  ];
  for (const [name, size] of sizes) {
    test(`a buffer of ${name}`, async () => {
      const data = randomBytes(size);
      assert.equal(await drive.put("sized.bin", { data }), "sized.bin");
      assert.equal(digest(await bytesOf(drive, "sized.bin")), digest(data));
    });
  }

  for (const [name, size] of [
    ["exactly 10 MB", 10 * MB],
    ["25 MB", 25 * MB],
  ]) {
    test(`a path to a file of ${name}`, async () => {
      const path = join(folder, "file.bin");
      const data = randomBytes(size);
      await writeFile(path, data);
      assert.equal(await drive.put("from/path.bin", { path }), "from/path.bin");
      assert.equal(digest(await bytesOf(drive, "from/path.bin")), digest(data));
    });
  }

  test("overwrites what was there", async () => {
    await drive.put("again", { data: "first" });
    await drive.put("again", { data: "second one" });
    assert.equal((await bytesOf(drive, "again")).toString(), "second one");
  });

  test("the content type it is given, or the client's own", async () => {
    await drive.put("page", { data: "<p>", contentType: "text/html" });
    assert.equal((await drive.get("page")).type, "text/html");
    await drive.put("page", { data: "<p>" });
    assert.equal((await drive.get("page")).type, "binary/octet-stream");
  });

  test("many at once", async () => {
    const names = Array.from({ length: 20 }, (_, n) => `many/${n}`);
    await Promise.all(names.map((name) => drive.put(name, { data: `I am ${name}` })));
    for (const name of names) assert.equal((await bytesOf(drive, name)).toString(), `I am ${name}`);
  });

  test("null for a file that is not there", async () => {
    assert.equal(await drive.get("none"), null);
    assert.equal(await newDrive().get("none"), null);
  });

  test("refuses a name that is none", async () => {
    assert.equal(await message(drive.put("folder/", { data: "x" })), "Bad file name");
    assert.equal(await message(drive.put("line\nbreak", { data: "x" })), "Bad file name");
    assert.equal(await message(drive.put("n".repeat(1025), { data: "x" })), "Bad file name");
  });
});

describe("odd names", () => {
  const names = [
    "with spaces.txt",
    "a/b/c",
    "/lead",
    "a//b",
    "../x",
    "50%",
    "%2F",
    "100%25",
    "a+b&c=d?e#f",
    "$& $1 :name",
    "ünïcödé",
    "漢字/🎈",
    'quote\'s "double"',
    "n".repeat(1024),
  ];
  const drive = newDrive();

  for (const name of names) {
    test(`round-trip ${JSON.stringify(name).slice(0, 40)}`, async () => {
      assert.equal(await drive.put(name, { data: `I am ${encodeURIComponent(name)}` }), name);
      assert.equal((await bytesOf(drive, name)).toString(), `I am ${encodeURIComponent(name)}`);
    });
  }

  test("are listed by bytes and deleted", async () => {
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(await drive.list(), { names: sorted });
    assert.deepEqual(await drive.deleteMany(names), { deleted: names });
    assert.deepEqual(await drive.list(), { names: [] });
  });
});

describe("list", () => {
  const drive = newDrive();
  const names = ["a", "child-x", "child/a", "child/b/c", "child/b/d", "other/e", "z z", "é"];

  before(() => Promise.all(names.map((name) => drive.put(name, { data: "x" }))));

  test("everything", async () => {
    assert.deepEqual(await drive.list(), { names });
  });
  test("nothing in a Drive that does not exist", async () => {
    assert.deepEqual(await newDrive().list(), { names: [] });
  });
  test("a prefix", async () => {
    assert.deepEqual(await drive.list({ prefix: "child/" }), { names: ["child/a", "child/b/c", "child/b/d"] });
    assert.deepEqual(await drive.list({ prefix: "é" }), { names: ["é"] });
    assert.deepEqual(await drive.list({ prefix: "z " }), { names: ["z z"] });
    assert.deepEqual(await drive.list({ prefix: "none" }), { names: [] });
  });
  test("folders once, without recursion", async () => {
    assert.deepEqual(await drive.list({ recursive: false }), {
      names: ["a", "child-x", "child/", "other/", "z z", "é"],
    });
    assert.deepEqual(await drive.list({ recursive: false, prefix: "child/" }), { names: ["child/a", "child/b/"] });
    assert.deepEqual(await drive.list({ recursive: false, prefix: "child" }), { names: ["child-x", "child/"] });
  });

  for (const recursive of [true, false]) {
    test(`page by page, recursive: ${recursive}`, async () => {
      const { names: wanted } = await drive.list({ recursive });
      const found = [];
      let last;
      do {
        const page = await drive.list({ recursive, limit: 2, last });
        found.push(...page.names);
        assert.ok(page.names.length <= 2);
        if (page.paging) assert.deepEqual(page.paging, { size: 2, last: page.names.at(-1) });
        last = page.paging?.last;
      } while (last);
      assert.deepEqual(found, wanted);
    });
  }

  test("refuses a limit below 1", async () => {
    assert.equal(await message(drive.list({ limit: 0 })), "Bad limit");
  });
});

describe("delete", () => {
  const drive = newDrive();

  test("one file", async () => {
    await drive.put("one", { data: "x" });
    assert.equal(await drive.delete("one"), "one");
    assert.equal(await drive.get("one"), null);
    assert.equal(await drive.delete("one"), "one");
  });
  test("many files", async () => {
    for (const name of ["a", "b", "c"]) await drive.put(name, { data: "x" });
    assert.deepEqual(await drive.deleteMany(["a", "c", "none"]), { deleted: ["a", "c", "none"] });
    assert.deepEqual(await drive.list(), { names: ["b"] });
  });
  test("tells which names are invalid", async () => {
    assert.deepEqual(await drive.deleteMany(["b", "b/"]), { deleted: ["b"], failed: { "b/": "invalid name" } });
    assert.equal(await message(drive.deleteMany(["b/"])), "Names can't be empty");
  });
});

describe("a key that may only read", () => {
  const drive = newDrive();
  const reading = Deta(process.env.DETA_TEST_READ_KEY).Drive(`drive-${drives}`);

  test("reads and lists, and writes nothing", async () => {
    await drive.put("f", { data: "x" });
    assert.equal((await bytesOf(reading, "f")).toString(), "x");
    assert.deepEqual(await reading.list(), { names: ["f"] });
    assert.equal(await message(reading.put("g", { data: "x" })), "Forbidden");
    assert.equal(await message(reading.delete("f")), "Forbidden");
    assert.deepEqual(await drive.list(), { names: ["f"] });
  });
});

test("a key that is not known is told so", async () => {
  const drive = Deta(`${PROJECT_KEY.split("_")[0]}_${"x".repeat(32)}`).Drive("drive");
  assert.equal(await message(drive.list()), "Unauthorized");
  assert.equal(await message(drive.put("f", { data: "x" })), "Unauthorized");
});
