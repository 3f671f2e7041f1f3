/** What is packed is what `tar` unpacks. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { packTar } from "../../static/js/lib/tar.js";

const LONG = `${"folder/".repeat(20)}file with a long name.txt`;

async function unpack(files) {
  const folder = mkdtempSync(join(tmpdir(), "tar-"));
  const blob = packTar(files.map(({ path, text }) => ({ path, file: new Blob([text]) })));
  assert.equal(blob.size % 512, 0);
  writeFileSync(join(folder, "made.tar"), Buffer.from(await blob.arrayBuffer()));
  execFileSync("tar", ["-xf", "made.tar"], { cwd: folder, env: { ...process.env, LC_ALL: "C.UTF-8" } });
  return (path) => readFileSync(join(folder, path), "utf-8");
}

for (const [name, path] of [
  ["a plain name", "main.py"],
  ["a folder", "a/b/c.txt"],
  ["a name of 100 bytes", "x".repeat(100)],
  ["a name of 101 bytes", "x".repeat(101)],
  ["a long path", LONG],
  ["a name that is not ASCII", "ünï/cöde 😀.txt"],
]) {
  test(`a file with ${name} comes out as it went in`, async () => {
    const read = await unpack([{ path, text: "content ü" }]);
    assert.equal(read(path), "content ü");
  });
}

for (const bytes of [0, 1, 511, 512, 513, 100_000]) {
  test(`a file of ${bytes} bytes is whole, and the next one too`, async () => {
    const read = await unpack([
      { path: "first", text: "a".repeat(bytes) },
      { path: "second", text: "b" },
    ]);
    assert.equal(read("first"), "a".repeat(bytes));
    assert.equal(read("second"), "b");
  });
}
