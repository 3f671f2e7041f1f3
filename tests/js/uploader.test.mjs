/** The queue of uploads against a server that breaks off, forgets and refuses. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { FILES_AT_ONCE, PARTS_AT_ONCE, Uploader } from "../../static/js/lib/uploader.js";

const PART = 10;

class Fault extends Error {
  constructor(status, more = {}) {
    super(`status ${status}`);
    Object.assign(this, { status, ...more });
  }
}

/** A server in memory: what it got, and faults to come, in order, per kind of request. */
class FakeServer {
  uploads = new Map();
  log = [];
  faults = { sendWhole: [], start: [], sendPart: [], inspect: [], end: [], abort: [] };
  busy = 0;
  mostBusy = 0;

  #meet(kind, ...facts) {
    this.log.push([kind, ...facts].join(" "));
    const fault = this.faults[kind].shift();
    if (fault) throw fault;
  }

  async sendWhole(transfer, { onProgress, signal }) {
    onProgress(transfer.file.size);
    await new Promise((resolve) => setTimeout(resolve, 1));
    signal.throwIfAborted();
    this.#meet("sendWhole", transfer.wanted, transfer.ifExists);
    const parts = new Map([[1, await transfer.file.text()]]);
    this.uploads.set(`u${this.uploads.size + 1}`, { name: transfer.wanted, parts, ended: true });
    return { name: transfer.wanted };
  }

  async start(transfer) {
    this.#meet("start", transfer.wanted, transfer.ifExists);
    const id = `u${this.uploads.size + 1}`;
    this.uploads.set(id, { name: transfer.wanted, parts: new Map(), ended: false });
    return { id, name: transfer.wanted, partBytes: PART, there: [] };
  }

  async sendPart(id, number, blob, { onProgress, signal }) {
    this.busy += 1;
    this.mostBusy = Math.max(this.mostBusy, this.busy);
    try {
      onProgress(Math.floor(blob.size / 2));
      await new Promise((resolve) => setTimeout(resolve, 1));
      signal.throwIfAborted();
      this.#meet("sendPart", number);
      this.uploads.get(id).parts.set(number, await blob.text());
    } finally {
      this.busy -= 1;
    }
  }

  async inspect(id) {
    this.#meet("inspect");
    const upload = this.uploads.get(id);
    if (!upload) throw new Fault(404);
    return { there: [...upload.parts.keys()], ended: upload.ended };
  }

  async end(id) {
    const upload = this.uploads.get(id);
    upload.ended = true;
    this.#meet("end");
    return { name: upload.name };
  }

  async abort(id) {
    this.#meet("abort");
    this.uploads.delete(id);
  }

  content(id = "u1") {
    const { parts } = this.uploads.get(id);
    return [...parts.keys()]
      .sort((a, b) => a - b)
      .map((number) => parts.get(number))
      .join("");
  }
}

function makeFile(text, name = "a.txt") {
  return new File([text], name, { lastModified: 1 });
}

/** Resolves when every transfer has come to an end. */
function setUp({ onClash = async () => "skip", wholeBytes = -1 } = {}) {
  const server = new FakeServer();
  const waits = [];
  const seen = [];
  const ended = new Set(["done", "failed", "cancelled", "skipped"]);
  let settle;
  const transfers = [];
  const uploader = new Uploader({
    transport: server,
    wait: async (ms) => void waits.push(ms),
    onClash,
    wholeBytes,
    onChange: (transfer) => {
      seen.push(`${transfer.state} ${transfer.sent}`);
      if (transfers.length > 0 && transfers.every((each) => ended.has(each.state))) settle?.();
    },
  });
  return {
    server,
    waits,
    seen,
    uploader,
    add: (text, more = {}) => {
      const transfer = uploader.add({
        file: makeFile(text, more.name),
        name: more.name ?? "a.txt",
        ifExists: "fail",
        ...more,
      });
      transfers.push(transfer);
      return transfer;
    },
    settled: () =>
      new Promise((resolve) => {
        settle = resolve;
        if (transfers.every((each) => ended.has(each.state))) resolve();
      }),
  };
}

const LONG = "0123456789abcdefghijKLMNOPQRSTuvwxy";

test("a file goes up in parts and has its bytes in order", async () => {
  const { server, add, settled } = setUp();
  const transfer = add(LONG);
  await settled();
  assert.equal(transfer.state, "done");
  assert.equal(transfer.sent, LONG.length);
  assert.equal(server.content(), LONG);
});

test("an empty file is started and ended, without a part", async () => {
  const { server, add, settled } = setUp();
  const transfer = add("");
  await settled();
  assert.equal(transfer.state, "done");
  assert.deepEqual(server.log, ["start a.txt fail", "end"]);
});

test("after a broken connection only what is missing is sent", async () => {
  const { server, add, settled, waits } = setUp();
  server.faults.sendPart = [null, null, new Fault(0)];
  const transfer = add(LONG);
  await settled();
  assert.equal(transfer.state, "done");
  assert.equal(server.content(), LONG);
  assert.deepEqual(waits, [1000]);
  assert.equal(server.log.filter((line) => line.startsWith("start")).length, 1);
  const sent = server.log.filter((line) => line.startsWith("sendPart"));
  assert.ok(sent.length <= 6, sent.join());
  assert.equal(sent.filter((line) => line === "sendPart 1").length, 1);
});

test("a server that stays away is waited for, longer each time, and at once after progress", async () => {
  const { server, add, settled, waits } = setUp();
  server.faults.start = [new Fault(0), new Fault(503), new Fault(502)];
  server.faults.end = [new Fault(503, { retryAfterMs: 5000 })];
  const transfer = add("short");
  await settled();
  assert.equal(transfer.state, "done");
  assert.deepEqual(waits, [1000, 2000, 4000, 5000]);
});

