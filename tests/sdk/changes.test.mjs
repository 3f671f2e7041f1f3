/** The module for browsers, as an app has it: it follows a Base of the real server over a way that breaks. */

import assert from "node:assert/strict";
import net from "node:net";
import { after, test } from "node:test";

const { HOMEPORT_TEST_MODULE: path, HOMEPORT_TEST_URL: url, DETA_TEST_KEY: key } = process.env;
const { changes } = await import(path);
const base = `/v1/${key.split("_")[0]}/followed`;

const open = new Set();
const way = net.createServer((client) => {
  const server = net.connect(new URL(url).port, new URL(url).hostname);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ]) {
    open.add(one);
    one.on("error", () => {}).on("close", () => other.destroy());
    one.pipe(other);
  }
});
await new Promise((done) => way.listen(0, "127.0.0.1", done));
after(() => {
  way.close();
  cut();
});
const broken = `http://127.0.0.1:${way.address().port}${base}`;

function cut() {
  for (const each of open) each.destroy();
  open.clear();
}

async function send(method, path, body) {
  const headers = { "X-API-Key": key, "Content-Type": "application/json" };
  const answer = await fetch(url + base + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, await answer.text());
}

const put = (item) => send("PUT", "/items", { items: [item] });

test("changes come once and in their order, through connections that break", async () => {
  await put({ key: "a", n: 0 });
  const found = [];
  for await (const change of changes(broken, { key })) {
    found.push(change);
    if (found.length === 4) break;
    if (found.length === 3) await send("DELETE", "/items/a");
    else await put({ key: "a", n: found.length });
    cut();
  }
  assert.deepEqual(
    found.map((change) => change.value?.n ?? null),
    [0, 1, 2, null],
  );
  assert.deepEqual(Object.keys(found[0]).sort(), ["at", "by", "cursor", "key", "revision", "value"]);
  for await (const change of changes(url + base, { key, since: found[1].cursor, query: { "n?gte": 2 } })) {
    assert.deepEqual(change, found[2]);
    break;
  }
});

test("an end says why, and where to go on", async () => {
  const next = (options) => changes(url + base, { key, ...options }).next();
  await assert.rejects(next({ since: "999999.1" }), (error) => error.status === 410 && /^[0-9.]+$/.test(error.cursor));
  await assert.rejects(next({ key: `${key.slice(0, -1)}!` }), { status: 401, message: "Unauthorized" });
  await assert.rejects(next({ since: "x" }), { status: 400 });
  // Of another Base: what was just written may still come.
  const silent = changes(`${url}${base}-silent`, { key, since: "now", signal: AbortSignal.timeout(300) });
  await assert.rejects(silent.next(), { name: "TimeoutError" });
});
