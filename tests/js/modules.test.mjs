/** What holds of all scripts of the pages: in which direction they import, that all of them is used, and that buttons do something. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const modules = readAll("static/js", ".js");
const scripts = [...modules.values()].join("\n");
const templates = [...readAll("templates", ".html").values()].join("\n");

function readAll(folder, ending) {
  const names = readdirSync(join(ROOT, folder), { recursive: true }).filter((name) => name.endsWith(ending));
  return new Map(names.map((name) => [normalize(name), readFileSync(join(ROOT, folder, name), "utf8")]));
}

function importsOf(name) {
  const found = modules.get(name).matchAll(/(?:from|import) "(\.[^"]+)"/g);
  return [...found].map(([, path]) => normalize(join(dirname(name), path)));
}

function all(text, pattern) {
  return [...text.matchAll(pattern)].map(([, found]) => found);
}

test("lib imports nothing from pages", () => {
  const upwards = [...modules.keys()].filter(
    (name) => name.startsWith("lib") && importsOf(name).some((other) => !other.startsWith("lib")),
  );
  assert.deepEqual(upwards, []);
});

test("no modules import each other in a circle", () => {
  const ended = new Set();
  const visit = (name, way) => {
    assert.ok(!way.includes(name), [...way, name].join(" -> "));
    if (ended.has(name)) return;
    for (const other of importsOf(name)) visit(other, [...way, name]);
    ended.add(name);
  };
  for (const name of modules.keys()) visit(name, []);
});

test("what a module exports is used by another one, or by a test", () => {
  const tests = [...readAll("tests/js", ".mjs").values()].join("\n");
  const unused = [];
  for (const [name, text] of modules) {
    const others = [...modules].filter(([other]) => other !== name).map(([, each]) => each);
    for (const [, exported] of text.matchAll(/^export (?:async )?(?:function|class|const|let) (\w+)/gm)) {
      if (![tests, ...others].some((each) => new RegExp(`\\b${exported}\\b`).test(each)))
        unused.push(`${name}: ${exported}`);
    }
  }
  assert.deepEqual(unused, []);
});

/** The names of the commands that a module adds: the first level of each object that it hands over. */
function commandsAddedBy(text) {
  const names = [];
  const name = /(?<=[\s,{])"?([a-z][a-z-]*)"?(?=[:,}( ])/y;
  for (const { index, 0: opening } of text.matchAll(/addCommands\(\{/g)) {
    let level = 1;
    for (let at = index + opening.length; level > 0; at += 1) {
      name.lastIndex = at;
      if (level === 1) names.push(name.exec(text)?.[1]);
      level += { "{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1 }[text[at]] ?? 0;
    }
  }
  return names;
}

test("every command that a button or a key names is one", () => {
  const added = new Set([...modules.values()].flatMap(commandsAddedBy));
  const named = [
    ...all(templates, /data-command="([^"]+)"/g),
    ...all(scripts, /"data-command": "([^"]+)"/g),
    ...all(scripts, /\brunCommand\(\s*"([^"]+)"/g),
  ];
  assert.ok(named.length > 50, String(named.length));
  assert.deepEqual(
    named.filter((name) => !added.has(name)),
    [],
  );
});
