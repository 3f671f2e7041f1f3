/** A filter field under each header. What is typed there is written into the bar as a query, and what the bar says stands there. */

import { readFilter, writeFilter } from "../../lib/header_filters.js";
import { addFilter, canFilter, filtersOn, withoutFilters } from "../../lib/query_filters.js";
import { typeMix } from "../../lib/table_columns.js";
import { addCommands, runCommand } from "../commands.js";
import { announce, make } from "./dom.js";
import { KEY, SELECT } from "./table_state.js";

export function createHeaderFilters(table, { filters }) {
  const head = document.getElementById("grid-head");
  const toggle = document.getElementById("filters");
  const storageKey = "homeport:header-filters";
  let isShown = false;
  /** The field that had the focus last: the header is drawn anew when rows bring new columns. @type {HTMLInputElement|null} */
  let last = null;
  try {
    isShown = localStorage.getItem(storageKey) === "shown";
  } catch {
    // Without storage the fields are hidden until they are asked for.
  }

  const typeOfColumn = (name) => (name === KEY ? "string" : typeMix(table.typesOf(name)).word);
  const optionsOf = (name) => ({ isKey: name === KEY });

  async function draw() {
    toggle.setAttribute("aria-pressed", String(isShown));
    const query = isShown && /^[[{]/.test(table.q) ? await filters.strict(table.q) : "";
    const hadFocus =
      last && (last === document.activeElement || (!last.isConnected && document.activeElement === document.body));
    head.querySelector(".grid-row-filters")?.remove();
    if (!isShown) return table.emit("head");
    const row = make("div", { role: "row", class: "grid-row grid-row-filters" });
    row.append(...table.names.map((name) => drawCell(name, query ?? "")));
    head.append(row);
    if (hadFocus) row.querySelector(`.head-filter[data-name="${CSS.escape(last.dataset.name)}"]`)?.focus();
    return table.emit("head");
  }

  function drawCell(name, query) {
    const cell = make("div", {
      role: "gridcell",
      class: ["cell", name === SELECT && "cell-select", name === KEY && "cell-key"],
    });
    if (name === SELECT || !canFilter({ name, operator: "eq", json: '""' })) return cell;
    const conditions = filtersOn(query, name);
    const text = writeFilter(conditions, typeOfColumn(name), optionsOf(name));
    const field = make("input", {
      class: "head-filter data",
      "data-name": name,
      "aria-label": `Filter by ${name}`,
      placeholder: text === null ? "see the bar" : "Filter",
      title: name === KEY ? "abc: begins with" : "Paris, >30, <30, 5..10, !Paris, =exact, begins*",
      autocomplete: "off",
      spellcheck: "false",
      size: 1,
    });
    field.value = text ?? "";
    field.classList.toggle("is-set", conditions.length > 0);
    field.addEventListener("focus", () => {
      last = field;
    });
    field.addEventListener("change", () => apply(name, field.value));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        apply(name, field.value);
      }
      if (event.key === "Escape" && field.value !== "") {
        event.stopPropagation();
        field.value = "";
        apply(name, "");
      }
    });
    cell.append(field);
    return cell;
  }

  async function apply(name, text) {
    const present = /^[[{]/.test(table.q) ? await filters.strict(table.q) : "";
    if (present === null) return;
    let q = withoutFilters(present, name);
    for (const condition of readFilter(text, typeOfColumn(name), optionsOf(name))) {
      if (!canFilter({ name, ...condition })) return announce(`This cannot be asked of ${name}`);
      q = addFilter(q, { name, ...condition }) ?? q;
    }
    if (q === table.q) return undefined;
    return runCommand("run-query", { q });
  }

  addCommands({
    "toggle-filters": () => {
      isShown = !isShown;
      try {
        localStorage.setItem(storageKey, isShown ? "shown" : "hidden");
      } catch {
        // It holds until the page is left.
      }
      draw().then?.(() => isShown && head.querySelector(".head-filter")?.focus());
    },
  });
  table.on("columns ran", draw);
  return { draw };
}
