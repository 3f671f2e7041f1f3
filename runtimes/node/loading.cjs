// Finds the app: what `index.js` exports, as a function that answers requests; says in words why there is none.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { inspect } = require("node:util");
const { pathToFileURL } = require("node:url");

const { isBare } = require("./detalib.cjs");

const FILES = ["index.js", "index.mjs", "index.cjs"];
const NO_SERVER = JSON.stringify({
  errors: ["This Micro has no web application, only run and cron functions."],
});

/** The app cannot start: `kind` as the control socket knows it, a message for people, and the traceback. */
class NoStart extends Error {
  constructor(kind, message, output = "") {
    super(message);
    this.kind = kind;
    this.output = output;
  }
}

/** `{answer(request, response), close()}` of the app in a folder. Throws NoStart. */
async function loadApp(folder) {
  const name = FILES.find((each) => fs.existsSync(path.join(folder, each)));
  if (!name) throw new NoStart("no_server", "There is no index.js.");
  process.argv[1] = path.join(folder, name);
  let exported;
  try {
    exported = await import(pathToFileURL(process.argv[1]).href);
  } catch (error) {
    throw new NoStart("crashed", `${name} failed while it was loaded: ${describe(error)}`, trace(error));
  }
  try {
    return await webApp(await findApp(exported), name);
  } catch (error) {
    if (error instanceof NoStart) throw error;
    throw new NoStart("crashed", `The app failed while it started: ${describe(error)}`, trace(error));
  }
}

/** Of what a module exports, the app: the export itself, or the one that is called `app`. */
async function findApp(exported) {
  for (const candidate of [exported.default, exported.default?.app, exported.app, exported.default?.default]) {
    const app = await candidate;
    if (isApp(app)) return app;
  }
  return undefined;
}

function isApp(app) {
  return typeof app === "function" || isBare(app) || isFastify(app) || isServer(app) || isKoa(app);
}

function isFastify(app) {
  return typeof app?.ready === "function" && typeof app.routing === "function";
}

function isKoa(app) {
  return typeof app?.callback === "function";
}

function isServer(app) {
  return app instanceof http.Server;
}

async function webApp(app, name) {
  const nothing = () => undefined;
  if (app === undefined) {
    throw new NoStart("no_server", `${name} exports no app: end it with \`module.exports = app;\`.`);
  }
  if (isBare(app)) return { answer: answerWithoutServer, close: nothing };
  if (isFastify(app)) {
    await app.ready();
    return { answer: (request, response) => app.routing(request, response), close: () => app.close() };
  }
  if (isKoa(app)) return { answer: app.callback(), close: nothing };
  if (isServer(app)) return { answer: (request, response) => app.emit("request", request, response), close: nothing };
  return { answer: app, close: nothing };
}

function answerWithoutServer(_request, response) {
  response.writeHead(404, { "content-type": "application/json" });
  response.end(NO_SERVER);
}

/** An error on one line, with advice where the reason is common. */
function describe(error) {
  const line = `${error instanceof Error ? `${error.name}: ${error.message}` : inspect(error)}`.split("\n", 1)[0];
  const isMissing = error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND";
  return isMissing ? `${line}. Is its package named in package.json?` : `${line}.`;
}

function trace(error) {
  return `${inspect(error)}\n`;
}

module.exports = { NoStart, describe, loadApp, trace };
