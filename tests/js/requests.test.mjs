/** Requests of the pages' scripts: what is sent along, and what each kind of answer becomes. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import {
  describeStatus,
  isInvalid,
  RequestError,
  requestJson,
  sendRequest,
  withQuery,
} from "../../static/js/lib/requests.js";

let sent;
let cookie;
let answer;
const fetchOfNode = globalThis.fetch;

beforeEach(() => {
  sent = null;
  answer = () => new Response('{"ok":true}');
  cookie = "a=1; csrftoken=fromcookie; b=2";
  globalThis.document = {
    get cookie() {
      return cookie;
    },
    body: { getAttribute: () => '{"X-CSRFToken": "frompage"}' },
  };
  globalThis.fetch = async (url, options) => {
    sent = { url, ...options };
    return answer();
  };
});

afterEach(() => {
  globalThis.fetch = fetchOfNode;
  delete globalThis.document;
});

async function failure(status, body = "", headers = {}) {
  answer = () => new Response(body, { status, headers });
  return assert.rejects(requestJson("/x"), RequestError).then(() => requestJson("/x").catch((error) => error));
}

test("over https the token is that of https, with the one of http beside it", async () => {
  cookie = "csrftoken=plain; __Host-csrftoken=encrypted";
  await requestJson("/x");
  assert.equal(sent.headers["X-CSRFToken"], "encrypted");
});

test("JSON goes there and comes back, with the token of the moment", async () => {
  assert.deepEqual(await requestJson("/x", { method: "POST", json: { a: 1 } }), { ok: true });
  assert.equal(sent.body, '{"a":1}');
  assert.deepEqual(sent.headers, {
    "X-CSRFToken": "fromcookie",
    "X-Requested-With": "fetch",
    Accept: "application/json",
    "Content-Type": "application/json",
  });
  cookie = "";
  await requestJson("/x");
  assert.equal(sent.headers["X-CSRFToken"], "frompage");
  assert.equal("Content-Type" in sent.headers, false);
});

test("a body that is no JSON keeps its own type", async () => {
  await requestJson("/x", { method: "POST", body: "a,b", headers: { "Content-Type": "text/plain" } });
  assert.deepEqual([sent.body, sent.headers["Content-Type"]], ["a,b", "text/plain"]);
});

test("what the server says is wrong is the message", async () => {
  const error = await failure(400, '{"errors":["`to` is not a text","and more"],"taken":["a"]}');
  assert.deepEqual(
    [error.status, error.message, error.messages],
    [400, "`to` is not a text", ["`to` is not a text", "and more"]],
  );
  assert.deepEqual(error.body.taken, ["a"]);
});

for (const body of ["", "<html>", "null", "[]", '{"error":"old"}', '{"errors":"no list"}', '{"errors":[]}']) {
  test(`a failure with the body ${body || "of nothing"} is told by its status`, async () => {
    const error = await failure(507, body);
    assert.deepEqual([error.message, error.messages, error.text], [describeStatus(507), [], body]);
  });
}

test("Retry-After comes along", async () =>
  assert.equal((await failure(503, "", { "Retry-After": "7" })).retryAfterMs, 7000));

test("no answer has status 0, an aborted request stays one", async () => {
  answer = () => Promise.reject(new TypeError("fetch failed"));
  assert.equal((await requestJson("/x").catch((error) => error)).status, 0);
  answer = () => Promise.reject(new DOMException("stopped", "AbortError"));
  assert.equal((await requestJson("/x").catch((error) => error)).name, "AbortError");
});

test("an answer that breaks off is none", async () => {
  answer = () =>
    new Response(new ReadableStream({ pull: (controller) => controller.error(new TypeError("terminated")) }));
  assert.equal((await requestJson("/x").catch((error) => error)).status, 0);
});

for (const [where, status] of [
  ["/sign-in/?next=/", 401],
  ["/below/a/sign-in/?next=/below/a/", 401],
  ["/sign-in/more/", "good"],
]) {
  test(`an answer from ${where} after a redirect is ${status}`, async () => {
    answer = () =>
      Object.defineProperties(new Response("<form>"), {
        redirected: { value: true },
        url: { value: `http://h${where}` },
      });
    const told = await sendRequest("/x").then(
      () => "good",
      (fault) => fault.status,
    );
    assert.equal(told, status);
  });
}

test("only what was sent wrongly is invalid", () => {
  assert.deepEqual(
    [0, 200, 400, 401, 404, 409, 413, 422, 500].filter((status) => isInvalid({ status })),
    [400, 422],
  );
});

for (const [status, word] of [
  [0, "does not answer"],
  [401, "signed out"],
  [403, "refused"],
  [404, "does not exist"],
  [503, "may or may not be saved"],
  [507, "disk"],
  [500, "(500)"],
]) {
  test(`status ${status} is put in words`, () => assert.ok(describeStatus(status).includes(word)));
}

test("a fault is told with what the log calls the request", () => {
  assert.ok(describeStatus(500, "ab12").endsWith("See the server's log: request ab12."));
  assert.ok(describeStatus(500).endsWith("See the server's log."));
});

test("a query holds what is not empty", () => {
  assert.equal(withQuery("/x", { a: "1 2", b: "", c: null, d: ["x", "y"], e: undefined }), "/x?a=1+2&d=x&d=y");
  assert.equal(withQuery("/x", { a: "" }), "/x");
});
