/** What people are told when a request of the page's own fails. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { describeFault } from "../../static/js/lib/faults.js";

for (const [status, word] of [[0, "does not answer"], [403, "refused"], [404, "not there"], [503, "Nothing was changed"], [500, "(500)"]]) {
  test(`status ${status} is put in words`, () => assert.match(describeFault(status), new RegExp(word.replace(/[()]/g, "\\$&"))));
}
