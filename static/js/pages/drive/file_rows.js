/** The rows of the list: what is selected, where the focus is, by pointer and by keyboard. One tab stop, as in a grid. */

import { formatCount, formatSize } from "../../lib/formatting.js";
import { findByLetters, nextRow } from "../../lib/list_keys.js";
import * as select from "../../lib/row_selection.js";
import { runCommand } from "../commands.js";
import { announce, on, viewElement } from "./context.js";
import { columnsShown } from "./grid.js";
import { currentRoute, goUp, showMore } from "./navigation.js";

/** Letters typed within this time belong together. */
const LETTERS_MS = 800;

let rows = [];
let selection = select.none();
let current = null;
let letters = { typed: "", at: 0 };

/** The names that something is to be done with: what is selected, else the row that has the focus. */
export function chosenNames() {
  if (selection.chosen.size > 0) return order().filter((name) => selection.chosen.has(name));
  return current === null ? [] : [current];
}

/** The row of a name, if it is shown. */
export function rowOf(name) {
  return rows.find((row) => row.dataset.name === name) ?? null;
}

/** The names of files around one, in the order they are listed. */
export function order() {
  return rows.map((row) => row.dataset.name);
}

export function isSelected(name) {
  return selection.chosen.has(name);
}

export function selectOnly(name) {
  change(select.only(name));
}

export function selectNone() {
  change(select.none());
}

export function selectAll() {
  change(select.all(order()));
  announce(`${formatCount(rows.length, "item")} selected`);
}

/** The focus to a row; the tab stop moves with it. */
export function focusRow(name, { scroll = true } = {}) {
  const row = rowOf(name) ?? rows[0];
  if (!row) return;
  moveStop(row);
  row.focus({ preventScroll: true });
  if (scroll) row.scrollIntoView({ block: "nearest" });
}

function change(next) {
  const before = selection.chosen;
  selection = next;
  for (const row of rows) {
    const isChosen = next.chosen.has(row.dataset.name);
    if (isChosen !== before.has(row.dataset.name)) paint(row, isChosen);
  }
  paintBar();
}

function paint(row, isChosen) {
  row.setAttribute("aria-selected", String(isChosen));
  row.querySelector("[type=checkbox]").checked = isChosen;
}

function paintBar() {
  const view = viewElement();
  const count = selection.chosen.size;
  view.classList.toggle("has-selection", count > 0);
  view.querySelector("#drive-selected").hidden = count === 0;
  view.querySelector("#drive-selected-count").textContent = `${count.toLocaleString("en")} selected`;
  view.querySelector("#drive-selected-size").textContent = sizeOf(
    rows.filter((row) => selection.chosen.has(row.dataset.name)),
  );
  for (const button of view.querySelectorAll("#drive-selected [data-one]")) button.hidden = count !== 1;
  const all = view.querySelector("#drive-all");
  if (!all) return;
  all.checked = count > 0 && count === rows.length;
  all.indeterminate = count > 0 && count < rows.length;
}

/** The bytes of these rows, with those in folders; of the files alone, and it says so, as long as some folder has not been counted. */
function sizeOf(some) {
  const areCounted = some.every((row) => row.dataset.kind === "file" || row.dataset.held);
  const counted = areCounted ? some : some.filter((row) => row.dataset.kind === "file");
  if (counted.length === 0) return "";
  const isMore = counted.some((row) => "heldMore" in row.dataset);
  const bytes = counted.reduce((sum, row) => sum + Number(row.dataset.held || row.dataset.size), 0);
  return `${isMore ? "> " : ""}${formatSize(bytes)}${areCounted ? "" : " in files"}`;
}

function moveStop(row) {
  if (current !== null) rowOf(current)?.setAttribute("tabindex", "-1");
  row.setAttribute("tabindex", "0");
  current = row.dataset.name;
}

// Another list, or more of it

