/** Getting rows: the ones the page came with, and more from the server until the screen is full or the scan ends. */

import { splitObject } from "../../lib/json_text.js";
import { fetchDocument, RequestError, requestJson, withQuery } from "../../lib/requests.js";
import { rowId } from "../../lib/staged_changes.js";
import { mergeColumns, readSort } from "../../lib/table_columns.js";
import { KEY, LongValue, rowOf } from "./table_state.js";

const PAGES_WITHOUT_ASKING = 400; // of a scan that finds nothing, before a person has to say go on
const LONG_PAGE = 1_000; // rows, where very many are wanted; the server gives no more at a time

export function createRowLoader(table) {
  const { liveRowsUrl, rowsUrl, itemUrl, asOf } = table.root.dataset;
  const state = {
    last: null,
    isLoading: false,
    isStopped: false,
    isFailed: false,
    fetched: 0,
    scanned: 0,
    durationMs: 0,
    refreshedAt: null,
    note: "",
    sortedBy: "",
  };
  let run = 0;
  let abort = new AbortController();

  /** The rows that came with the page. */
  function adopt(page) {
    const { rows, columns } = readPage(page);
    take(page, { restart: true });
    table.setColumns(mergeColumns([], columns));
    table.setRows(rows);
  }

  function take(page, { restart }) {
    const { last, scanned, fetched, durationMs, sortNote, sortedBy } = page.dataset;
    if (restart) Object.assign(state, { fetched: 0, scanned: 0, durationMs: 0 });
    state.last = last ?? null;
    state.scanned += Number(scanned ?? 0);
    state.fetched += Number(fetched ?? 0);
    state.durationMs += Number(durationMs ?? 0);
    state.refreshedAt = Date.now();
    state.note = sortNote ?? "";
    state.sortedBy = sortedBy ?? "";
  }

  /**
   * Start again with the table's query and sort. Until the first page is there the old rows stay.
   * @param {{limit?: number|null}} [options] how many at first, if not as many as the server thinks right
   * @returns {Promise<RequestError|null>} what kept it from starting; for a bad query its text is a partial that says what is wrong
   */
  async function restart({ limit = null } = {}) {
    run += 1;
    const mine = run;
    abort.abort();
    abort = new AbortController();
    Object.assign(state, { isLoading: true, isStopped: false, isFailed: false });
    table.emit("loading");
    try {
      const page = await fetchPage(null, [], limit);
      if (mine !== run) return null;
      const { rows, columns } = readPage(page);
      take(page, { restart: true });
      // Columns stay where they are, whatever the new rows hold.
      table.setColumns(
        mergeColumns(
          table.columns.map(({ name }) => ({ name, types: {} })),
          columns,
        ),
      );
      table.setRows(rows);
      return null;
    } catch (error) {
      if (mine !== run || error.name === "AbortError") return null;
      if (!(error instanceof RequestError)) throw error;
      return error;
    } finally {
      if (mine === run) {
        state.isLoading = false;
        table.emit("loading");
      }
    }
  }

  /**
   * More rows, until `isEnough` says so, the end is reached or a person stops it.
   * @param {() => boolean} isEnough
   * @param {{limit?: number}} [options] how many at a time, if not as many as the server thinks right
   */
  async function loadMore(isEnough, { limit } = {}) {
    if (state.isLoading || state.isStopped || state.isFailed || state.last === null) return;
    const mine = run;
    state.isLoading = true;
    table.emit("loading");
    try {
      for (let pages = 0; state.last !== null && !state.isStopped && (pages === 0 || !isEnough()); pages += 1) {
        const page = await fetchPage(
          state.last,
          table.columns.map(({ name }) => name),
          limit,
        );
        if (mine !== run || state.isStopped) return;
        const { rows, columns } = readPage(page);
        take(page, { restart: false });
        append(rows, columns);
        table.emit("loading");
        if (pages >= PAGES_WITHOUT_ASKING) state.isStopped = true;
      }
    } catch (error) {
      if (mine !== run || error.name === "AbortError") return;
      if (!(error instanceof RequestError)) throw error;
      state.isFailed = true;
      table.emit("request-failed", error);
    } finally {
      if (mine === run) {
        state.isLoading = false;
        table.emit("loading");
      }
    }
  }

  const waiting = [];
  table.on("loading", () => {
    if (!state.isLoading) for (const goOnWaiting of waiting.splice(0)) goOnWaiting();
  });

  /** Load on until the table shows so many rows, or all. False when it was stopped, failed or began anew before. */
  async function reach(count) {
    const mine = run;
    Object.assign(state, { isStopped: false, isFailed: false });
    while (table.shown.length < count && state.last !== null) {
      if (state.isStopped || state.isFailed || mine !== run) return false;
      if (state.isLoading) await new Promise((resolve) => waiting.push(resolve));
      else await loadMore(() => table.shown.length >= count, { limit: LONG_PAGE });
    }
    return mine === run;
  }

  function append(rows, columns) {
    const known = table.columns.length;
    const merged = mergeColumns(table.columns, columns);
    if (merged.length !== known) table.setColumns(merged);
    else table.columns = merged;
    // An item that was saved or added meanwhile may stand among the rows already.
    const fresh = rows.filter(({ id }) => table.indexOf(id) === -1);
    if (fresh.length > 0) table.setRows([...table.rows, ...fresh]);
  }

  function stop() {
    abort.abort();
    abort = new AbortController();
    Object.assign(state, { isStopped: true, isLoading: false });
    table.emit("loading");
  }

  function goOn(isEnough) {
    Object.assign(state, { isStopped: false, isFailed: false });
    return loadMore(isEnough);
  }

  async function fetchPage(last, columns, limit = null) {
    const url = withQuery(rowsUrl, { q: table.q, sort: table.sort, last, columns, limit, as_of: asOf });
    return (await fetchDocument(url, { signal: abort.signal })).getElementById("rows-page");
  }

  /** One item whole, as `{key, revision, json, changed_at, changed_by}`; null when it is gone. */
  async function fetchItem(key) {
    try {
      return await requestJson(withQuery(itemUrl, { key, as_of: asOf }));
    } catch (error) {
      if (error instanceof RequestError && error.status === 404) return null;
      throw error;
    }
  }

  /** Put an item as it stands now in the place of its row. */
  function replaceRow(id, key, revision, json) {
    const entries = splitObject(json);
    const row = rowOf(key, revision, entries);
    addColumnsOf([row]);
    const at = table.rows.findIndex((each) => each.id === id || each.id === row.id);
    table.setRows(
      at === -1 ? [row, ...table.rows] : table.rows.map((each, position) => (position === at ? row : each)),
    );
    return row;
  }

  /** Columns for what rows hold and no column is there for. */
  function addColumnsOf(rows) {
    const known = new Set(table.columns.map(({ name }) => name));
    const names = new Set(rows.flatMap(({ values }) => [...values.keys()]));
    const unknown = [...names].filter((name) => !known.has(name)).map((name) => ({ name, types: {} }));
    if (unknown.length > 0) table.setColumns(mergeColumns(table.columns, unknown));
  }

  /**
   * The rows of items as they are now, each with `by`, who changed it, and `matches`, whether the query finds it; one that is gone is
   * not among them. Null when the table began anew meanwhile, or shows another query.
   */
  async function fetchRows(keys) {
    const mine = run;
    const page = await fetchDocument(withQuery(liveRowsUrl, { q: table.q, keys }), { signal: abort.signal });
    if (mine !== run) return null;
    const element = page.getElementById("rows-page");
    const about = JSON.parse(element.dataset.about);
    const { rows } = readPage(element);
    return rows.map((row, index) => ({ ...row, ...about[index] }));
  }

  /** Rows were put in or taken out: where the next page begins by their number, that is another one. */
  function shift(rows) {
    const isByNumber = /^[0-9]+$/.test(state.last ?? "") && !["", "key"].includes(readSort(table.sort)[0]?.name ?? "");
    if (isByNumber) state.last = String(Math.max(0, Number(state.last) + rows));
  }

  /** The row with all its values fetched, for the editor and for what must not be lost; null when the item is gone. */
  async function wholeRow(row) {
    if (row.isNew || (!row.more && ![...row.values.values()].some((value) => value instanceof LongValue))) return row;
    const item = await fetchItem(row.key);
    if (item === null) return null;
    const whole = rowOf(row.key, item.revision, splitObject(item.json));
    const at = table.rows.findIndex(({ id }) => id === row.id);
    // The table goes on showing what it showed; only that the values are there now is new.
    if (at !== -1 && table.rows[at].revision === item.revision) table.rows[at].whole = whole;
    return whole;
  }

  return {
    state,
    adopt,
    restart,
    loadMore,
    reach,
    stop,
    goOn,
    fetchItem,
    fetchRows,
    addColumnsOf,
    shift,
    replaceRow,
    wholeRow,
  };
}

/** The rows and columns of a page of rows as the server renders it. */
function readPage(page) {
  const columns = JSON.parse(page.dataset.columns || "[]").filter(({ name }) => name !== KEY);
  const rows = [...page.querySelectorAll("[data-key]")].map((element) => {
    const { key, revision, more } = element.dataset;
    const values = new Map();
    for (const cell of element.querySelectorAll("[data-name]")) {
      const { name, type, json, long } = cell.dataset;
      if (name === KEY || type === "missing") continue;
      values.set(name, json !== undefined ? json : new LongValue(type, Number(long), cell.textContent));
    }
    return { id: rowId(key), key, revision, values, more: Number(more ?? 0) };
  });
  return { rows, columns };
}
