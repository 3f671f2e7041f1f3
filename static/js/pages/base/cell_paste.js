/** Pasting over cells, from the cursor on, as one step; rows beyond the last one become new ones. */

import { formatCount } from "../../lib/formatting.js";
import { findFault } from "../../lib/json_text.js";
import {
  areaOf,
  blockOfValues,
  bringsRows,
  columnReader,
  isNested,
  kindOfColumn,
  readBlock,
} from "../../lib/pasted_cells.js";
import { RequestError } from "../../lib/requests.js";
import { newSaveId } from "../../lib/save_requests.js";
import { addRows, asOneStep, editCells, setKey } from "../../lib/staged_changes.js";
import { addCommands, runCommand } from "../commands.js";
import { showToast } from "../toasts.js";
import { announce, isAtCells } from "./dom.js";
import { KEY, LongValue, SELECT, typeOfCell } from "./table_state.js";
import { offerToUndo } from "./undo_offer.js";

/** Cells as they are, for pasting in a table of ours: a JSON list of rows, each a list of JSON texts, null for missing. */
export const CELLS_TYPE = "application/x-homeport-cells";

export function createCellPaste(table, view, { loader, menu }) {
  let told = null;

  document.addEventListener("paste", (event) => {
    if (!isAtCells(table) || !table.canWrite) return;
    const text = event.clipboardData.getData("text/plain");
    if (text === "") return;
    event.preventDefault();
    take(text, readCopied(event.clipboardData.getData(CELLS_TYPE)));
  });

  function take(text, copied = null) {
    if (!table.cursor || (!copied && bringsRows(text) && !isForOneCell(text))) stageRows(text);
    else paste(copied ?? (isForOneCell(text) ? [[{ text }]] : readBlock(text)), text);
  }

  const stageRows = (text) => runCommand("stage-rows", { text, from: "the clipboard" });

  function readCopied(kept) {
    try {
      const rows = JSON.parse(kept);
      const isOurs = rows.every((row) => row.every((json) => json === null || findFault(json) === null));
      return isOurs && rows.length > 0 ? blockOfValues(rows) : null;
    } catch {
      return null;
    }
  }

  /** An object or a list is one value where such values stand, and a list of plain values is one anywhere. */
  function isForOneCell(text) {
    if (!isNested(text)) return false;
    const { id, name } = table.cursor;
    if (name === SELECT || name === KEY) return false;
    const types = [typeOfCell(table.cell(table.row(id), name).json), kindOfColumn(table.typesOf(name))];
    return !bringsRows(text) || types.includes("object") || types.includes("array");
  }

  async function paste(block, text) {
    const range = rangeInView();
    const area = areaOf({ rows: block.length, columns: block[0].length }, range);
    const names = table.names.slice(area.left, area.left + area.columns);
    if (names.length < area.columns)
      return refuse(
        `The block has ${formatCount(area.columns, "column")}, and from here to the right there ${names.length === 1 ? "is only 1" : `are only ${names.length}`}.`,
        text,
      );
    const rows = await rowsUnder(area, names);
    if (rows === null) return undefined;
    const fieldOf = (row, column) => block[row % block.length][column % block[0].length];
    const { staged, counted, refusal } = stage(rows, area, names, fieldOf);
    if (refusal) return refuse(refusal, text);
    table.setStaged(staged);
    select(rows, area, names);
    return report(counted, block.length * block[0].length);
  }

  /** The selected cells; the column of checkboxes counts as that of the keys. */
  function rangeInView() {
    const at = { row: table.indexOf(table.cursor.id), column: table.columnIndex(table.cursor.name) };
    const range = view.selectedRange() ?? { top: at.row, bottom: at.row, left: at.column, right: at.column };
    const first = table.columnIndex(KEY);
    return { ...range, left: Math.max(first, range.left), right: Math.max(first, range.right) };
  }

  /**
   * The rows that the area covers, `null` in place of each one that is to be made; null, said why, when they are not to be
   * had. New rows on top are followed by more new ones, never by stored ones.
   */
  async function rowsUnder(area, names) {
    try {
      const isOnTop = isNewOnTop(table.shown[area.top]);
      if (!isOnTop && !(await loader.reach(area.top + area.rows))) {
        showToast("Not pasted: the rows below are not loaded yet.", { isError: true });
        return null;
      }
      const rows = table.shown.slice(area.top, area.top + area.rows);
      const end = isOnTop ? rows.findIndex((row) => !isNewOnTop(row)) : -1;
      const covered = end === -1 ? rows : rows.slice(0, end);
      for (const row of covered) {
        // What is replaced is compared with what is stored when it is saved, so it has to be known whole.
        const isLong = !row.isNew && names.some((name) => table.loaded(row, name) instanceof LongValue);
        if (!isLong || ((await loader.wholeRow(row)) && row.whole)) continue;
        showToast(`Not pasted: ${row.key} was changed or deleted since. Refresh first.`, { isError: true });
        return null;
      }
      return [...covered, ...Array.from({ length: area.rows - covered.length }, () => null)];
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      showToast("Not pasted: the server does not answer, and some values must be fetched first.", { isError: true });
      return null;
    }
  }

  const isNewOnTop = (row) => Boolean(row?.isNew) && !table.change(row.id)?.place;

  function stage(rows, area, names, fieldOf) {
    const counted = { cells: 0, isOther: 0, left: 0, rows: 0 };
    const columns = names.map((name, column) => {
      const fields = rows.map((_, row) => fieldOf(row, column));
      return { name, column, read: name === KEY ? null : columnReader(name, table.typesOf(name), fields) };
    });
    const cells = [];
    const keys = [];
    const added = [];
    const place = isNewOnTop(table.shown[area.top]) ? undefined : placeAtEnd();
    for (const [number, row] of rows.entries()) {
      const fresh = { id: `new:${newSaveId()}`, key: null, entries: [] };
      const isLeft = row !== null && table.change(row.id)?.kind === "delete";
      if (isLeft) counted.left += 1;
      if (row === null) added.push(fresh);
      for (const { name, column, read } of isLeft ? [] : columns) {
        const field = fieldOf(number, column);
        if (read === null) {
          if (row === null) fresh.key = field.text;
          else if (row.isNew) keys.push([row.id, field.text ?? ""]);
          else if (field.text !== null && field.text !== row.key)
            return { refusal: "The keys of saved items cannot be changed." };
          continue;
        }
        const loaded = row === null ? null : table.loaded(row.whole ?? row, name);
        const { json, isOther } = read(field, row === null ? null : table.cell(row, name).json);
        counted.cells += 1;
        if (isOther) counted.isOther += 1;
        if (row !== null) cells.push({ row, name, loaded, mine: json });
        else if (json !== null) fresh.entries.push([name, json]);
      }
    }
    counted.rows = added.length;
    const staged = asOneStep(table.staged, (before) =>
      addRows(
        keys.reduce((now, [id, key]) => setKey(now, id, key), editCells(before, cells)),
        added.map(({ id, key, entries }) => ({ id, key, item: Object.fromEntries(entries), place })),
      ),
    );
    return { staged, counted };
  }

  function placeAtEnd() {
    return { after: table.rows.at(-1)?.id ?? null, index: table.rows.length };
  }

  /** What was pasted is selected, with the cursor where it began. */
  function select(rows, area, names) {
    const last = table.shown[Math.min(area.top + rows.length, table.shown.length) - 1];
    if (rows.length * names.length > 1) table.anchor = { id: last.id, name: names.at(-1) };
    table.setCursor({ id: table.shown[area.top].id, name: names[0] }, { extend: rows.length * names.length > 1 });
  }

  /** What became of the last paste; what is said of an earlier one would be in the way. */
  function say(text, options) {
    told?.remove();
    told = showToast(text, options);
  }

  function report({ cells, isOther, left, rows }, fields) {
    const parts = [];
    if (rows > 0) parts.push(`${formatCount(rows, "new row")}.`);
    if (isOther > 0)
      parts.push(
        isOther === 1
          ? "1 value is not of the column's type and was pasted as text."
          : `${formatCount(isOther, "value")} are not of the type of their column and were pasted as text.`,
      );
    if (left > 0) parts.push(`${formatCount(left, "row")} marked for deletion left out.`);
    if (parts.length === 0 && fields === 1) return announce(`Pasted into ${formatCount(cells, "cell")}`);
    told?.remove();
    told = offerToUndo(table, [`Pasted into ${formatCount(cells, "cell")}.`, ...parts].join(" "));
    return undefined;
  }

  function refuse(why, text) {
    say(`Not pasted. ${why}`, {
      isError: true,
      action: "Paste as new rows",
      onAction: () => stageRows(text),
    });
  }

  /** What the browser lets a page read of the clipboard by itself; "" where it does not. */
  async function readClipboard() {
    return (await navigator.clipboard?.readText?.().catch(() => "")) || "";
  }

  async function pasteFromMenu() {
    const text = await readClipboard();
    if (text) take(text);
    else say("This browser lets a page paste by Ctrl+V only.", {});
  }

  const ask = document.getElementById("ask-rows");
  const field = ask?.querySelector("textarea");

  /** The browser may not let a page read the clipboard by itself: then the text is pasted into a field. */
  async function pasteAsRows() {
    const text = await readClipboard();
    if (text) return stageRows(text);
    field.value = "";
    ask.returnValue = "";
    ask.showModal();
    return field.focus();
  }

  ask?.addEventListener("close", () => {
    if (ask.returnValue === "add" && field.value.trim() !== "") stageRows(field.value);
    else view.focusCursor();
  });

  addCommands({ "paste-as-rows": pasteAsRows });
  const isCell = ({ name }) => name !== SELECT;
  menu.add([
    { group: "cell", icon: "paste", label: "Paste", keys: "Ctrl+V", isFor: isCell, run: pasteFromMenu },
    { group: "cell", icon: "paste", label: "Paste as new rows", run: pasteAsRows },
  ]);
}