test("an end whose answer got lost is asked for again, not uploaded again", async () => {
  const { server, add, settled } = setUp();
  server.faults.end = [new Fault(0)];
  add(LONG);
  await settled();
  assert.equal(server.log.filter((line) => line.startsWith("sendPart")).length, 4);
  assert.equal(server.log.filter((line) => line === "end").length, 2);
});

test("an upload that the server has forgotten begins anew", async () => {
  const { server, add, settled } = setUp();
  server.faults.sendPart = [new Fault(0)];
  server.faults.inspect = [new Fault(404)];
  const transfer = add("short");
  await settled();
  assert.equal(transfer.state, "done");
  assert.equal(server.content("u2"), "short");
});

test("what waiting does not cure fails with its reason, and can be tried again", async () => {
  const { server, add, settled, uploader } = setUp();
  server.faults.start = [new Fault(403)];
  const transfer = add("short");
  await settled();
  assert.equal(transfer.state, "failed");
  assert.equal(transfer.message, "status 403");
  uploader.retry(transfer);
  await settled();
  assert.equal(transfer.state, "done");
});

test("a retry sends only what is missing", async () => {
  const { server, add, settled, uploader } = setUp();
  server.faults.end = [new Fault(507)];
  const transfer = add(LONG);
  await settled();
  assert.equal(transfer.state, "failed");
  server.uploads.get("u1").ended = false;
  uploader.retry(transfer);
  await settled();
  assert.equal(transfer.state, "done");
  assert.equal(server.log.filter((line) => line.startsWith("sendPart")).length, 4);
});

test("cancelling stops the parts and lets the server forget", async () => {
  const { server, add, settled, uploader } = setUp();
  const transfer = add(LONG.repeat(20));
  await new Promise((resolve) => setTimeout(resolve, 5));
  await uploader.cancel(transfer);
  await settled();
  assert.equal(transfer.state, "cancelled");
  assert.equal(transfer.sent, 0);
  assert.equal(server.uploads.size, 0);
  const sent = server.log.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(server.log.length, sent);
});

test("a cancel before the server has given an id leaves nothing there", async () => {
  const { server, add, settled, uploader } = setUp();
  const transfer = add(LONG);
  await uploader.cancel(transfer);
  await settled();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(server.uploads.size, 0);
});

test("no more than so many files and parts are under way at once", async () => {
  const { server, add, settled, uploader } = setUp();
  void uploader;
  const transfers = Array.from({ length: 8 }, (_, n) => add(LONG, { name: `${n}.txt` }));
  assert.equal(transfers.filter((each) => each.state === "sending").length, FILES_AT_ONCE);
  await settled();
  assert.ok(server.mostBusy <= PARTS_AT_ONCE, String(server.mostBusy));
  assert.ok(server.mostBusy > 1);
  assert.ok(transfers.every((each) => each.state === "done"));
});

for (const [choice, state, starts] of [
  ["replace", "done", 2],
  ["keep-both", "done", 2],
  ["skip", "skipped", 1],
]) {
  test(`a name taken in the meantime is asked about: ${choice}`, async () => {
    const { server, add, settled } = setUp({ onClash: async () => choice });
    server.faults.start = [new Fault(409, { isClash: true })];
    const transfer = add("short");
    await settled();
    assert.equal(transfer.state, state);
    assert.equal(server.log.filter((line) => line.startsWith("start")).length, starts);
    if (starts === 2) assert.ok(server.log.includes(`start a.txt ${choice}`));
  });
}

test("one that fails leaves the others alone", async () => {
  const { server, add, settled } = setUp();
  server.faults.start = [null, new Fault(400)];
  const transfers = ["1.txt", "2.txt", "3.txt"].map((name) => add("x", { name }));
  await settled();
  assert.deepEqual(
    transfers.map((each) => each.state),
    ["done", "failed", "done"],
  );
});

test("a small file goes in one request, and again after a broken connection", async () => {
  const { server, add, settled, waits } = setUp({ wholeBytes: 10 });
  server.faults.sendWhole = [new Fault(0)];
  const transfer = add("short");
  const long = add(LONG, { name: "b.txt" });
  await settled();
  assert.deepEqual([transfer.state, long.state, transfer.sent], ["done", "done", 5]);
  assert.deepEqual(waits, [1000]);
  assert.equal(server.log.filter((line) => line === "sendWhole a.txt fail").length, 2);
  assert.equal(server.log.filter((line) => line.startsWith("start")).join(), "start b.txt fail");
});

test("an upload of an earlier page goes on where that stopped", async () => {
  const { server, add, settled } = setUp();
  server.uploads.set("old", {
    name: "a.txt",
    parts: new Map([
      [1, LONG.slice(0, 10)],
      [3, LONG.slice(20, 30)],
    ]),
    ended: false,
  });
  const transfer = add(LONG, { uploadId: "old", partBytes: PART });
  await settled();
  assert.equal(transfer.state, "done");
  assert.deepEqual(server.log.sort(), ["end", "inspect", "sendPart 2", "sendPart 4"]);
  assert.equal(server.content("old"), LONG);
});

for (const status of [400, 422]) {
  test(`an upload that the server finds wrong (${status}) begins anew when it is tried again`, async () => {
    const { server, add, settled, uploader } = setUp();
    server.faults.end = [new Fault(status)];
    const transfer = add(LONG);
    await settled();
    assert.equal(transfer.state, "failed");
    uploader.retry(transfer);
    await settled();
    assert.equal(transfer.state, "done");
    assert.equal(server.log.filter((line) => line.startsWith("start")).length, 2);
  });
}
