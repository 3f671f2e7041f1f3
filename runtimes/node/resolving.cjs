// Where `require` and `import` find what an app names: its packages lie in a folder of their own, `deta` is made whole.
"use strict";

const { Module, registerHooks } = require("node:module");
const path = require("node:path");
const { fileURLToPath, pathToFileURL } = require("node:url");

const WRAPPER = path.join(__dirname, "deta.cjs");
const DETALIB = path.join(__dirname, "detalib.cjs");
const IS_BARE = /^(?![./]|[a-z]+:|node:)/;

let published;

/** Look for packages in `folder`/node_modules too. */
function takeOver(folder) {
  // `require` knows a variable for this, `import` does not.
  process.env.NODE_PATH = path.join(folder, "node_modules");
  Module._initPaths();
  const parentURL = pathToFileURL(path.join(folder, "index.js")).href;

  registerHooks({
    resolve(name, context, next) {
      if (name === "detalib") return ours(DETALIB);
      const found = resolve(name, context, next);
      if (name !== "deta" || context.parentURL === pathToFileURL(WRAPPER).href) return found;
      published ??= fileURLToPath(found.url);
      return ours(WRAPPER);
    },
  });

  function resolve(name, context, next) {
    try {
      return next(name, context);
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND" || !IS_BARE.test(name)) throw error;
      try {
        return next(name, { ...context, parentURL });
      } catch {
        throw error;
      }
    }
  }
}

function ours(file) {
  return { url: pathToFileURL(file).href, format: "commonjs", shortCircuit: true };
}

/** The file of the npm package `deta` that the app brings. */
function publishedDeta() {
  return published;
}

module.exports = { publishedDeta, takeOver };
