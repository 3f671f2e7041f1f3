// Runs inside a sandbox, as look.py does, in what Node has of its own.
const { execFileSync } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const { Worker } = require("node:worker_threads");

const given = JSON.parse(process.argv[2]);

function attempt(act) {
  try {
    act();
    return "done";
  } catch (error) {
    return error.code ?? error.name;
  }
}

function connect(options) {
  return new Promise((resolve) => {
    const socket = net.connect(options);
    socket.setTimeout(5000, () => resolve("ETIMEDOUT"));
    socket.once("connect", () => resolve("done"));
    socket.once("error", (error) => resolve(error.code ?? error.errors?.[0]?.code));
  });
}

async function main() {
  const found = {
    read: given.paths.map((path) => attempt(() => fs.readFileSync(path))),
    written: ["/app/x", "/x", "/usr/x", "/homeport/x", "/etc/x"].map((path) => attempt(() => fs.writeFileSync(path, "x"))),
    tmp: attempt(() => fs.writeFileSync("/tmp/x", "x")),
    signal: attempt(() => process.kill(given.pid, 0)),
    root: attempt(() => process.setuid(0)),
    connected: await Promise.all([
      ...given.ports.map((port) => connect({ host: "127.0.0.1", port })),
      connect({ host: "169.254.169.254", port: 80 }),
      connect({ path: `\0${given.abstract}` }),
    ]),
    fetched: await fetch("http://169.254.169.254/latest/meta-data/").then(
      () => "done",
      (error) => error.cause?.code,
    ),
    interfaces: Object.keys(os.networkInterfaces()),
    works: {
      random: randomBytes(4).length,
      child: execFileSync("/bin/sh", ["-c", "echo child"]).toString(),
      thread: await new Promise((resolve) => {
        const worker = new Worker("require('node:worker_threads').parentPort.postMessage('thread')", { eval: true });
        worker.once("message", resolve);
      }),
    },
  };
  console.log(JSON.stringify(found));
  process.exit(0);
}

main();
