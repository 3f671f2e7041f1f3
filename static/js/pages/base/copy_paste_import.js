/** Rows in and out: new ones, copies and imported ones, and what is copied to the clipboard. */

import { toJson, toTsv } from "../../lib/clipboard_text.js";
import { formatCount } from "../../lib/formatting.js";
import { RequestError, requestJson, withQuery } from "../../lib/requests.js";
import { newSaveId } from "../../lib/save_requests.js";
import { addRows, importRows, rowId } from "../../lib/staged_changes.js";
import { mergeColumns, typeMix } from "../../lib/table_columns.js";
import { copyText } from "../clipboard.js";
import { addCommands } from "../commands.js";
import { showToast } from "../toasts.js";
import { CELLS_TYPE } from "./cell_paste.js";
import { isAtCells } from "./dom.js";
import { KEY, LongValue, SELECT } from "./table_state.js";
import { offerToUndo } from "./undo_offer.js";

const IMPORT_MAX_BYTES = 10_485_760;

export function createCopyPasteImport(table, { loader, keys }) {
  const newId = () => `new:${newSaveId()}`;

  function addEmpty() {
    const id = newId();
    table.setStaged(addRows(table.staged, [{ id, key: null, item: {} }]));
    document.getElementById("base-frame").scrollTop = 0;
    table.setCursor({ id, name: KEY });
  }

  async function duplicate() {
    const rows = await whole(table.meantRows());
    if (!rows || rows.length === 0) return;
    const copies = rows.map((row) => ({ id: newId(), key: null, item: Object.fromEntries(valuesOf(row)) }));
    table.setStaged(addRows(table.staged, copies));
    table.setSelected([]);
    table.setCursor({ id: copies[0].id, name: KEY });
    showToast(`${formatCount(copies.length, "copy", "copies")} staged. They get new keys when saved.`);
  }

  /** What a row holds with what is staged for it, without its key: `[[name, JSON text], ...]`. */
  function valuesOf(row) {
    const source = row.whole ?? row;
    const change = table.change(row.id);
    const values = new Map(source.values);
    if (change?.kind === "add") return Object.entries(change.item);
    for (const [name, cell] of Object.entries(change?.cells ?? {})) {
      if (cell.mine === null) values.delete(name);
      else values.set(name, cell.mine);
    }
    return [...values];
  }

  /** The rows with every value fetched; null, said why, when that fails. */
  async function whole(rows) {
    try {
      const found = [];
      for (const row of rows) {
        const all = await loader.wholeRow(row);
        if (all) found.push(row.isNew ? row : { ...row, whole: all });
      }
      return found;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      showToast("The server does not answer, and some long values must be fetched first. Try again in a moment.", {
        isError: true,
      });
      return null;
    }
  }

  const keyOf = (row) => (row.isNew ? table.change(row.id)?.key : row.key) ?? null;

  async function copyRows(format) {
    const rows = await whole(table.meantRows());
    if (!rows || rows.length === 0) return showToast("Select a row to copy first.");
    return writeClipboard(format === "json" ? rowsAsJson(rows) : rowsAsTsv(rows), formatCount(rows.length, "row"));
  }

  function rowsAsJson(rows) {
    return toJson(
      rows.map((row) => [...(keyOf(row) === null ? [] : [[KEY, JSON.stringify(keyOf(row))]]), ...valuesOf(row)]),
    );
  }

  function rowsAsTsv(rows) {
    const names = table.names.slice(2);
    const head = [KEY, ...names].map((name) => JSON.stringify(name));
    const lines = rows.map((row) => {
      const values = new Map(valuesOf(row));
      return [
        keyOf(row) === null ? null : JSON.stringify(keyOf(row)),
        ...names.map((name) => values.get(name) ?? null),
      ];
    });
    return toTsv([head, ...lines]);
  }

  async function writeClipboard(text, what) {
    if (await copyText(text)) showToast(`Copied ${what}.`);
    else showToast("This browser does not allow copying.", { isError: true });
  }

  document.addEventListener("copy", (event) => {
    if (!isAtCells(table) || String(getSelection()) !== "") return;
    const rows = table.shown.filter(({ id }) => table.selected.has(id));
    const cells = keys.rangeCells().filter(({ name }) => name !== SELECT);
    const isLong =
      rows.length > 0
        ? rows.some((row) => valuesOf(row).some(([, json]) => json instanceof LongValue))
        : cells.some(({ row, name }) => cellJson(row, name) instanceof LongValue);
    event.preventDefault();
    // What has to be fetched first cannot be put there in time: the menu's way fetches, then copies.
    if (isLong) return copyRows("tsv");
    const text = rows.length > 0 ? rowsAsTsv(rows) : rangeAsTsv(cells);
    event.clipboardData.setData("text/plain", text);
    if (rows.length === 0) event.clipboardData.setData(CELLS_TYPE, JSON.stringify(linesOf(cells)));
    return showToast(
      `Copied ${rows.length > 0 ? formatCount(rows.length, "row") : formatCount(cells.length, "cell")}.`,
    );
  });

  function cellJson(row, name) {
    if (name === KEY) return keyOf(row) === null ? null : JSON.stringify(keyOf(row));
    return table.cell(row, name).json;
  }

  /** The cells of a range as JSON texts, row by row. */
  function linesOf(cells) {
    const lines = new Map();
    for (const { row, name } of cells) lines.set(row.id, [...(lines.get(row.id) ?? []), cellJson(row, name)]);
    return [...lines.values()];
  }

  function rangeAsTsv(cells) {
    return cells.length === 1 && cellJson(cells[0].row, cells[0].name) !== null
      ? toTsv([[cellJson(cells[0].row, cells[0].name)]]).replace(/^"([\s\S]*)"$/, (_, inner) =>
          inner.replaceAll('""', '"'),
        )
      : toTsv(linesOf(cells));
  }

  /** Rows out of a text or a file: new ones, and yellow cells on the rows that are stored. */
  async function importText(body, from, fileName = "") {
    let found;
    try {
      // In the order of the table: rows that come without a head are read in it.
      const types = Object.fromEntries(
        table.names.slice(1).map((name) => [name, name === KEY ? "string" : typeMix(table.typesOf(name)).word]),
      );
      found = await requestJson(
        withQuery(table.root.dataset.parseUrl, { types: JSON.stringify(types), name: fileName }),
        {
          method: "POST",
          body,
          headers: { "Content-Type": "text/plain; charset=utf-8" },
        },
      );
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return showToast(
        error.status === 413
          ? "That is more than 10 MB. Split it, or use the API."
          : error.messages.length > 0
            ? `Not imported: ${error.messages[0]}.`
            : error.message,
        { isError: true },
      );
    }
    const problems = found.problems.map(({ line, message }) => `Line ${line}: ${message}`);
    if (found.rows.length === 0)
      return found.unchanged > 0
        ? showToast(
            `${formatCount(found.unchanged, "row")} from ${from}, and nothing in them differs from what is stored.`,
          )
        : showToast(problems[0] ?? "It contains no rows.", { isError: true });
    const rows = found.rows.map((row) => ({ ...row, id: row.stored ? rowId(row.key) : newId() }));
    const known = new Set(table.columns.map(({ name }) => name));
    const names = new Set(rows.flatMap(({ item }) => Object.keys(item)).filter((name) => !known.has(name)));
    if (names.size > 0)
      table.setColumns(
        mergeColumns(
          table.columns,
          [...names].map((name) => ({ name, types: {} })),
        ),
      );
    table.setStaged(importRows(table.staged, rows));
    const shown = rows.find(({ id, stored }) => !stored || table.shown.some((row) => row.id === id));
    if (shown && !shown.stored) document.getElementById("base-frame").scrollTop = 0;
    if (shown) table.setCursor({ id: shown.id, name: KEY });
    offerToUndo(
      table,
      `${formatCount(rows.length, "row")} from ${from} staged${detail(rows, found.unchanged)}. ${found.told}.`,
    );
    if (problems.length > 0)
      showToast(`${formatCount(problems.length, "line")} left out. ${problems.slice(0, 3).join("; ")}.`, {
        isError: true,
      });
    return undefined;
  }

  /** How many of the rows are new, and how many edits of what is stored; "" where all are new. */
  function detail(rows, unchanged) {
    const edited = rows.filter(({ stored }) => stored).length;
    if (edited === 0 && unchanged === 0) return "";
    const parts = [
      [rows.length - edited, "new"],
      [edited, "edited"],
      [unchanged, "unchanged"],
    ];
    return `: ${parts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(", ")}`;
  }

  const file = document.getElementById("import-file");
  file.addEventListener("change", () => {
    if (file.files[0]) importFile(file.files[0]);
    file.value = "";
  });

  function importFile(chosen) {
    if (chosen.size > IMPORT_MAX_BYTES)
      return showToast(`${chosen.name} is larger than 10 MB. Split it, or use the API.`, { isError: true });
    return importText(chosen, chosen.name, chosen.name);
  }

  // A file may also be dropped on the table.
  const frame = document.getElementById("base-frame");
  frame.addEventListener("dragover", (event) => {
    if (!table.canWrite || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    frame.classList.add("is-dropping");
  });
  frame.addEventListener("dragleave", () => frame.classList.remove("is-dropping"));
  frame.addEventListener("drop", (event) => {
    frame.classList.remove("is-dropping");
    if (!table.canWrite || event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    importFile(event.dataTransfer.files[0]);
  });

  addCommands({
    "add-empty-row": addEmpty,
    "stage-rows": ({ text, from }) => importText(text, from),
    duplicate,
    "copy-json": () => copyRows("json"),
    "copy-tsv": () => copyRows("tsv"),
    import: () => file.click(),
  });
}
