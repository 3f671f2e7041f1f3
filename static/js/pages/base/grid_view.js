/**
 * The grid on the screen. Only the rows in view are in the document, a few more on either side, and the one with the
 * cursor; all rows are equally high, so where one belongs is its number times that height.
 */

import { fittingWidth, widthOfValue } from "../../lib/column_widths.js";
import { isInside, rectangle, rowsInView, scrollToRow } from "../../lib/grid_geometry.js";
import { typeMix } from "../../lib/table_columns.js";
import { drawRow } from "./cells.js";
import { icon, make } from "./dom.js";
import { KEY, LongValue, SELECT } from "./table_state.js";

const WIDTHS = { select: 2.75, empty: 11, least: 4, most: 60 }; // rem
// What a column may be by itself, and how many of its values say so.
const FITTING = { least: 5, most: 24 };
const FITTING_KEY = { least: 9, most: 20 };
const LOOKED_AT = 100;
const LINE = 1.25; // rem
const SIGNS = 4; // rem, of what stands beside a key: the pen, and the warning of a row that was not saved

export function createGridView(table, frame) {
  const body = make("div", { role: "rowgroup", class: "grid-body", id: "grid-body" });
  document.getElementById("rows-page").replaceWith(body);
  const drawn = new Map(); // id -> {element, row, change, names}
  let size = null; // of a row, the header and the frame, in pixels
  let isDrawAsked = false;
  let note = null; // {id, name, element, height}: what is said of a cell, in room of its own below its row

  function drawSoon() {
    if (isDrawAsked) return;
    isDrawAsked = true;
    requestAnimationFrame(() => {
      isDrawAsked = false;
      draw();
    });
  }

  function draw() {
    if (size === null) size = measure();
    const { rowHeight } = size;
    layHeight();
    const [first, end] = rowsInView({
      scrollTop: frame.scrollTop,
      height: size.height,
      rowHeight,
      count: table.shown.length,
    });
    const wanted = new Set();
    for (let position = first; position < end; position += 1) wanted.add(table.shown[position].id);
    if (table.cursor && table.indexOf(table.cursor.id) !== -1) wanted.add(table.cursor.id);
    const hadFocus = body.contains(document.activeElement);
    for (const [id, { element }] of drawn) {
      if (wanted.has(id)) continue;
      element.remove();
      drawn.delete(id);
    }
    const range = selectedRange();
    for (const id of wanted) if (place(id)) markRow(id, range);
    keepOrder();
    markTabStop();
    if (note) note.element.style.top = `${size.headerHeight + (table.indexOf(note.id) + 1) * rowHeight}px`;
    if (hadFocus && !body.contains(document.activeElement)) focusCursor();
    table.emit("drawn");
  }

  function layHeight() {
    body.style.height = `${table.shown.length * size.rowHeight + (note?.height ?? 0)}px`;
  }

  /** Draw a row where it belongs; true when it had to be made. */
  function place(id) {
    const position = table.indexOf(id);
    const row = table.shown[position];
    const change = table.change(id);
    let known = drawn.get(id);
    const isCurrent = known && known.row === row && known.change === change && known.names === table.names;
    // Newly staged rows are made afresh on every change; what they show is in their change.
    const isSameNew = known && row.isNew && known.change === change && known.names === table.names;
    const isBusy = known && table.isEditing && table.cursor?.id === id;
    if (!isCurrent && !isSameNew && !isBusy) {
      let element = drawRow(table, row, position);
      if (known) element = exchange(known.element, element);
      else insert(element, position);
      known = { element, row, change, names: table.names, top: null };
      drawn.set(id, known);
    }
    const isMade = known.top === null;
    const top = topOf(position);
    if (known.top !== top) {
      known.top = top;
      known.element.style.transform = `translateY(${top}px)`;
      known.element.setAttribute("aria-rowindex", position + 2);
    }
    return isMade;
  }

  /** Put a row in the place of an older drawing of it. A cell that has the focus stays, so that nobody hears of it anew. */
  function exchange(old, element) {
    const focused = /** @type {HTMLElement} */ (document.activeElement);
    const at = [...old.children].indexOf(focused);
    const cells = /** @type {HTMLElement[]} */ ([...element.children]);
    const isSameCell = at !== -1 && cells[at]?.dataset.name === focused.dataset.name;
    // The hits of a search are marked once in each drawing.
    if (!isSameCell || table.q !== "" || cells.length !== old.children.length) {
      old.replaceWith(element);
      return element;
    }
    old.className = element.className;
    for (const [index, cell] of [...old.children].entries()) if (index !== at) cell.replaceWith(cells[index]);
    focused.removeAttribute("title");
    for (const { name, value } of cells[at].attributes) focused.setAttribute(name, value);
    focused.replaceChildren(...cells[at].childNodes);
    return old;
  }

  function topOf(position) {
    return position * size.rowHeight + (note && position > table.indexOf(note.id) ? note.height : 0);
  }

  /** Say something of a cell: it stands below its row, which it moves with, and covers none. @param {{id: string, name: string, element: HTMLElement}|null} next */
  function setNote(next) {
    note?.element.remove();
    note = null;
    if (next) {
      frame.append(next.element);
      note = { ...next, height: next.element.offsetHeight };
      const most = frame.scrollLeft + frame.clientWidth - note.element.offsetWidth;
      const left = Math.min(cellElement(note.id, note.name).offsetLeft, most);
      note.element.style.left = `${Math.max(frame.scrollLeft, left)}px`;
    }
    draw();
  }

  /** Rows stand in the document in their order, for who reads it from top to bottom. */
  function insert(element, position) {
    const next = [...body.children].find((other) => table.indexOf(other.dataset.id) > position);
    body.insertBefore(element, next ?? null);
  }

  /** Rows stand in the document as they do on the screen, also after sorting. What has the focus would lose it by being moved. */
  function keepOrder() {
    const rows = [...drawn.keys()]
      .toSorted((one, other) => table.indexOf(one) - table.indexOf(other))
      .map((id) => drawn.get(id).element);
    if (rows.every((element, place) => element === body.children[place])) return;
    const held = rows.findIndex((element) => element.contains(document.activeElement));
    if (held !== -1) rows[held].before(...rows.slice(0, held));
    body.append(...rows.slice(held + 1));
  }

  /** What scrolling needs to know, measured once and again when the frame or the height of rows changes. */
  function measure() {
    const head = document.getElementById("grid-head");
    const firstHeight = head.querySelector(".grid-row-head")?.offsetHeight || 40;
    const headerHeight = head.offsetHeight || firstHeight;
    const lines = table.arrangement.lines ?? 1;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    // The first line has the room of a control; each further one only its own.
    const rowHeight = Math.round(firstHeight + (lines - 1) * LINE * rem);
    table.grid.style.setProperty("--row-height", `${rowHeight}px`);
    frame.style.setProperty("--head-height", `${headerHeight}px`);
    table.grid.style.setProperty("--row-lines", String(lines));
    table.grid.classList.toggle("is-tall", lines > 1);
    return { headerHeight, rowHeight, height: frame.clientHeight - headerHeight };
  }

  /** Cursor, range and selection on everything that is drawn. */
  function mark() {
    const range = selectedRange();
    for (const id of drawn.keys()) markRow(id, range);
    markHeader();
    markTabStop();
  }

  function markRow(id, range) {
    const { element } = drawn.get(id);
    const position = table.indexOf(id);
    const isSelected = table.selected.has(id);
    element.classList.toggle("is-selected", isSelected);
    set(element, "aria-selected", String(isSelected));
    for (let column = 0; column < element.children.length; column += 1) {
      const cell = element.children[column];
      const isCursor = table.cursor?.id === id && table.cursor.name === cell.dataset.name;
      const isRanged = range !== null && isInside(range, position, column);
      cell.classList.toggle("is-cursor", isCursor);
      cell.classList.toggle("is-ranged", isRanged);
      set(cell, "aria-selected", String(isSelected || isRanged || isCursor));
      if (isCursor) cell.tabIndex = 0;
      else if (cell.hasAttribute("tabindex")) cell.removeAttribute("tabindex");
    }
    element.querySelector(".cell-select .check").checked = isSelected;
  }

  /** An attribute written anew makes the browser look at the styles again, the same value or not. */
  function set(element, name, value) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  /** One tab stop: the cursor's cell, and before there is a cursor the grid itself. */
  function markTabStop() {
    if (table.cursor && drawn.has(table.cursor.id)) table.grid.removeAttribute("tabindex");
    else if (table.grid.tabIndex !== 0) table.grid.tabIndex = 0;
  }

  function markHeader() {
    const all = document.getElementById("select-all");
    if (!all) return;
    all.checked = table.shown.length > 0 && table.selected.size === table.shown.length;
    all.indeterminate = table.selected.size > 0 && !all.checked;
  }

  /** The rectangle between anchor and cursor when it is more than one cell, else null. */
  function selectedRange() {
    const { cursor, anchor } = table;
    if (!cursor || !anchor || (cursor.id === anchor.id && cursor.name === anchor.name)) return null;
    const at = (cell) => ({ row: table.indexOf(cell.id), column: table.columnIndex(cell.name) });
    const [one, other] = [at(anchor), at(cursor)];
    return one.row === -1 || other.row === -1 || one.column === -1 || other.column === -1
      ? null
      : rectangle(one, other);
  }

  function cellElement(id, name) {
    return [...(drawn.get(id)?.element.children ?? [])].find((cell) => cell.dataset.name === name) ?? null;
  }

  function focusCursor() {
    if (!table.cursor) return;
    const cell = cellElement(table.cursor.id, table.cursor.name);
    cell?.focus({ preventScroll: true });
  }

  /** Scroll just so far that the cursor's cell is seen beside what is pinned. */
  function reveal() {
    const { id, name } = table.cursor;
    const row = table.indexOf(id);
    if (row === -1) return;
    size ??= measure();
    // Of rows that have just come the frame knows nothing before.
    layHeight();
    frame.scrollTop = scrollToRow({
      row,
      scrollTop: frame.scrollTop,
      height: frame.clientHeight,
      rowHeight: size.rowHeight,
      headerHeight: size.headerHeight,
    });
    draw();
    const cell = cellElement(id, name);
    if (!cell || name === SELECT || name === KEY) return;
    const pinned = [...cell.parentElement.children]
      .slice(0, 2)
      .filter((each) => getComputedStyle(each).position === "sticky")
      .reduce((sum, each) => sum + each.offsetWidth, 0);
    if (cell.offsetLeft < frame.scrollLeft + pinned) frame.scrollLeft = cell.offsetLeft - pinned;
    else if (cell.offsetLeft + cell.offsetWidth > frame.scrollLeft + frame.clientWidth)
      frame.scrollLeft = cell.offsetLeft + cell.offsetWidth - frame.clientWidth;
  }

  const isAtWork = () => table.isEditing || table.grid.contains(document.activeElement);

  /** The row that is to stay where it is on the screen: the cursor's, else the first one that is seen. */
  function heldRow() {
    if (!size) return null;
    const first = Math.floor(frame.scrollTop / size.rowHeight);
    const at = table.cursor ? table.indexOf(table.cursor.id) : -1;
    const isSeen = at >= first && at * size.rowHeight < frame.scrollTop + size.height;
    if (isSeen && isAtWork()) return table.cursor.id;
    // Whoever is at the top sees what comes there.
    return first > 0 ? (table.shown[first]?.id ?? null) : null;
  }

  /** Change the rows while what one is at stays where it is on the screen. @param {() => void} change */
  function keepStill(change) {
    const held = heldRow();
    const before = held === null ? 0 : table.indexOf(held);
    change();
    if (size === null) return draw();
    layHeight();
    const after = held === null ? -1 : table.indexOf(held);
    if (after !== -1 && after !== before) frame.scrollTop += (after - before) * size.rowHeight;
    return draw();
  }

  /** Whether a row can come (1) or go (-1) at a position without the cursor's being moved on the screen. */
  function staysStill(position, by) {
    const at = table.cursor && isAtWork() ? table.indexOf(table.cursor.id) : -1;
    if (at === -1 || position > at || size === null) return true;
    const top = frame.scrollTop + by * size.rowHeight;
    return top >= 0 && top <= (table.shown.length + by) * size.rowHeight - size.height;
  }

  const fitting = new Map(); // name -> rem; what fitted at first stays, so that columns do not move while one scrolls

  function widthOf(name) {
    if (Object.hasOwn(table.arrangement.widths, name)) return table.arrangement.widths[name];
    const known = fitting.get(name) ?? fit(name);
    return name === KEY && frame.clientWidth < 480 ? Math.min(known, 8) : known;
  }

  /** The width of what the column shows; without a value it may still come to something, so that is not kept. */
  function fit(name) {
    const found = [];
    for (const row of table.rows) {
      const value = name === KEY ? JSON.stringify(row.key) : row.values.get(name);
      if (value === undefined) continue;
      found.push(value instanceof LongValue ? FITTING.most : widthOfValue(name, value));
      if (found.length === LOOKED_AT) break;
    }
    if (found.length === 0) return WIDTHS.empty;
    const width =
      name === KEY
        ? fittingWidth(
            { name, word: "string" },
            found.map((each) => each + SIGNS),
            FITTING_KEY,
          )
        : fittingWidth({ name, word: typeMix(table.typesOf(name)).word }, found, FITTING);
    fitting.set(name, width);
    return width;
  }

  function layColumns() {
    const widths = table.names.map((name) => (name === SELECT ? WIDTHS.select : widthOf(name)));
    table.grid.style.setProperty("--columns", widths.map((width) => `${width}rem`).join(" "));
    table.grid.style.setProperty("--columns-width", `${widths.reduce((sum, width) => sum + width, 0)}rem`);
    table.grid.setAttribute("aria-colcount", table.names.length);
  }

  frame.addEventListener(
    "scroll",
    () => {
      drawSoon();
      table.emit("scrolled");
    },
    { passive: true },
  );
  new ResizeObserver(() => {
    size = null;
    layColumns();
    drawSoon();
    table.emit("scrolled");
  }).observe(frame);
  table.on("head", () => {
    size = null;
    drawSoon();
  });
  table.on("rows staged columns", () => {
    markHeader();
    drawSoon();
  });
  table.on("columns arranged resized", layColumns);
  table.on("arranged", () => {
    size = null;
    drawSoon();
  });
  table.on("rows", () => table.names.some((name) => name !== SELECT && !fitting.has(name)) && layColumns());
  table.on("selection", mark);
  table.on("cursor", ({ focus }) => {
    reveal();
    mark();
    if (focus) focusCursor();
    addExpander();
  });

  /** The active cell offers the editor; one button that moves, not one in each cell. */
  const expander = make(
    "button",
    {
      type: "button",
      class: "cell-expand button-icon",
      tabindex: -1,
      "data-command": "open-cell",
      "aria-label": "Open in the editor",
      title: "Open in the editor (Shift+Enter)",
    },
    [icon("expand")],
  );
  function addExpander() {
    const { id, name } = table.cursor;
    const cell = name === SELECT || name === KEY ? null : cellElement(id, name);
    if (cell) cell.append(expander);
    else expander.remove();
  }
  table.on("drawn", () => table.cursor && !table.isEditing && !expander.isConnected && addExpander());

  return {
    body,
    draw,
    drawSoon,
    cellElement,
    focusCursor,
    keepStill,
    staysStill,
    setNote,
    selectedRange,
    redraw(id) {
      const known = drawn.get(id);
      if (known) known.change = Symbol("outdated");
      draw();
    },
    /** Whether rows reach well below what is seen, so that no more are needed yet. */
    isFull: () => table.shown.length * (size?.rowHeight ?? 40) > frame.scrollTop + 3 * frame.clientHeight,
    pageRows: () => Math.max(1, Math.floor(frame.clientHeight / (size?.rowHeight ?? 40)) - 2),
    widthOf,
    /** Forget a width that a person gave, for the one that fits. */
    refit(name) {
      fitting.delete(name);
      const { [name]: _, ...widths } = table.arrangement.widths;
      table.setArrangement({ ...table.arrangement, widths });
    },
    limits: WIDTHS,
  };
}
