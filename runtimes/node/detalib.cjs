// `App` and `app`: the functions of a Micro that are run from the command line, the console, or on a schedule. Older
// versions of the npm package `deta` look for a module of this name, which makes them whole.
"use strict";

/** Those of this process: `run` by action, "" for the one without, and `cron` in the order they were noted. */
const functions = { run: new Map(), cron: [] };

const lib = Object.freeze({
  run(call, action = "") {
    functions.run.set(action, call);
    return call;
  },
  cron(call) {
    if (!functions.cron.includes(call)) functions.cron.push(call);
    return call;
  },
});

const app = Object.freeze({ lib });

/** The same application, which has `.lib` now; without one it is `app`. */
function App(application) {
  if (application === undefined || application === null) return app;
  if (application.lib === lib) return application;
  if (application.lib !== undefined) {
    throw new TypeError("This application has a `lib` of its own: use `const { app } = require('deta')`");
  }
  application.lib = lib;
  return application;
}

/** Is it `app`, which has functions to run but is no web application? */
function isBare(application) {
  return application === app;
}

exports.App = App;
exports.app = app;
exports.functions = functions;
exports.isBare = isBare;
