/**
 * What the page knows of its table, in one place: the loaded rows, the columns, what is staged, what is selected and where
 * the cursor is. The modules around it change it through these functions and hear of changes by `on`.
 *
 * A row is `{id, key, revision, values: Map(name -> JSON text or LongValue), more}`; a staged new row has `isNew`.
 */

import { createEventBus } from "../../lib/event_bus.js";
import { typeOf } from "../../lib/json_values.js";
import { placeAmong } from "../../lib/row_order.js";
import { nothingStaged, rowId, stagedCell } from "../../lib/staged_changes.js";
import { arrange } from "../../lib/table_columns.js";

/** The column of checkboxes. No attribute can be called that: an empty name is refused everywhere. */
export const SELECT = "";
export const KEY = "key";
/** The attribute that ends an item: a moment, in seconds since 1970. */
export const EXPIRES = "__expires";

/** A value too long to travel with its row: what it is, how long, and how it begins. `item/` has it whole. */
export class LongValue {
  constructor(type, size, preview) {
    this.type = type;
    this.size = size;
    this.preview = preview;
  }
}

export function createTableState(root) {
  const table = {
    ...createEventBus(),
    root,
    grid: root.querySelector("#grid"),
    canWrite: root.dataset.canWrite === "true",
    columns: [],
    arrangement: { order: [], hidden: [], widths: {} },
    rows: [],
    shown: [],
    names: [],
    staged: nothingStaged(),
    selected: new Set(),
    cursor: null,
    anchor: null,
    isEditing: false,
    q: root.dataset.q,
    sort: root.dataset.sort,

    row(id) {
      return table.shown[index.get(id)];
    },
    indexOf(id) {
      return index.get(id) ?? -1;
    },
    columnIndex(name) {
      return table.names.indexOf(name);
    },
    typesOf(name) {
      return table.columns.find((column) => column.name === name)?.types ?? {};
    },
    change(id) {
      return table.staged.changes.get(id);
    },
    loaded(row, name) {
      return row.values.get(name) ?? null;
    },
    /** A cell as it is to be shown: `{json, loaded, isStaged}`; json is a LongValue for what was not fetched. */
    cell(row, name) {
      return stagedCell(table.staged, row.id, name, table.loaded(row, name));
    },
    setStaged(staged, { why = "edit" } = {}) {
      if (staged === table.staged) return;
      table.staged = staged;
      arrangeRows();
      table.emit("staged", why);
    },
    setRows(rows) {
      table.rows = rows;
      arrangeRows();
      table.emit("rows");
    },
    setColumns(columns) {
      table.columns = columns;
      table.names = [SELECT, KEY, ...arrange(columns, table.arrangement).map(({ name }) => name)];
      table.emit("columns");
    },
    setArrangement(arrangement) {
      table.arrangement = arrangement;
      table.setColumns(table.columns);
      table.emit("arranged");
    },
    setSelected(ids) {
      table.selected = new Set(ids);
      table.emit("selection");
    },
    /** The rows that an action means: the selected ones, or the one that the cursor is in. */
    meantRows() {
      const selected = table.shown.filter(({ id }) => table.selected.has(id));
      if (selected.length > 0) return selected;
      const row = table.cursor && table.row(table.cursor.id);
      return row ? [row] : [];
    },
    setCursor(cursor, { extend = false, focus = true } = {}) {
      table.cursor = cursor;
      if (!extend) table.anchor = cursor;
      table.emit("cursor", { focus });
    },
  };

  let index = new Map();
  function arrangeRows() {
    const added = [];
    const loaded = new Set(table.rows.map(({ id }) => id));
    for (const [id, change] of table.staged.changes) {
      if (change.kind === "add" && !loaded.has(id))
        added.push({
          row: { id, key: change.key, revision: null, values: new Map(), isNew: true },
          place: change.place,
        });
    }
    table.shown = placeAmong(table.rows, added);
    index = new Map(table.shown.map(({ id }, position) => [id, position]));
    const gone = [...table.selected].filter((id) => !index.has(id));
    if (gone.length > 0) table.setSelected([...table.selected].filter((id) => index.has(id)));
  }
  return table;
}

/** The type of a cell's value, fetched or not. */
export function typeOfCell(json) {
  return json instanceof LongValue ? json.type : typeOf(json);
}

/** A row out of an item's first level, as `splitObject` gives it. */
export function rowOf(key, revision, entries) {
  return { id: rowId(key), key, revision, values: new Map(entries.filter(([name]) => name !== KEY)), more: 0 };
}
