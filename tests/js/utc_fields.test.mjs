import assert from "node:assert/strict";
import { test } from "node:test";
import { toLocal, toUtc } from "../../static/js/lib/utc_fields.js";

// The zone is set before the first Date is made.
process.env.TZ = "Asia/Kathmandu";

test("a moment is shown in the browser's zone and sent in UTC", () => {
  assert.equal(toLocal("2026-11-29T14:05:00"), "2026-11-29T19:50:00");
  assert.equal(toLocal("2026-11-29T14:05:00+01:00"), "2026-11-29T18:50:00");
  assert.equal(toUtc("2026-11-29T19:50"), "2026-11-29T14:05:00");
  for (const utc of ["2026-01-01T00:00:00", "2026-06-30T23:59:59"]) assert.equal(toUtc(toLocal(utc)), utc);
});

test("what is no moment is nothing", () => {
  for (const text of ["", "soon", "2026-13-01T00:00"]) {
    assert.equal(toLocal(text), "");
    assert.equal(toUtc(text), "");
  }
});
