// Serves the app on the socket that was inherited, until nobody asks for it any more or the supervisor wants it drained.
//
// The supervisor keeps the same socket open: whoever connects waits there until somebody accepts. So a process ends without
// losing a request when it stops accepting first, and finishes what it had accepted, a request still on its way included.
"use strict";

const http = require("node:http");
const { setTimeout: pause } = require("node:timers/promises");

const functions = require("./functions.cjs");
const output = require("./output.cjs");
const { trace } = require("./loading.cjs");

const DESCRIPTOR = 3;
const POLL_MS = 50;
const ID_HEADER = "x-homeport-request";
const HEADERS_MAX_BYTES = 65_536;

/** Answers for one app. `close()` of what it returns stops accepting and resolves when all that was accepted is done. */
class Server {
  #app;
  #idleMs;
  #open = 0;
  #calls = 0;
  #quietSince = performance.now();
  #server;

  constructor(app, idleSeconds) {
    this.#app = app;
    this.#idleMs = idleSeconds * 1000;
    this.#server = http.createServer({ maxHeaderSize: HEADERS_MAX_BYTES }, (request, response) =>
      this.#answer(request, response),
    );
    this.#server.on("connection", (socket) => {
      this.#open += 1;
      socket.on("close", () => {
        this.#open -= 1;
        this.#quietSince = performance.now();
      });
    });
  }

  /** Resolves once it accepts. */
  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ fd: DESCRIPTOR }, resolve);
    });
  }

  /** Calls `end` when nobody has asked for as long as was given; nothing is accepted between the last look and that. */
  endWhenIdle(end) {
    if (!this.#idleMs) return;
    const left = this.#isBusy ? this.#idleMs : this.#quietSince + this.#idleMs - performance.now();
    if (left <= 0) end();
    else setTimeout(() => this.endWhenIdle(end), left);
  }

  async close() {
    this.#server.close();
    while (this.#isBusy) {
      // Those that had an answer already; one without a request yet has one coming, and is not among them.
      this.#server.closeIdleConnections();
      await pause(POLL_MS);
    }
  }

  get #isBusy() {
    return this.#open > 0 || this.#calls > 0;
  }

  #answer(request, response) {
    const id = takeId(request);
    showClient(request);
    const exchange = { id, fail: (error) => fail(response, error) };
    // What these emit comes out of the parser, which knows nothing of the request that it parses.
    for (const emitter of [request, response]) {
      const emit = emitter.emit;
      emitter.emit = (...event) => output.requests.run(exchange, () => emit.apply(emitter, event));
    }
    this.#calls += 1;
    const closed = new Promise((resolve) => response.once("close", resolve));
    const answered = output.requests.run(exchange, async () => {
      try {
        await (functions.PATHS.has(request.url) ? functions.answer : this.#app.answer)(request, response);
      } catch (error) {
        exchange.fail(error);
      }
    });
    Promise.all([closed, answered]).then(() => {
      this.#calls -= 1;
      this.#quietSince = performance.now();
      output.endLine(id);
    });
  }
}

/** Print why, and answer that it failed, or break off an answer that has begun. */
function fail(response, error) {
  process.stderr.write(trace(error));
  if (response.headersSent) response.destroy();
  else {
    response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
    response.end("Internal Server Error");
  }
}

/** Take the request's id out of its headers, in each of the forms that Node gives them. */
function takeId(request) {
  const id = request.headers[ID_HEADER];
  if (id === undefined) return "";
  const distinct = request.headersDistinct; // made of the raw ones when it is first asked for
  delete request.headers[ID_HEADER];
  delete distinct[ID_HEADER];
  const raw = request.rawHeaders;
  for (let n = raw.length - 2; n >= 0; n -= 2) if (raw[n].toLowerCase() === ID_HEADER) raw.splice(n, 2);
  return output.isId(id) ? id : "";
}

/** Only Homeport connects, and says who asks; frameworks look for it at the socket. */
function showClient(request) {
  const address = request.headers["x-forwarded-for"]?.split(",", 1)[0].trim();
  if (address) Object.defineProperty(request.socket, "remoteAddress", { value: address, configurable: true });
  request.socket.encrypted = request.headers["x-forwarded-proto"] === "https";
}

module.exports = { Server };
