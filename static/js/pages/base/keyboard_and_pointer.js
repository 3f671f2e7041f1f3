/** The keyboard and the pointer in the grid. Which command a key means is decided here. */

import { formatCount } from "../../lib/formatting.js";
import { besideCell, isInside, nextCell, within } from "../../lib/grid_geometry.js";
import { addCommands, runCommand } from "../commands.js";
import { announce } from "./dom.js";
import { KEY, SELECT, typeOfCell } from "./table_state.js";

export function createKeyboardAndPointer(table, view, { edits, loader }) {
  const { grid } = table;

  const at = () => ({ row: table.indexOf(table.cursor?.id), column: table.columnIndex(table.cursor?.name) });
  const size = () => ({ rows: table.shown.length, columns: table.names.length, pageRows: view.pageRows() });

  function moveTo({ row, column }, extend = false) {
    const target = table.shown[row];
    if (target) table.setCursor({ id: target.id, name: table.names[column] }, { extend });
  }

  /** To the last row of all, in a column or the last one (null); it may have to be fetched with all between. Who moves on meanwhile stays there. */
  async function moveToLast(name, extend) {
    const from = table.cursor;
    if (loader.state.last !== null) {
      announce("Loading the rows in between");
      if (!(await loader.reach(Number.POSITIVE_INFINITY)) || table.cursor !== from) return;
    }
    const column = name === null ? table.names.length - 1 : table.columnIndex(name);
    moveTo({ row: table.shown.length - 1, column }, extend);
  }

  /** From the cell that was edited: down or up, or to the cell beside it. */
  function moveBy(rows, columns) {
    const from = at();
    if (rows !== 0) return moveTo({ row: within(from.row + rows, 0, table.shown.length - 1), column: from.column });
    const beside = besideCell(from, columns, size(), 1);
    return beside && moveTo(beside);
  }

  grid.addEventListener("keydown", (event) => {
    if (event.target.closest(".cell-input, .grid-head") || event.isComposing) return;
    if (handle(event)) event.preventDefault();
  });

  // Tab comes to the grid; the first arrow goes to its first cell.
  grid.addEventListener("focus", () => table.shown.length > 0 && !table.cursor && moveTo({ row: 0, column: 1 }));

  function handle(event) {
    const ctrl = event.ctrlKey || event.metaKey;
    const cursor = table.cursor;
    if (event.key === "ArrowUp" && cursor && at().row === 0 && !ctrl && !event.shiftKey && !event.altKey) {
      runCommand("focus-column", { name: cursor.name });
      return true;
    }
    const next = event.altKey
      ? null
      : nextCell({ key: event.key, ctrlKey: ctrl }, cursor ? at() : { row: 0, column: 1 }, size());
    if (next) {
      if (ctrl && event.key === "End") moveToLast(null, event.shiftKey);
      else if (ctrl && event.key === "ArrowDown") moveToLast(cursor?.name ?? KEY, event.shiftKey);
      else moveTo(next, event.shiftKey);
      return true;
    }
    if (!cursor) return false;
    const row = table.row(cursor.id);
    if (ctrl) return event.key.toLowerCase() === "a" && selectAll();
    switch (event.key) {
      case "Enter":
        if (event.shiftKey) openEditor(row, cursor.name);
        else edits.begin();
        return true;
      case "F2":
        edits.begin();
        return true;
      case " ":
        if (event.shiftKey || cursor.name === SELECT) toggleRow(cursor.id);
        else if (cursor.name !== KEY && typeOfCell(table.cell(row, cursor.name).json) === "boolean")
          runCommand("toggle-cell", { row, name: cursor.name });
        return true;
      case "Delete":
      case "Backspace":
        remove();
        return true;
      case "Escape":
        return clear();
      case ".":
        runCommand("open-cell-menu");
        return true;
      default:
        return type(event);
    }
  }

  /** A character replaces the value; those that belong to the page do not. */
  function type(event) {
    if (event.key.length !== 1 || event.altKey || event.key === "/" || event.key === "?") return false;
    if (table.cursor.name === SELECT || !table.canWrite) return false;
    edits.begin(event.key);
    return true;
  }

  function openEditor(row, name) {
    runCommand(name === SELECT || name === KEY ? "open-row" : "open-cell", { row, name });
  }

  function selectAll() {
    table.setSelected(table.shown.map(({ id }) => id));
    announce(`${formatCount(table.shown.length, "row")} selected`);
    return true;
  }

  function toggleRow(id) {
    const selected = new Set(table.selected);
    if (!selected.delete(id)) selected.add(id);
    table.setSelected(selected);
    announce(`${formatCount(selected.size, "row")} selected`);
  }

  function clear() {
    if (table.selected.size === 0 && !view.selectedRange()) return false;
    table.setSelected([]);
    table.setCursor(table.cursor);
    return true;
  }

  function remove() {
    if (!table.canWrite) return;
    if (table.selected.size > 0) runCommand("mark-for-deletion");
    else runCommand("remove-values", { cells: rangeCells().filter(({ name }) => name !== SELECT && name !== KEY) });
  }

  /** The cells of the range, or the cursor's alone, as `{row, name}`. */
  function rangeCells() {
    const range = view.selectedRange();
    if (!range) return table.cursor ? [{ row: table.row(table.cursor.id), name: table.cursor.name }] : [];
    const cells = [];
    for (let row = range.top; row <= range.bottom; row += 1) {
      for (let column = range.left; column <= range.right; column += 1)
        cells.push({ row: table.shown[row], name: table.names[column] });
    }
    return cells;
  }

  view.body.addEventListener("mousedown", (event) => {
    const cell = event.target.closest("[data-name]");
    if (!cell || event.button !== 0 || event.target.closest(".cell-input")) return;
    const id = cell.closest("[data-id]").dataset.id;
    if (table.isEditing && !edits.leave()) return event.preventDefault();
    const isRange = event.shiftKey && table.cursor !== null;
    if (isRange) event.preventDefault(); // no text is to be marked between the two clicks
    if (event.target.closest("input, button") && !isRange) return undefined;
    table.setCursor({ id, name: cell.dataset.name }, { extend: isRange, focus: false });
    event.preventDefault();
    return view.focusCursor();
  });

  view.body.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-name]");
    if (!cell) return;
    const row = table.row(cell.closest("[data-id]").dataset.id);
    const { name } = cell.dataset;
    if (name === SELECT) return selectByClick(event, row);
    const button = event.target.closest("[data-command]");
    if (!button) return undefined;
    event.preventDefault();
    // The command needs to know of which cell, which the page's own listener does not.
    event.stopPropagation();
    table.setCursor({ id: row.id, name });
    return runCommand(button.dataset.command, { row, name });
  });

  let lastSelected = null;
  function selectByClick(event, row) {
    event.preventDefault();
    const between =
      event.shiftKey && lastSelected !== null ? [table.indexOf(lastSelected), table.indexOf(row.id)] : null;
    lastSelected = row.id;
    table.setCursor({ id: row.id, name: SELECT });
    if (!between || between[0] === -1) return setTimeout(() => toggleRow(row.id));
    const [first, last] = between.sort((one, other) => one - other);
    const ids = table.shown
      .filter((_, position) => isInside({ top: first, bottom: last, left: 0, right: 0 }, position, 0))
      .map(({ id }) => id);
    return setTimeout(() => table.setSelected(new Set([...table.selected, ...ids])));
  }

  view.body.addEventListener("dblclick", (event) => {
    if (event.target.closest("input, button") || event.target.closest("[data-name]")?.dataset.name === SELECT) return;
    edits.begin();
  });

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest(
      "input:not([type=checkbox]), textarea, select, [contenteditable], .ace_editor",
    );
    if (document.querySelector("dialog[open]")) return;
    const ctrl = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (ctrl && key === "s") return done(event, () => edits.leave() && runCommand("save"));
    if (isTyping) return undefined;
    if (ctrl && key === "z") return done(event, () => runCommand(event.shiftKey ? "redo" : "undo"));
    if (ctrl && key === "y") return done(event, () => runCommand("redo"));
    if (!ctrl && !event.altKey && event.key === "/") return done(event, () => runCommand("focus-bar"));
    if (!ctrl && !event.altKey && event.key === "?") return done(event, () => runCommand("show-keys"));
    return undefined;
  });

  function done(event, action) {
    event.preventDefault();
    action();
  }

  addCommands({ "move-cursor": ({ rows, columns }) => moveBy(rows, columns) });
  return { rangeCells };
}