function adopt({ focus = null, hadFocus = false, isAgain = false } = {}) {
  const stood = rows.findIndex((row) => row.dataset.name === current);
  rows = [...viewElement().querySelectorAll(".drive-row")];
  for (const row of rows) prepare(row);
  for (const stop of viewElement().querySelectorAll("#drive-all, [data-sort]")) stop.tabIndex = -1;
  viewElement()
    .querySelector("#drive-list")
    ?.setAttribute("aria-rowcount", String(hasMore() ? -1 : rows.length + 1));
  selection = isAgain ? select.keep(selection, order()) : select.none();
  for (const row of rows) paint(row, selection.chosen.has(row.dataset.name));
  paintBar();
  const row =
    rowOf(focus) ??
    rowOf(isAgain ? current : null) ??
    rows[isAgain ? Math.min(Math.max(stood, 0), rows.length - 1) : 0];
  current = null;
  if (row) moveStop(row);
  if (row && (hadFocus || focus !== null)) focusRow(row.dataset.name, { scroll: focus !== null });
  else if (hadFocus) viewElement().querySelector("a, button:not([hidden])")?.focus();
  paintFoot();
}

function prepare(row) {
  row.tabIndex = -1;
  row.draggable = true;
  for (const inside of row.querySelectorAll("a, button, input")) inside.tabIndex = -1;
}

/** Rows outside the window are not laid out: how much room they take is told. */
function measure() {
  for (const group of viewElement().querySelectorAll(".drive-rows"))
    group.style.setProperty("--rows", String(group.children.length));
}

function hasMore() {
  return [...viewElement().querySelectorAll(".drive-rows")].at(-1)?.dataset.last;
}

function adoptMore() {
  const known = rows.length;
  rows = [...viewElement().querySelectorAll(".drive-row")];
  for (const row of rows.slice(known)) {
    prepare(row);
    paint(row, selection.chosen.has(row.dataset.name));
  }
  viewElement()
    .querySelector("#drive-list")
    .setAttribute("aria-rowcount", String(hasMore() ? -1 : rows.length + 1));
  paintBar();
  paintFoot();
}

function paintFoot() {
  measure();
  const foot = viewElement().querySelector("#drive-shown");
  if (!foot) return;
  const folders = rows.filter((row) => row.dataset.kind === "folder").length;
  const files = rows.length - folders;
  const parts = [folders && formatCount(folders, "folder"), files && formatCount(files, "file")].filter(Boolean);
  const size = sizeOf(rows);
  foot.textContent = parts.join(", ") + (size && ` · ${size}`) + (hasMore() ? " so far. Scroll for more" : "");
}

// Pointer

document.addEventListener("click", (event) => {
  if (event.target.id === "drive-all") {
    event.target.checked ? selectAll() : selectNone();
    return;
  }
  const row = event.target.closest(".drive-row");
  if (!row || event.target.closest("button, input:not([type=checkbox]), .drive-download")) return;
  moveStop(row);
  const { name } = row.dataset;
  const keys = { ctrl: event.ctrlKey || event.metaKey, shift: event.shiftKey };
  if (event.target.closest("[type=checkbox], .drive-check")) {
    change(keys.shift ? select.extend(selection, order(), name, { add: true }) : select.toggle(selection, name));
    // The box follows the selection; the keys go on from the row.
    if (event.target.closest("[type=checkbox]")) paint(row, selection.chosen.has(name));
    row.focus({ preventScroll: true });
    return;
  }
  if (event.target.closest("[data-open]") && !keys.ctrl && !keys.shift) return;
  event.preventDefault();
  // A finger has no Ctrl: once something is selected, taps beside the name select on.
  const isTouch = event.pointerType === "touch";
  change(isTouch ? select.toggle(selection, name) : select.click(selection, order(), name, keys));
  row.focus({ preventScroll: true });
});

// However the focus came to a row: what is done next is done with that one.
document.addEventListener("focusin", (event) => {
  if (event.target.matches(".drive-row")) moveStop(event.target);
});

document.addEventListener("mousedown", (event) => {
  // Shift on a click would mark text from row to row.
  if (event.shiftKey && event.target.closest(".drive-row")) event.preventDefault();
});

document.addEventListener("dblclick", (event) => {
  const row = event.target.closest(".drive-row");
  if (row && !event.target.closest("a, button, input")) open(row);
});

function open(row) {
  row.querySelector("[data-open]").click();
}

// Keyboard

