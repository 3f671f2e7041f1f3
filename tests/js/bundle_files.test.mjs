/** What of a folder is deployed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseFiles, findRuntime, isLeftOut, readDeclaredName } from "../../static/js/lib/bundle_files.js";

const paths = (...names) => names.map((path) => ({ path }));
const chosen = (...names) => chooseFiles(paths(...names)).map(({ path }) => path);

test("the folder that holds everything is no part of the paths", () => {
  assert.deepEqual(chosen("app/main.py", "app/lib/a.py"), ["main.py", "lib/a.py"]);
});

test("files beside each other keep their paths", () => {
  assert.deepEqual(chosen("main.py", "lib/a.py"), ["main.py", "lib/a.py"]);
});

test("what a package manager makes, and what begins with a dot, stays out", () => {
  assert.deepEqual(
    chosen("app/main.py", "app/.env", "app/.git/config", "app/node_modules/x/index.js", "app/lib/__pycache__/a.pyc"),
    ["main.py"],
  );
});

test("a virtual environment is known by its file, whatever it is called", () => {
  assert.deepEqual(chosen("app/main.py", "app/my own/pyvenv.cfg", "app/my own/bin/python"), ["main.py"]);
});

for (const [runtime, names] of [
  ["Python", ["main.py"]],
  ["Python, with requirements.txt", ["main.py", "requirements.txt"]],
  ["Node.js", ["index.js"]],
  ["Node.js, with package.json", ["server.js", "package.json"]],
  ["as its Spacefile says", ["Spacefile", "back/main.py"]],
  ["Python", ["Spacefile", "deta.json", "main.py"]],
  ["", ["app/main.py", "b.txt"]],
]) {
  test(`${names.join(" and ")} is run by ${runtime || "nothing"}`, () => {
    assert.equal(findRuntime(paths(...names)), runtime);
  });
}

test("a folder that stays out need not be looked into", () => {
  assert.equal(isLeftOut("app/node_modules"), true);
  assert.equal(isLeftOut("app/src"), false);
});

for (const [name, text] of [
  ["Guest book", '\ufeff{"name": " Guest book "}'],
  ["", '{"name": 7}'],
  ["", "null"],
  ["", "{"],
]) {
  test(`${JSON.stringify(text)} names its app “${name}”`, () => assert.equal(readDeclaredName(text), name));
}
