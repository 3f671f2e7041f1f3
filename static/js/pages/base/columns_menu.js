/** The list of all columns: which are shown, in which order, and how high the rows are. */

import { within } from "../../lib/grid_geometry.js";
import { inOrder, moveBefore, typeMix } from "../../lib/table_columns.js";
import { announce, icon, make } from "./dom.js";

/** @type {[number, string][]} */
const HEIGHTS = [
  [1, "1 line"],
  [2, "2 lines"],
  [4, "4 lines"],
  [8, "8 lines"],
];

export function createColumnsMenu(table, { header }) {
  const menu = document.getElementById("columns-menu");
  const list = make("div", { class: "columns-list" });

  const names = () => inOrder(table.columns, table.arrangement.order).map(({ name }) => name);

  function draw() {
    drawList();
    const reset = make("button", { type: "button", class: "menu-item" }, ["Reset columns"]);
    reset.addEventListener("click", () => {
      table.setArrangement({ order: [], hidden: [], widths: {} });
      draw();
    });
    const add = make("button", { type: "button", class: "menu-item", "data-command": "add-column" }, [
      icon("plus"),
      "Add a column …",
    ]);
    menu.replaceChildren(list, make("hr"), drawHeights(), make("hr"), ...(table.canWrite ? [add] : []), reset);
  }

  function drawList() {
    const columns = inOrder(table.columns, table.arrangement.order);
    list.replaceChildren(
      ...(columns.length > 0 ? columns.map(drawColumn) : [make("p", { class: "menu-title" }, ["No attributes yet."])]),
    );
  }

  function drawColumn({ name, types }) {
    const box = make("input", { type: "checkbox", class: "check" });
    box.checked = !table.arrangement.hidden.includes(name);
    box.addEventListener("change", () => header.hide(name, !box.checked));
    const label = make("label", { class: "menu-item" }, [
      box,
      make("span", { class: "data menu-column-name" }, [name]),
      make("span", { class: "head-type" }, [typeMix(types).word]),
    ]);
    const handle = make(
      "button",
      {
        type: "button",
        class: "button-icon column-handle",
        "aria-label": `Move ${name}`,
        title: "Drag, or arrow keys",
      },
      [icon("drag")],
    );
    return make("div", { class: "column-line", "data-name": name }, [label, handle]);
  }

  function drawHeights() {
    const choices = HEIGHTS.map(([lines, label]) => {
      const input = make("input", { type: "radio", name: "row-lines", value: lines, class: "check" });
      input.checked = (table.arrangement.lines ?? 1) === lines;
      input.addEventListener("change", () => table.setArrangement({ ...table.arrangement, lines }));
      return make("label", { class: "row-height" }, [input, label]);
    });
    return make("fieldset", { class: "row-heights" }, [make("legend", {}, ["Rows"]), ...choices]);
  }

  list.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.target.matches(".column-handle")) return;
    event.preventDefault();
    const { name } = event.target.closest(".column-line").dataset;
    const all = names();
    const place = within(all.indexOf(name) + step, 0, all.length - 1);
    const rest = all.filter((other) => other !== name);
    move(name, rest[place] ?? null);
    list.querySelector(`[data-name="${CSS.escape(name)}"] .column-handle`).focus();
    announce(`${name} is ${place + 1} of ${all.length}`);
  });

  function move(name, before) {
    header.reorder(moveBefore(names(), name, before));
    drawList();
  }

  // The list has the pointer, so that a finger may drag as well as a mouse; a line that moves would lose it.
  list.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest(".column-handle");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    handle.focus();
    const line = handle.closest(".column-line");
    line.classList.add("is-dragged");
    list.setPointerCapture(event.pointerId);
    const drag = ({ clientY }) => {
      const others = [...list.children].filter((other) => other !== line);
      const behind = others.find((other) => {
        const { top, height } = other.getBoundingClientRect();
        return clientY < top + height / 2;
      });
      if (line.nextElementSibling !== (behind ?? null)) list.insertBefore(line, behind ?? null);
    };
    const end = () => {
      list.removeEventListener("pointermove", drag);
      line.classList.remove("is-dragged");
      header.reorder([...list.children].map((each) => each.dataset.name));
    };
    list.addEventListener("pointermove", drag);
    list.addEventListener("lostpointercapture", end, { once: true });
  });

  menu.addEventListener("beforetoggle", (event) => event.newState === "open" && draw());
}
