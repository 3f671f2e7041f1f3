// One Micro's process, from its start to its end.
"use strict";

const control = require("./control.cjs");
const output = require("./output.cjs");
const resolving = require("./resolving.cjs");
const { NoStart, describe, loadApp, trace } = require("./loading.cjs");
const { Server } = require("./serving.cjs");

const SHUTDOWN_MS = 5_000; // for what an app does when it ends

/** Serve the app in a folder until it is time to end, and end the process. */
async function run(folder, packages) {
  const idleSeconds = Number(process.env.HOMEPORT_IDLE_SECONDS || "0");
  delete process.env.HOMEPORT_IDLE_SECONDS;
  process.env.NODE_ENV ??= "production"; // Express would put tracebacks into its answers
  output.takeOver();
  resolving.takeOver(packages);
  process.chdir(folder);

  let app;
  let server;
  let isAsked = false;
  let isEnding = false;
  const end = async () => {
    isAsked = true;
    if (!server || isEnding) return;
    isEnding = true;
    const closing = server.close();
    control.sayClosed();
    await closing;
    setTimeout(() => finish(0), SHUTDOWN_MS);
    await app.close();
    finish(0);
  };
  control.listen(end);
  process.on("SIGTERM", end);
  process.on("uncaughtException", (error) => {
    if (!server) giveUp(new NoStart("crashed", `The app failed while it started: ${describe(error)}`, trace(error)));
    const exchange = output.requests.getStore();
    if (exchange) exchange.fail(error);
    else process.stderr.write(trace(error));
  });

  try {
    app = await loadApp(folder);
    const starting = new Server(app, idleSeconds);
    await starting.listen();
    server = starting;
  } catch (error) {
    giveUp(error);
  }
  control.sayReady();
  if (isAsked) end();
  else server.endWhenIdle(end);
}

function giveUp(failure) {
  process.stderr.write(failure.output || `${failure.message}\n`);
  control.sayFault(failure.kind ?? "crashed", failure.message, failure.output);
  finish(1);
}

function finish(status) {
  output.endLines();
  process.exit(status);
}

module.exports = { run };
