// What a Micro prints: each line that is printed for a request is marked with the request's id.
//
// A line on descriptor 1 or 2 is `<text>` or, during a request, `\x1e<id>\x1f<text>`. Who prints is known by an
// AsyncLocalStorage, which promises, timers and callbacks inherit.
"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");

const PARTIAL_MAX_CHARACTERS = 65_536; // of a line that does not end
const ID = /^[0-9A-Za-z-]{1,64}$/;

const requests = new AsyncLocalStorage();
const partials = new Map([
  [process.stdout, new Map()],
  [process.stderr, new Map()],
]);
const writers = new Map();

function marked(id, lines) {
  const mark = id ? `\x1e${id}\x1f` : "";
  return lines.map((line) => `${mark}${line}\n`).join("");
}

/** Replace what `process.stdout` and `process.stderr` write, before anything of the app can keep a hold of it. */
function takeOver() {
  for (const [stream, partial] of partials) {
    const write = stream.write.bind(stream);
    writers.set(stream, write);
    stream.write = (chunk, encoding, done) => {
      const whenDone = typeof encoding === "function" ? encoding : done;
      const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      const id = currentId();
      const lines = ((partial.get(id) ?? "") + text).split("\n");
      partial.delete(id);
      const rest = lines.pop();
      if (rest.length > PARTIAL_MAX_CHARACTERS) lines.push(rest);
      else if (rest) partial.set(id, rest);
      if (lines.length) return write(marked(id, lines), whenDone);
      if (whenDone) process.nextTick(whenDone);
      return true;
    };
  }
}

/** Print what was begun for a request without ending the line. */
function endLine(id) {
  for (const [stream, partial] of partials) {
    const rest = partial.get(id);
    partial.delete(id);
    if (rest) writers.get(stream)(marked(id, [rest]));
  }
}

function endLines() {
  for (const partial of partials.values()) for (const id of [...partial.keys()]) endLine(id);
}

/** The id of the request that is being answered, or "". */
function currentId() {
  return requests.getStore()?.id ?? "";
}

/** Is it an id that a line can be marked with? */
function isId(text) {
  return typeof text === "string" && ID.test(text);
}

module.exports = { endLine, endLines, isId, requests, takeOver };
