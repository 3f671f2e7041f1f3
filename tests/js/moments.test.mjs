/** Dates as people type them, in the zone of the browser. */

process.env.TZ = "Europe/Berlin";

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  forPicker,
  isDayFirst,
  localText,
  momentFrom,
  readMoment,
  utcText,
  zoneText,
} from "../../static/js/lib/moments.js";

const NOW = new Date("2026-11-29T10:00:00Z"); // a Sunday, 11:00 in Berlin

/** What a text means, in UTC. */
function meant(text, options) {
  const json = readMoment(text, NOW, options);
  return json === null ? null : new Date(Number(json) * 1000).toISOString().replace(".000Z", "Z");
}

for (const [text, expected] of [
  ["2026-12-24", "2026-12-23T23:00:00Z"],
  ["2026-12-24 18:00", "2026-12-24T17:00:00Z"],
  ["2026-12-24T18:00:30", "2026-12-24T17:00:30Z"],
  ["2026-12-24T18:00:30.250Z", "2026-12-24T18:00:30Z"],
  ["2026-12-24 18:00 UTC", "2026-12-24T18:00:00Z"],
  ["2026-12-24 18:00-05:00", "2026-12-24T23:00:00Z"],
  ["2026-07-01 12:00", "2026-07-01T10:00:00Z"],
  ["24.12.2026", "2026-12-23T23:00:00Z"],
  ["24.12.2026 um 18:00", "2026-12-24T17:00:00Z"],
  ["24/12/2026", "2026-12-23T23:00:00Z"],
  ["12/24/2026 6pm", "2026-12-24T17:00:00Z"],
  ["Dec 24, 2026", "2026-12-23T23:00:00Z"],
  ["24 December 2026, 6:30 PM", "2026-12-24T17:30:00Z"],
  ["24th dec", "2026-12-23T23:00:00Z"],
  ["1 march", "2027-02-28T23:00:00Z"],
  ["tomorrow", "2026-11-29T23:00:00Z"],
  ["Tomorrow at 9:00", "2026-11-30T08:00:00Z"],
  ["friday 12am", "2026-12-03T23:00:00Z"],
  ["next sun", "2026-12-05T23:00:00Z"],
  ["18:00", "2026-11-29T17:00:00Z"],
  ["9:00", "2026-11-30T08:00:00Z"],
  ["now", "2026-11-29T10:00:00Z"],
  ["in 1 h", "2026-11-29T11:00:00Z"],
  ["in an hour", "2026-11-29T11:00:00Z"],
  ["in half an hour", "2026-11-29T10:30:00Z"],
  ["1.5 h", "2026-11-29T11:30:00Z"],
  ["1.5 d", null],
  ["next week", "2026-12-06T10:00:00Z"],
  ["in 3 days at 9:00", "2026-12-02T08:00:00Z"],
  ["noon", "2026-11-29T11:00:00Z"],
  ["tomorrow noon", "2026-11-30T11:00:00Z"],
  ["midnight", "2026-11-29T23:00:00Z"],
  ["20270101", "2026-12-31T23:00:00Z"],
  ["2027", null],
  ["30d", "2026-12-29T10:00:00Z"],
  ["+2 weeks", "2026-12-13T10:00:00Z"],
  ["in 3 months", "2027-02-28T10:00:00Z"],
  ["1 year", "2027-11-29T10:00:00Z"],
  ["1766595600", "2025-12-24T17:00:00Z"],
  ["1766595600000", "2025-12-24T17:00:00Z"],
]) {
  test(`“${text}” is a moment`, () => assert.equal(meant(text), expected));
}

for (const text of [
  "",
  "soon",
  "money",
  "2026-02-30",
  "31.04.2026",
  "25:00",
  "13pm",
  "2026-13-01",
  "a",
  "1e5",
  "x".repeat(100_000),
]) {
  test(`“${text.slice(0, 20)}” is none`, () => assert.equal(meant(text), null));
}

test("numbers keep their digits", () => {
  assert.equal(readMoment("1766595600.25", NOW), "1766595600.25");
});

test("which part is the day goes by the language, unless only one of them can be", () => {
  assert.equal(meant("3/4/2027", { isDayFirst: true }), "2027-04-02T22:00:00Z");
  assert.equal(meant("3/4/2027", { isDayFirst: false }), "2027-03-03T23:00:00Z");
  assert.equal(meant("3.4.2027", { isDayFirst: false }), "2027-04-02T22:00:00Z");
  assert.deepEqual([isDayFirst("de"), isDayFirst("en-US"), isDayFirst("en-GB")], [true, false, true]);
});

test("a moment is written here, in UTC and for the picker, with its zone", () => {
  const summer = momentFrom("1782900000");
  assert.deepEqual(
    [localText(summer), utcText(summer), forPicker(summer), zoneText(summer)],
    ["2026-07-01 12:00", "2026-07-01 10:00", "2026-07-01T12:00", "Europe/Berlin, UTC+2"],
  );
  assert.equal(zoneText(NOW), "Europe/Berlin, UTC+1");
  assert.equal(momentFrom('"soon"'), null);
  assert.equal(momentFrom("1e300"), null);
  assert.equal(momentFrom(null), null);
});
