/** Server-sent events, cut anywhere on their way. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { createEventReader } from "../../static/js/lib/event_stream.js";

const TEXT =
  'retry: 2000\nid: 5.1\n\n: \nid: 5.2\n\nid: 5.3\ndata: {"a":": 1"}\n\nevent: end\ndata: x\ndata:y\n\nid: 5.4\n\n';
const EVENTS = [
  { event: "message", data: '{"a":": 1"}' },
  { event: "end", data: "x\ny" },
];

test("events are read wherever the text is cut", () => {
  for (let at = 0; at <= TEXT.length; at += 1) {
    const reader = createEventReader();
    assert.deepEqual([...reader.read(TEXT.slice(0, at)), ...reader.read(TEXT.slice(at))], EVENTS);
    assert.equal(reader.place(), "5.4");
  }
});

test("a place comes without an event too, and an event that is not whole waits", () => {
  const reader = createEventReader();
  assert.deepEqual([reader.place(), reader.read("id: 7\n\ndata: 1\n"), reader.place()], [null, [], "7"]);
  assert.deepEqual(reader.read("\r\n"), [{ event: "message", data: "1" }]);
});
