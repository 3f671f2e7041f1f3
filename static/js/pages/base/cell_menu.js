/**
 * The menu of a cell: by a right click, a long press, `.` or the menu key. Other parts of the table add entries to it; those
 * that do not fit the cell are left out, and with none there is no menu.
 */

import { nextIndex } from "../../lib/listbox.js";
import { putBeside } from "../popovers.js";
import { icon, make } from "./dom.js";
import { KEY, LongValue, SELECT, typeOfCell } from "./table_state.js";

const LONG_PRESS_MS = 550;
const STILL_PIXELS = 10;
/** The order of the groups; a line stands between two of them. */
const GROUPS = ["filter", "cell", "row"];

/**
 * @typedef {{row: any, name: string, json: string|LongValue|null, type: string}} MenuCell `name` is "" in the column of checkboxes
 * @typedef {{
 *   group: "filter"|"cell"|"row",
 *   icon: string,
 *   label: string | ((cell: MenuCell) => string),
 *   isFor?: (cell: MenuCell) => boolean,
 *   keys?: string,
 *   isDanger?: boolean,
 *   run: (cell: MenuCell) => unknown,
 * }} Entry `icon` is one of `#base-icons`; `keys` is what does the same on the keyboard, as one reads it
 */

export function createCellMenu(table, view, { edits, keys, frame }) {
  const menu = make("div", { class: "menu menu-at cell-menu", id: "cell-menu", popover: "manual", role: "menu" });
  document.getElementById("base-page").append(menu);
  /** @type {Entry[]} */
  const entries = [];
  let openedAt = { top: 0, left: 0 };

  /** @param {Entry[]} more shown in the order in which they were added, each in its group */
  function add(more) {
    entries.push(...more);
  }

  /** @param {DOMRect} [at] where the pointer is; beside the cell without it */
  function open(row, name, at = null) {
    if (table.isEditing && !edits.leave()) return;
    if (!isInRange(row, name)) table.setCursor({ id: row.id, name }, { focus: false });
    view.focusCursor();
    const cell = describe(row, name);
    const parts = GROUPS.map((group) => offered(group, cell)).filter((items) => items.length > 0);
    if (parts.length === 0) return;
    menu.setAttribute("aria-label", name === SELECT ? "Row" : `${name} of ${row.key ?? "the new row"}`);
    menu.replaceChildren(...parts.flatMap((items, index) => (index > 0 ? [make("hr"), ...items] : items)));
    menu.showPopover();
    openedAt = { top: frame.scrollTop, left: frame.scrollLeft };
    putBeside(menu, at ?? view.cellElement(row.id, name).getBoundingClientRect());
    items()[0].focus();
  }

  /** A cell of the selected range keeps the range, so that an entry can mean all of it. */
  function isInRange(row, name) {
    return keys.rangeCells().some((cell) => cell.row?.id === row.id && cell.name === name);
  }

  /** @returns {MenuCell} */
  function describe(row, name) {
    if (name === SELECT) return { row, name, json: null, type: "missing" };
    const key = row.isNew ? (table.change(row.id)?.key ?? null) : row.key;
    const json = name === KEY ? (key === null ? null : JSON.stringify(key)) : table.cell(row, name).json;
    return { row, name, json, type: typeOfCell(json) };
  }

  function offered(group, cell) {
    return entries
      .filter((entry) => entry.group === group && (entry.isFor?.(cell) ?? true))
      .sort((one, other) => Number(one.isDanger ?? false) - Number(other.isDanger ?? false))
      .map((entry) => {
        const label = typeof entry.label === "string" ? entry.label : entry.label(cell);
        const button = make(
          "button",
          {
            type: "button",
            role: "menuitem",
            tabindex: -1,
            class: ["menu-item", entry.isDanger && "menu-item-danger"],
          },
          [icon(entry.icon), make("span", { class: "menu-label", dir: "auto" }, [label])],
        );
        if (entry.keys) button.append(make("kbd", {}, [entry.keys]));
        button.addEventListener("click", () => {
          close();
          entry.run(cell);
        });
        return button;
      });
  }

  /** @returns {HTMLElement[]} */
  function items() {
    return [...menu.querySelectorAll("[role=menuitem]")];
  }

  function close() {
    if (!menu.matches(":popover-open")) return;
    const hadFocus = menu.contains(document.activeElement);
    menu.hidePopover();
    if (hadFocus) view.focusCursor();
  }

  menu.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(document.activeElement);
    const next = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : nextIndex(event.key, at, all.length);
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (next !== null) all[next].focus();
    else return;
    event.preventDefault();
  });
  menu.addEventListener("contextmenu", (event) => event.preventDefault());
  document.addEventListener("pointerdown", (event) => !event.composedPath().includes(menu) && close(), {
    capture: true,
  });
  menu.addEventListener("focusout", (event) => {
    const to = /** @type {Node|null} */ (event.relatedTarget);
    if (to && !menu.contains(to)) close();
  });
  addEventListener("resize", close);
  table.on("scrolled", () => {
    // The cursor may have moved the table just before the menu opened, and the browser tells it late.
    if (frame.scrollTop !== openedAt.top || frame.scrollLeft !== openedAt.left) close();
  });

  view.body.addEventListener("contextmenu", (event) => {
    const cell = event.target.closest("[data-name]");
    // With Shift, and in a text that is being edited, the browser's own menu is still to be had.
    if (!cell || event.shiftKey || event.target.closest(".cell-input")) return;
    event.preventDefault();
    endPress();
    const { clientX, clientY } = event;
    const box = cell.getBoundingClientRect();
    const isOver = clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom;
    openAt(cell, isOver && event.button === 2 ? new DOMRect(clientX, clientY, 0, 0) : null);
  });

  function openAt(cell, at) {
    open(table.row(cell.closest("[data-id]").dataset.id), cell.dataset.name, at);
  }

  // Where a browser makes no menu event of a long press, the press itself is waited for.
  let press = null;
  let isSwallowed = false;
  view.body.addEventListener("pointerdown", (event) => {
    isSwallowed = false;
    const cell = event.target.closest("[data-name]");
    if (event.pointerType !== "touch" || !cell || event.target.closest(".cell-input")) return;
    const { clientX, clientY } = event;
    press = { clientX, clientY, timer: setTimeout(() => longPressed(cell, clientX, clientY), LONG_PRESS_MS) };
  });
  function longPressed(cell, x, y) {
    press = null;
    isSwallowed = true;
    openAt(cell, new DOMRect(x, y, 0, 0));
  }
  function endPress() {
    clearTimeout(press?.timer);
    press = null;
  }
  view.body.addEventListener("pointermove", (event) => {
    if (press && Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY) > STILL_PIXELS) endPress();
  });
  for (const type of ["pointerup", "pointercancel"]) view.body.addEventListener(type, endPress);
  // Lifting the finger is not a click on what lay below it, nor does it take the focus from the menu.
  view.body.addEventListener("touchend", (event) => isSwallowed && event.cancelable && event.preventDefault());
  view.body.addEventListener(
    "click",
    (event) => {
      if (!isSwallowed) return;
      isSwallowed = false;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );

  return { add, open };
}
