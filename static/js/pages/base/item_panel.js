/** One item as a form beside the table, or a new one: a field per attribute, and the same as JSON a tab away. */

import { typeForColumn } from "../../lib/item_fields.js";
import { indent, joinObject, splitObject } from "../../lib/json_text.js";
import { isSame, readAs } from "../../lib/json_values.js";
import { newSaveId } from "../../lib/save_requests.js";
import { addRows, asOneStep, editCells, setKey } from "../../lib/staged_changes.js";
import { mergeColumns } from "../../lib/table_columns.js";
import { addCommands, runCommand } from "../commands.js";
import { showToast } from "../toasts.js";
import { make } from "./dom.js";
import { createItemFields } from "./item_fields.js";
import { createJsonField } from "./json_field.js";
import { KEY, LongValue } from "./table_state.js";
import { fetchWhole } from "./whole_rows.js";

const COLUMNS_OFFERED = 30; // as fields of a new item; the others are in the list of names

export function createItemPanel(table, view, { loader }) {
  const dialog = document.getElementById("item-panel");
  const form = dialog.querySelector("form");
  const title = document.getElementById("item-title");
  const body = document.getElementById("item-body");
  const faultLine = document.getElementById("item-fault");
  const note = document.getElementById("item-note");
  const names = document.getElementById("item-names");
  const tabs = { form: document.getElementById("item-as-form"), json: document.getElementById("item-as-json") };
  const done = document.getElementById("item-done");
  const save = document.getElementById("item-save");
  const past = document.getElementById("item-past");
  const json = createJsonField(table.root.dataset);
  let open = null; // {row, whole, first, key, isReadOnly, isNew}, and as it is shown: {kind, shown, text, keyText}

  async function openRow({ row }) {
    const whole = await fetchWhole(loader, row);
    if (!whole) return;
    const change = table.change(row.id);
    const values = new Map(change?.kind === "add" ? Object.entries(change.item) : whole.values);
    for (const [name, cell] of Object.entries(change?.cells ?? {})) {
      if (cell.mine === null) values.delete(name);
      else values.set(name, cell.mine);
    }
    const isReadOnly = change?.kind === "delete" || !table.canWrite;
    const key = row.isNew ? (change?.key ?? null) : row.key;
    show({ row, whole, first: joinObject([...values]), key, isReadOnly, isNew: false });
  }

  function openNew() {
    show({ row: null, whole: null, first: "{}", key: null, isReadOnly: false, isNew: true });
  }

  function show(opened) {
    open = { ...opened, text: opened.first, keyText: opened.key ?? "" };
    title.replaceChildren(
      ...(open.isNew
        ? ["New item"]
        : ["Item ", make("span", { class: "data", dir: "auto" }, [open.key ?? "not saved yet"])]),
    );
    for (const button of [done, save]) button.hidden = open.isReadOnly;
    past.hidden = open.isNew || open.row.isNew;
    note.textContent = table.change(open.row?.id)?.kind === "delete" ? "It is marked for deletion." : "";
    names.replaceChildren(...table.columns.map(({ name }) => make("option", { value: name })));
    dialog.showModal();
    lay("form");
    open.shown.focus();
  }

  /** Lay the item out, as it stands in `open.text`. */
  function lay(kind) {
    open.shown?.destroy();
    complain(null);
    open.kind = kind;
    for (const [name, tab] of Object.entries(tabs)) {
      tab.setAttribute("aria-selected", String(name === kind));
      tab.tabIndex = name === kind ? 0 : -1;
    }
    body.setAttribute("aria-labelledby", tabs[kind].id);
    body.replaceChildren();
    open.shown = kind === "form" ? layForm() : layJson();
  }

  function layForm() {
    const order = new Map(table.names.map((name, index) => [name, index]));
    const place = (name) => order.get(name) ?? order.size;
    const present = splitObject(open.text).sort(([one], [other]) => place(one) - place(other));
    const known = new Set(present.map(([name]) => name));
    const offered = open.isNew ? table.columns.filter(({ name }) => !known.has(name)).slice(0, COLUMNS_OFFERED) : [];
    const fields = createItemFields(
      [
        ...present.map(([name, value]) => ({ name, json: value })),
        ...offered.map(({ name, types }) => ({ name, json: null, type: typeForColumn(types) })),
      ],
      { isReadOnly: open.isReadOnly, isItem: true, typesOf: table.typesOf, suggestions: names.id },
    );
    const keyField = layKey();
    body.append(...(keyField ? [keyField] : []), fields.element);
    return {
      read: () => fields.read(),
      focus: () => (fields.first() ? fields.first().focus() : done.focus()),
      destroy: () => {},
    };
  }

  /** Only an item that is not saved yet can be given a key. */
  function layKey() {
    if (open.isReadOnly || !(open.isNew || open.row.isNew)) return null;
    const input = make("input", {
      id: "item-key",
      class: "input data",
      placeholder: "made when saved",
      autocomplete: "off",
      spellcheck: "false",
    });
    input.value = open.keyText;
    input.addEventListener("input", () => {
      open.keyText = input.value;
    });
    return make("div", { class: "item-field item-key" }, [
      make("label", { class: "item-name data", for: "item-key" }, [KEY]),
      make("div", { class: "item-value" }, [input]),
    ]);
  }

  function layJson() {
    const field = json.put(body, {
      text: open.raw ?? (open.text === "{}" ? "{\n  \n}" : indent(open.text)),
      label: "The item as JSON",
      isReadOnly: open.isReadOnly,
      onChange: () => complain(null),
    });
    open.raw = null;
    return {
      focus: () => field.focus(),
      destroy: () => field.destroy(),
      raw: () => field.value(),
      read() {
        const read = readAs(field.value(), "object");
        field.mark(read.fault ?? null);
        if (read.fault) {
          const { line, column, message } = read.fault;
          return { fault: { message: line ? `Line ${line}, column ${column}: ${message}` : message } };
        }
        const entries = splitObject(read.json);
        if (entries.some(([name]) => name === KEY))
          return { fault: { message: "Remove the key: it cannot be changed here" } };
        if (entries.some(([name]) => name === ""))
          return { fault: { message: "An attribute cannot have an empty name" } };
        return { json: read.json, entries };
      },
    };
  }

  function complain(message) {
    faultLine.textContent = message ?? "";
  }

  /** What is written, said beside the field that is wrong; null then. */
  function read() {
    const found = open.shown.read();
    const isKey = found.entries?.some(([name]) => name === KEY);
    if (!found.fault && !isKey) return found;
    complain(isKey ? "An attribute cannot be called key" : found.fault.message);
    found.field?.focus();
    return null;
  }

  function turn(kind) {
    if (kind === open.kind) return;
    const found = read();
    if (!found) return;
    open.text = found.json;
    lay(kind);
    open.shown.focus();
  }

  for (const [kind, tab] of Object.entries(tabs)) tab.addEventListener("click", () => turn(kind));
  tabs.form.parentElement.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    const kind = open.kind === "form" ? "json" : "form";
    turn(kind);
    tabs[open.kind].focus();
  });

  function finish({ isSaved }) {
    const found = read();
    if (!found) return;
    const id = open.isNew ? `new:${newSaveId()}` : open.row.id;
    showColumns(found.entries.map(([name]) => name));
    if (open.isNew)
      table.setStaged(
        addRows(table.staged, [{ id, key: open.keyText || null, item: Object.fromEntries(found.entries) }]),
      );
    else stageChanges(new Map(found.entries));
    open.isSettled = true;
    table.setCursor({ id, name: table.cursor?.name ?? KEY }, { focus: false });
    dialog.close();
    if (isSaved) runCommand("save-row", { id });
  }

  function showColumns(used) {
    const known = new Set(table.columns.map(({ name }) => name));
    const fresh = used.filter((name) => !known.has(name));
    if (fresh.length > 0)
      table.setColumns(
        mergeColumns(
          table.columns,
          fresh.map((name) => ({ name, types: {} })),
        ),
      );
  }

  /** Only what differs is staged: attributes that were changed, added or taken out. */
  function stageChanges(members) {
    const { row, whole, first } = open;
    const before = new Map(splitObject(first));
    const cells = [...new Set([...before.keys(), ...members.keys()])]
      .filter((name) => !isSame(before.get(name) ?? null, members.get(name) ?? null))
      .map((name) => ({ row, name, loaded: whole.values.get(name) ?? null, mine: members.get(name) ?? null }));
    if (cells.some(({ loaded }) => loaded instanceof LongValue)) return;
    const isRenamed = row.isNew && open.keyText !== (open.key ?? "");
    table.setStaged(
      asOneStep(table.staged, (staged) => {
        const edited = editCells(staged, cells);
        return isRenamed ? setKey(edited, row.id, open.keyText) : edited;
      }),
    );
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    finish({ isSaved: event.submitter === save });
  });
  dialog.addEventListener("keydown", (event) => {
    const isCtrl = event.ctrlKey || event.metaKey;
    if (open.isReadOnly || !isCtrl || (event.key !== "Enter" && event.key.toLowerCase() !== "s")) return;
    event.preventDefault();
    finish({ isSaved: event.key !== "Enter" });
  });

  /** Closed without keeping it: what was written can be had back for a while. */
  function offerBack(left) {
    const found = left.shown.read();
    const isChanged = found.fault || !isSame(found.json, left.first) || left.keyText !== (left.key ?? "");
    if (left.isReadOnly || !isChanged) return;
    const nodes = [...body.childNodes];
    const raw = left.shown.raw?.();
    showToast("Closed without keeping your edit.", {
      action: "Reopen",
      onAction: () => {
        show(left);
        open.keyText = left.keyText;
        if (raw === undefined) {
          body.replaceChildren(...nodes);
          open.shown = left.shown;
        } else {
          open.raw = raw;
          lay("json");
        }
        open.shown.focus();
      },
    });
  }

  past.addEventListener("click", () => {
    const { key } = open.row;
    dialog.close();
    runCommand("open-history", { key });
  });

  dialog.addEventListener("close", () => {
    const left = open;
    open = null;
    if (!left.isSettled) offerBack(left);
    left.shown.destroy();
    body.replaceChildren();
    view.focusCursor();
  });

  addCommands({ "open-row": openRow, "add-item": openNew });
}
