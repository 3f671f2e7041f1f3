import assert from "node:assert/strict";
import { test } from "node:test";
import { countAllRows } from "../../static/js/lib/row_totals.js";

const COUNTED = { total: 2000, exact: true, held: null, matched: 70, whole: true };
const LARGE = { total: 10_000, exact: false, held: 12_500, matched: 4_167, whole: true };
const TABLE = { hasQuery: false, isAllLoaded: false, isCut: false, loaded: 50, shown: 50 };

for (const [what, counted, table, rows] of [
  ["not counted yet", null, {}, null],
  ["all loaded, whatever was counted", LARGE, { isAllLoaded: true, loaded: 12_600, shown: 12_601 }, 12_601],
  ["counted exactly", COUNTED, {}, 2000],
  ["with two new rows", COUNTED, { shown: 52 }, 2002],
  ["more than is counted exactly: as the figures of Bases say", LARGE, {}, 12_500],
  ["figures older than what is loaded", LARGE, { loaded: 13_000, shown: 13_000 }, 13_000],
  ["more, and no figures yet", { ...LARGE, held: null }, {}, null],
  ["the matches of a query", COUNTED, { hasQuery: true }, 70],
  ["the matches in a large Base that was looked through", LARGE, { hasQuery: true }, 4_167],
  ["the matches in one that is too large for that", { ...LARGE, whole: false }, { hasQuery: true }, null],
  ["sorted, which ends at 10,000", LARGE, { isCut: true }, 10_000],
])
  test(what, () => assert.equal(countAllRows(counted, { ...TABLE, ...table }), rows));