document.addEventListener("keydown", (event) => {
  if (event.target.closest(".drive-columns")) return moveInHeader(event);
  const row = event.target.closest(".drive-row");
  if (!row || event.target !== row) return;
  if (event.isComposing || !(moved(event, row) || did(event, row))) return;
  event.preventDefault();
});

function moved(event, row) {
  if (event.altKey) return false;
  const index = rows.indexOf(row);
  const columns = columnsShown();
  if (event.key === "ArrowUp" && index < columns && !event.shiftKey) {
    viewElement().querySelector("[aria-sort] [data-sort], [data-sort]")?.focus();
    return true;
  }
  const next = nextRow(event.key, index, rows.length, pageOfRows(row) * columns, columns);
  if (next === null) return false;
  const { name } = rows[next].dataset;
  if (event.shiftKey) {
    if (selection.anchor === null) selection = { ...selection, anchor: row.dataset.name };
    change(select.extend(selection, order(), name));
  }
  focusRow(name);
  if (next === rows.length - 1) showMore();
  return true;
}

function pageOfRows(row) {
  return Math.max(Math.floor((innerHeight * 0.7) / row.offsetHeight), 1);
}

function did(event, row) {
  const ctrl = event.ctrlKey || event.metaKey;
  if (event.altKey) return event.key === "ArrowUp" && !ctrl && goUp() === undefined;
  if (ctrl) {
    if (event.key.toLowerCase() === "a") selectAll();
    else if (event.key.toLowerCase() === "c" && getSelection().isCollapsed) runCommand("copy-name");
    else if (event.key === "Enter") open(row);
    else return false;
    return true;
  }
  if (event.key === " " && letters.typed === "")
    change(
      event.shiftKey ? select.extend(selection, order(), row.dataset.name) : select.toggle(selection, row.dataset.name),
    );
  else if (event.key === "Enter") open(row);
  else if (event.key === "Escape") selectNone();
  else if (event.key === "Backspace") goUp();
  else if (event.key === "Delete") runCommand("delete");
  else if (event.key === "F2") runCommand("rename");
  else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) runCommand("entry-menu", { row });
  else if ([...event.key].length === 1 && event.key !== "/" && event.key !== "?") return jump(event.key, row);
  else return false;
  return true;
}

/** To the name that begins with the letters typed in quick succession. */
function jump(letter, row) {
  const now = performance.now();
  const isNext = now - letters.at > LETTERS_MS;
  // The same letter again means the next name with it.
  letters = { typed: isNext || letters.typed === letter ? letter : letters.typed + letter, at: now };
  setTimeout(() => {
    if (performance.now() - letters.at >= LETTERS_MS) letters = { typed: "", at: 0 };
  }, LETTERS_MS + 20);
  const found = findByLetters(
    rows.map((each) => each.dataset.label),
    letters.typed,
    rows.indexOf(row),
  );
  if (found >= 0) focusRow(rows[found].dataset.name);
  return true;
}

/** The column headers belong to the grid's one tab stop: Up from the first row leads there, arrows along it, Down back. */
function moveInHeader(event) {
  const stops = [...viewElement().querySelectorAll("#drive-all, [data-sort]")];
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) stops[Math.min(Math.max(stops.indexOf(event.target) + step, 0), stops.length - 1)].focus();
  else if (event.key === "ArrowDown") focusRow(current);
  else return;
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (
    document.querySelector("dialog[open], [popover]:popover-open") ||
    event.target.closest("input:not([type=checkbox]), textarea, select")
  )
    return;
  if (event.key === "/") {
    viewElement().querySelector("#drive-search [type=search]")?.focus();
    if (currentRoute().q) viewElement().querySelector("#drive-search [type=search]").select();
  } else if (event.key === "?") runCommand("keys");
  else if (event.key === "Escape") selectNone();
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  // From the search field down into what it found.
  if (!event.target.closest("#drive-search") || (event.key !== "ArrowDown" && event.key !== "Escape")) return;
  event.preventDefault();
  if (event.key === "ArrowDown" || event.target.value === "") focusRow(current);
  else if (currentRoute().q) goUp();
  else event.target.value = "";
});

on("shown", adopt);
on("more", adoptMore);
on("sized", () => {
  paintBar();
  paintFoot();
});
adopt();
