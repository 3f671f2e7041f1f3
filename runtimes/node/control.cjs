// The control socket, descriptor 4: lines of JSON to and from the supervisor.
//
// We say `{"ready": true, "runs_on": ...}` or `{"fault": {"kind", "message", "output"}}`, hear `{"drain": true}`, and say
// `{"closed": true}` once nobody new is accepted. When the supervisor is gone there is nobody to serve for, and the process
// ends at once.
"use strict";

const fs = require("node:fs");
const net = require("node:net");

const DESCRIPTOR = 4;
const OUTPUT_MAX_CHARACTERS = 20_000; // of a traceback, of which the end tells most

function say(message) {
  let left = Buffer.from(`${JSON.stringify(message)}\n`);
  while (left.length) {
    try {
      left = left.subarray(fs.writeSync(DESCRIPTOR, left));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

function sayReady() {
  say({ ready: true, runs_on: `Node.js ${process.versions.node}` });
}

function sayClosed() {
  say({ closed: true });
}

function sayFault(kind, message, output = "") {
  say({ fault: { kind, message, output: output.slice(-OUTPUT_MAX_CHARACTERS) } });
}

/** Calls `drain` when the supervisor asks for it. */
function listen(drain) {
  const socket = new net.Socket({ fd: DESCRIPTOR, readable: true, writable: true });
  let heard = "";
  socket.setEncoding("utf8");
  socket.on("data", (part) => {
    const lines = (heard + part).split("\n");
    heard = lines.pop();
    if (lines.some((line) => JSON.parse(line).drain)) drain();
  });
  const end = () => process.kill(process.pid, "SIGKILL");
  socket.on("end", end);
  socket.on("error", end);
}

module.exports = { listen, sayClosed, sayFault, sayReady };
