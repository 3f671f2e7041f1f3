// Calls what an app has noted with `app.lib.run(...)` and `app.lib.cron(...)`, when the supervisor asks.
//
// `POST /__homeport/run` with `{"action", "json", "body"}` is answered with 200 `{"result": ...}`, 404 when there is no
// such function, or 500 when it failed, both `{"errors": [...]}`. `/__homeport/cron` is the same without an action. What
// a function prints and its traceback are in the log. From outside nobody can send these paths.
"use strict";

const { functions } = require("./detalib.cjs");
const { describe, trace } = require("./loading.cjs");

const PATHS = new Map([
  ["/__homeport/run", "run"],
  ["/__homeport/cron", "cron"],
]);

/** Answer a request to one of PATHS. */
async function answer(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const asked = JSON.parse(Buffer.concat(parts).toString("utf8") || "{}");
  const type = PATHS.get(request.url);
  const action = type === "run" ? String(asked.action ?? "") : "";
  const calls = type === "cron" ? functions.cron : [functions.run.get(action)].filter(Boolean);
  if (!calls.length) return send(response, 404, { errors: [sayMissing(type, action)] });
  const results = [];
  try {
    for (const call of calls) {
      results.push(await call({ json: asked.json ?? {}, body: asked.body ?? "", type, action }));
    }
  } catch (error) {
    process.stderr.write(trace(error));
    return send(response, 500, { errors: [describe(error)] });
  }
  return send(response, 200, { result: (results.length === 1 ? results[0] : results) ?? null });
}

function send(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function sayMissing(type, action) {
  if (type === "cron") return "This Micro has no cron function.";
  if (!action) return "This Micro has no run function without an action.";
  return `This Micro has no run function for the action “${action}”.`;
}

module.exports = { PATHS, answer };
