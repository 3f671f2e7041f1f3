/** What the menu of a cell offers first: to filter by its value, to copy it, to edit it. A filter is written into the bar as a query. */

import { formatCount } from "../../lib/formatting.js";
import { findFault, splitList } from "../../lib/json_text.js";
import { inWords, textOf, typeOf } from "../../lib/json_values.js";
import { localText, momentFrom } from "../../lib/moments.js";
import { addFilter, canFilter } from "../../lib/query_filters.js";
import { RequestError, requestJson, withQuery } from "../../lib/requests.js";
import { copyText } from "../clipboard.js";
import { addCommands, runCommand } from "../commands.js";
import { showToast } from "../toasts.js";
import { KEY, LongValue, SELECT } from "./table_state.js";

const LABEL_CHARACTERS = 40;
const LISTED_ELEMENTS = 4;

export function createCellFilters(table, { menu, edits, loader }) {
  const { understandUrl, visorUrl, base } = table.root.dataset;

  const filterOf = ({ name, json }, operator) => ({ name, operator, json });
  const isFilter = (cell, operator) =>
    cell.name !== SELECT && !(cell.json instanceof LongValue) && canFilter(filterOf(cell, operator));
  const hasOrder = ({ type }) => type === "number" || type === "string";

  function entry(operator, sign, label, isFor = (_) => true) {
    return {
      group: "filter",
      icon: sign,
      label: (cell) => `${label} ${shown(cell)}`,
      isFor: (cell) => isFilter(cell, operator) && isFor(cell),
      run: (cell) => filter(filterOf(cell, operator)),
    };
  }

  menu.add([
    entry("eq", "filter", "Only"),
    entry("ne", "filter-out", "All but"),
    entry("gt", "greater", "Greater than", hasOrder),
    entry("lt", "less", "Less than", hasOrder),
    ...Array.from({ length: LISTED_ELEMENTS }, (_, index) => ({
      group: "filter",
      icon: "filter",
      label: (cell) => `Lists with “${cut(textOf(elements(cell)[index]))}”`,
      isFor: (cell) =>
        index < elements(cell).length && canFilter({ ...filterOf(cell, "contains"), json: elements(cell)[index] }),
      run: (cell) => filter({ ...filterOf(cell, "contains"), json: elements(cell)[index] }),
    })),
    {
      group: "cell",
      icon: "pencil",
      label: "Edit",
      keys: "Enter",
      isFor: ({ row, name }) =>
        table.canWrite && name !== SELECT && (name !== KEY || row.isNew) && table.change(row.id)?.kind !== "delete",
      run: () => edits.begin(),
    },
    { group: "cell", icon: "copy", label: "Copy", isFor: ({ type }) => type !== "missing", run: copy },
    {
      group: "row",
      icon: "expand",
      label: "Open the item",
      isFor: ({ row }) => !row.isNew,
      run: ({ row }) => runCommand("open-row", { row }),
    },
    {
      group: "row",
      icon: "history",
      label: "History",
      isFor: ({ row }) => !row.isNew,
      run: ({ row }) => runCommand("open-history", { key: row.key }),
    },
    {
      group: "row",
      icon: "requests",
      label: "Requests in Visor",
      isFor: ({ row }) => !row.isNew,
      // What was sent or answered with the key in it: a put has it in its body alone.
      run: ({ row }) => location.assign(withQuery(visorUrl, { path: `${base}/`, text: JSON.stringify(row.key) })),
    },
    {
      group: "row",
      icon: "duplicate",
      label: () => `Duplicate ${meant("the row")}`,
      isFor: () => table.canWrite,
      run: () => runCommand("duplicate"),
    },
    {
      group: "row",
      icon: "trash",
      label: () => `Mark ${meant("the row")} for deletion`,
      isFor: () => table.canWrite,
      isDanger: true,
      run: () => runCommand("mark-for-deletion"),
    },
  ]);

  /** The first texts of a list, as JSON. */
  function elements({ json, type }) {
    if (type !== "array" || json instanceof LongValue) return [];
    return splitList(json)
      .filter((element) => typeOf(element) === "string")
      .slice(0, LISTED_ELEMENTS);
  }

  function meant(one) {
    const count = table.meantRows().length;
    return count > 1 ? formatCount(count, "row") : one;
  }

  function shown({ name, json, type }) {
    if (type === "object" || type === "array") return type === "object" ? "this object" : "this list";
    const moment = name === "__expires" && type === "number" ? momentFrom(json) : null;
    if (moment) return localText(moment);
    return type === "string" ? `“${cut(textOf(json))}”` : cut(type === "null" ? "null" : inWords(json));
  }

  function cut(text) {
    return text.length > LABEL_CHARACTERS ? `${text.slice(0, LABEL_CHARACTERS)}…` : text;
  }

  /** @param {import("../../lib/query_filters.js").Filter} wanted */
  async function filter(wanted) {
    const before = table.q;
    const isSearch = before !== "" && !/^[[{]/.test(before);
    const present = isSearch ? "" : await strict(before);
    if (present === null) return;
    const q = addFilter(present, wanted);
    if (q === null)
      return void showToast(`A query leaves out two values of ${wanted.name} at most. Write the rest into the bar.`);
    runCommand("run-query", { q });
    if (isSearch)
      showToast("A query cannot hold a search: the filter stands in its place.", {
        action: "Back to the search",
        onAction: () => runCommand("run-query", { q: before }),
      });
  }

  /** The query in strict JSON, which the server makes of other notations; null, said so, when it does not answer. */
  async function strict(text) {
    if (text === "" || findFault(text) === null) return text;
    try {
      return (await requestJson(withQuery(understandUrl, { q: text }))).query ?? "";
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      table.emit("request-failed", error);
      return null;
    }
  }

  async function copy({ row, name, json }) {
    try {
      const whole = json instanceof LongValue ? (await loader.wholeRow(row))?.values.get(name) : json;
      if (whole === undefined) return void showToast("The item was deleted or has expired.", { isError: true });
      if (await copyText(textOf(whole))) showToast("Copied 1 cell.");
      else showToast("This browser does not allow copying.", { isError: true });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      table.emit("request-failed", error);
    }
  }

  addCommands({
    "open-cell-menu": () => {
      const row = table.cursor && table.row(table.cursor.id);
      if (row) menu.open(row, table.cursor.name);
    },
  });
  return { filter, strict };
}
