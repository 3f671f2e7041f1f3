/** The header: what each column holds, sorting, and a person's arrangement of the columns, kept in this browser. */

import { within } from "../../lib/grid_geometry.js";
import {
  mergeColumns,
  moveBefore,
  moveBy,
  nextSort,
  readSort,
  typeMix,
  withStep,
  writeSort,
} from "../../lib/table_columns.js";
import { addCommands, runCommand } from "../commands.js";
import { announce, icon, make } from "./dom.js";
import { KEY, SELECT } from "./table_state.js";

export function createColumnHeaders(table, view) {
  const head = document.getElementById("grid-head");
  const storageKey = `homeport:columns:${table.root.dataset.collection}/${table.root.dataset.base}`;
  const columnMenu = document.getElementById("column-menu");
  let dragged = null;
  let menuOf = null;

  try {
    const kept = JSON.parse(localStorage.getItem(storageKey));
    if (kept?.order && kept?.hidden && kept?.widths) table.arrangement = kept;
  } catch {
    // What cannot be read is as if it had never been kept.
  }
  table.on("arranged", () => {
    try {
      localStorage.setItem(storageKey, JSON.stringify(table.arrangement));
    } catch {
      // Without room the arrangement holds until the page is left.
    }
  });

  function draw() {
    const focused = document.activeElement?.closest?.("[role=columnheader]")?.dataset.name;
    const row = make("div", { role: "row", class: "grid-row grid-row-head", "aria-rowindex": 1 });
    row.append(drawSelectAll(), ...table.names.slice(1).map(drawColumn), ...(table.canWrite ? [drawAdd()] : []));
    head.replaceChildren(row);
    if (focused !== undefined) head.querySelector(`[data-name="${CSS.escape(focused)}"] button`)?.focus();
  }

  function drawSelectAll() {
    const box = make("input", {
      type: "checkbox",
      class: "check",
      id: "select-all",
      tabindex: -1,
      "aria-label": "Select the shown rows",
    });
    box.addEventListener("change", () => table.setSelected(box.checked ? table.shown.map(({ id }) => id) : []));
    return make("div", { role: "columnheader", class: "cell cell-select", "data-name": SELECT, "aria-colindex": 1 }, [
      box,
    ]);
  }

  function drawColumn(name, index) {
    const mix = name === KEY ? { word: "string", inWords: "" } : typeMix(table.typesOf(name));
    const steps = readSort(table.sort);
    const place = steps.findIndex((step) => step.name === name);
    const isByKey = name === KEY && steps.length === 0;
    const sorted =
      place === -1 ? (isByKey ? "ascending" : "none") : steps[place].descending ? "descending" : "ascending";
    const title = mix.inWords ? `${name}: ${mix.inWords}` : name;
    const sort = make(
      "button",
      { type: "button", class: "head-sort", tabindex: -1, title, "data-command": "sort-by-column" },
      [make("span", { class: "head-name", dir: "auto" }, [name]), make("span", { class: "head-type" }, [mix.word])],
    );
    if (place !== -1) {
      sort.append(icon(sorted === "ascending" ? "up" : "down"));
      if (steps.length > 1) sort.append(make("span", { class: "head-place" }, [String(place + 1)]));
    }
    const cell = make(
      "div",
      {
        role: "columnheader",
        class: ["cell", name === KEY && "cell-key"],
        "data-name": name,
        "aria-sort": sorted,
        "aria-colindex": index + 2,
      },
      [sort],
    );
    cell.append(
      make(
        "button",
        {
          type: "button",
          class: "head-menu button-icon",
          tabindex: -1,
          "data-command": "open-column-menu",
          "aria-label": `Column ${name}`,
          "aria-haspopup": "true",
        },
        [icon("menu")],
      ),
    );
    cell.append(make("span", { class: "head-resize", "aria-hidden": "true" }));
    if (name !== KEY) cell.draggable = true;
    return cell;
  }

  /** For the pointer; who comes with the keyboard finds the same in the menu of columns. */
  function drawAdd() {
    const button = make(
      "button",
      {
        type: "button",
        class: "button-icon head-add",
        tabindex: -1,
        "data-command": "add-column",
        title: "Add a column",
      },
      [icon("plus")],
    );
    return make("div", { class: "head-add-place", "aria-hidden": "true" }, [button]);
  }

  // The arrow up from the first row leads here: sideways from button to button, down again into the rows.
  head.addEventListener("keydown", (event) => {
    const buttons = [...head.querySelectorAll("[role=columnheader] :is(button, input)")];
    const at = buttons.indexOf(event.target);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (at !== -1 && step && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      buttons[within(at + step, 0, buttons.length - 1)].focus();
      event.target.closest("[role=columnheader]").scrollIntoView({ block: "nearest", inline: "nearest" });
    } else if (event.key === "ArrowDown" || event.key === "Escape") {
      event.preventDefault();
      runCommand("focus-grid");
    }
  });

  // Resizing: the pointer is captured, so that it may leave the narrow handle.
  head.addEventListener("pointerdown", (event) => {
    if (!event.target.matches(".head-resize")) return;
    event.preventDefault();
    const handle = event.target;
    const name = handle.closest("[role=columnheader]").dataset.name;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const from = { x: event.clientX, width: handle.parentElement.offsetWidth / rem };
    handle.setPointerCapture(event.pointerId);
    handle.parentElement.draggable = false;
    const move = (moved) => resize(name, from.width + (moved.clientX - from.x) / rem, { keep: false });
    handle.addEventListener("pointermove", move);
    handle.addEventListener(
      "pointerup",
      () => {
        handle.removeEventListener("pointermove", move);
        table.setArrangement({ ...table.arrangement });
      },
      { once: true },
    );
  });

  head.addEventListener("dblclick", (event) => {
    if (event.target.matches(".head-resize")) view.refit(event.target.closest("[role=columnheader]").dataset.name);
  });

  function resize(name, width, { keep = true } = {}) {
    const next = within(Math.round(width * 4) / 4, view.limits.least, view.limits.most);
    table.arrangement = { ...table.arrangement, widths: { ...table.arrangement.widths, [name]: next } };
    if (keep) table.setArrangement(table.arrangement);
    else table.emit("resized");
  }

  head.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[role=columnheader]")?.dataset.name ?? null;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged ?? "");
  });
  head.addEventListener("dragover", (event) => {
    const over = event.target.closest("[role=columnheader]");
    if (dragged === null || !over || over.dataset.name === SELECT || over.dataset.name === KEY) return;
    event.preventDefault();
    for (const cell of head.querySelectorAll(".is-target")) cell.classList.remove("is-target");
    over.classList.add("is-target");
  });
  head.addEventListener("drop", (event) => {
    const over = event.target.closest("[role=columnheader]");
    if (dragged === null || !over) return;
    event.preventDefault();
    const names = visibleNames();
    const isForward = names.indexOf(over.dataset.name) > names.indexOf(dragged);
    const before = isForward ? (names[names.indexOf(over.dataset.name) + 1] ?? null) : over.dataset.name;
    reorder(moveBefore(names, dragged, before));
  });
  head.addEventListener("dragend", () => {
    dragged = null;
    for (const cell of head.querySelectorAll(".is-target")) cell.classList.remove("is-target");
  });

  function visibleNames() {
    return table.names.slice(2);
  }

  function reorder(names) {
    const others = table.columns.map(({ name }) => name).filter((name) => !names.includes(name));
    table.setArrangement({ ...table.arrangement, order: [...names, ...others] });
  }

  function shift(name, places) {
    reorder(moveBy(visibleNames(), name, places));
    announce(`${name} is column ${visibleNames().indexOf(name) + 1} of ${visibleNames().length}`);
  }

  function hide(name, isHidden) {
    const hidden = table.arrangement.hidden.filter((other) => other !== name);
    table.setArrangement({ ...table.arrangement, hidden: isHidden ? [...hidden, name] : hidden });
    announce(isHidden ? `${name} is hidden` : `${name} is shown`);
  }

  function openColumnMenu(name, opener) {
    menuOf = name;
    const item = (command, label, sign, keepsOpen = false) =>
      make("button", { type: "button", class: "menu-item", "data-command": command, "data-keeps-open": keepsOpen }, [
        icon(sign),
        label,
      ]);
    /** @type {HTMLElement[]} */
    const items = [make("p", { class: "menu-title data" }, [name])];
    items.push(item("sort-ascending", "Sort ascending", "up"), item("sort-descending", "Sort descending", "down"));
    const steps = readSort(table.sort);
    if (name !== KEY && steps.length > 0 && steps[0].name !== KEY && !(steps.length === 1 && steps[0].name === name))
      items.push(
        item("then-ascending", "Then by this, ascending", "up"),
        item("then-descending", "Then by this, descending", "down"),
      );
    items.push(item("widen-column", "Wider", "right", true), item("narrow-column", "Narrower", "left", true));
    items.push(item("fit-column", "Fit its values", "fit", true));
    if (name !== KEY)
      items.push(
        item("move-column-left", "Move left", "left", true),
        item("move-column-right", "Move right", "right", true),
        item("hide-column", "Hide", "hide"),
      );
    columnMenu.replaceChildren(...items);
    columnMenu.showPopover({ source: opener });
    columnMenu.querySelector("button").focus();
  }

  addCommands({
    "sort-by-column": ({ button, event }) => {
      const { name } = button.closest("[role=columnheader]").dataset;
      runCommand("sort", {
        sort:
          name === KEY
            ? table.sort === "" || table.sort === KEY
              ? "-key"
              : ""
            : nextSort(table.sort, name, { add: Boolean(event?.shiftKey) && readSort(table.sort)[0]?.name !== KEY }),
      });
    },
    "open-column-menu": ({ button }) => openColumnMenu(button.closest("[role=columnheader]").dataset.name, button),
    "add-column": askForColumn,
    "sort-ascending": () =>
      runCommand("sort", { sort: menuOf === KEY ? "" : writeSort([{ name: menuOf, descending: false }]) }),
    "sort-descending": () => runCommand("sort", { sort: writeSort([{ name: menuOf, descending: true }]) }),
    "then-ascending": () => runCommand("sort", { sort: withStep(table.sort, menuOf, false) }),
    "then-descending": () => runCommand("sort", { sort: withStep(table.sort, menuOf, true) }),
    "widen-column": () => resize(menuOf, view.widthOf(menuOf) + 2),
    "narrow-column": () => resize(menuOf, view.widthOf(menuOf) - 2),
    "fit-column": () => view.refit(menuOf),
    "move-column-left": () => shift(menuOf, -1),
    "move-column-right": () => shift(menuOf, 1),
    "hide-column": () => hide(menuOf, true),
    "focus-column": ({ name }) => head.querySelector(`[data-name="${CSS.escape(name)}"] :is(button, input)`)?.focus(),
  });

  const ask = document.getElementById("ask-column");
  function askForColumn() {
    ask.querySelector("input").value = "";
    ask.returnValue = "";
    ask.showModal();
  }
  ask.addEventListener("close", () => {
    const name = ask.querySelector("input").value;
    if (ask.returnValue !== "add" || name === "" || name === KEY) return;
    table.setColumns(mergeColumns(table.columns, [{ name, types: {} }]));
    if (table.arrangement.hidden.includes(name)) hide(name, false);
    const row = table.shown[0];
    if (row) table.setCursor({ id: table.cursor?.id ?? row.id, name });
  });

  table.on("columns", draw);
  return { draw, hide, reorder };
}
