/** What the page that describes the API sends. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { buildRequest, collectionOf, isText } from "../../static/js/lib/api_requests.js";

const ITEM = "/{collection_id}/{name}/items/{key}";

test("the collection stands before the underscore of a key", () => {
  assert.deepEqual(["a0b1c2d3e4_secret", " a0b1c2d3e4_secret\n", "a0b1c2d3e4", "a0b1c2d3e4_", ""].map(collectionOf), [
    "a0b1c2d3e4",
    "a0b1c2d3e4",
    "",
    "",
    "",
  ]);
});

test("what is typed is encoded, what is left empty stays away", () => {
  const asked = {
    server: "/below/v1",
    path: ITEM,
    inPath: { collection_id: "a0b1c2d3e4", name: "people", key: "a/b ü?&%" },
    fields: [
      { name: "limit", place: "query", value: "10" },
      { name: "last", place: "query", value: "" },
      { name: "prefix", place: "query", value: "a+b&c" },
      { name: "If-Match", place: "header", value: '"17"' },
      { name: "Range", place: "header", value: "" },
    ],
    dataKey: " a0b1c2d3e4_secret ",
  };
  assert.deepEqual(buildRequest(asked), {
    url: "/below/v1/a0b1c2d3e4/people/items/a%2Fb%20%C3%BC%3F%26%25?limit=10&prefix=a%2Bb%26c",
    headers: { "If-Match": '"17"', "X-API-Key": "a0b1c2d3e4_secret" },
  });
});

test("without a key no header is sent", () => {
  const request = { server: "/v1", path: "/openapi.json", inPath: {}, fields: [], dataKey: "" };
  assert.deepEqual(buildRequest(request), { url: "/v1/openapi.json", headers: {} });
});

for (const key of [".", ".."]) {
  test(`a key of ${key} is said to be impossible`, () => {
    assert.throws(() => buildRequest({ server: "", path: ITEM, inPath: { key }, fields: [], dataKey: "" }), /dots/);
  });
}

test("text is shown, other bytes are not", () => {
  assert.deepEqual(
    [
      "application/json",
      "text/html; charset=utf-8",
      "application/xml",
      "image/svg+xml",
      "application/octet-stream",
      "",
    ].map(isText),
    [true, true, true, false, false, false],
  );
});
