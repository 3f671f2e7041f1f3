/** The editor over the table: one value with its type. */

import { indent } from "../../lib/json_text.js";
import { isSame, readAs, textForType, textOf, typeOf } from "../../lib/json_values.js";
import { own } from "../../lib/staged_changes.js";
import { addCommands } from "../commands.js";
import { showToast } from "../toasts.js";
import { make } from "./dom.js";
import { createJsonField } from "./json_field.js";
import { fetchWhole } from "./whole_rows.js";

export function createEditorDialog(table, view, { loader, edits }) {
  const dialog = document.getElementById("editor");
  const form = dialog.querySelector("form");
  const title = document.getElementById("editor-title");
  const type = document.getElementById("editor-type");
  const body = document.getElementById("editor-body");
  const faultLine = document.getElementById("editor-fault");
  const note = document.getElementById("editor-note");
  const done = document.getElementById("editor-done");
  const reset = document.getElementById("editor-reset");
  const json = createJsonField(table.root.dataset);
  let checkTimer = null;
  let open = null; // {row, name, json, field}

  async function openCell(row, name) {
    const whole = await fetchWhole(loader, row);
    if (!whole) return;
    const staged = table.change(row.id);
    const cell = staged?.kind === "edit" ? own(staged.cells, name) : null;
    const value =
      staged?.kind === "add" ? (own(staged.item, name) ?? null) : cell ? cell.mine : (whole.values.get(name) ?? null);
    title.replaceChildren(
      "Edit ",
      make("span", { class: "data" }, [name]),
      make("span", { class: "quiet editor-of" }, [` of ${row.key ?? "the new row"}`]),
    );
    show({ row, whole, name, first: value, isReadOnly: staged?.kind === "delete" });
  }

  function show(opened) {
    open = { ...opened, isReadOnly: opened.isReadOnly || !table.canWrite };
    const kind = typeOf(open.first);
    type.value = kind === "missing" ? "string" : kind;
    type.disabled = open.isReadOnly;
    done.hidden = open.isReadOnly;
    reset.hidden = open.isReadOnly;
    note.textContent = kind === "missing" ? "The item does not have this attribute yet." : "";
    dialog.showModal();
    fill(open.first === null ? "" : type.value === "string" ? textOf(open.first) : pretty(open.first));
  }

  function pretty(text) {
    return typeOf(text) === "object" || typeOf(text) === "array" ? indent(text) : text;
  }

  /** Put the field of the chosen type in place. */
  function fill(text) {
    complain(null);
    body.replaceChildren();
    const kind = type.value;
    if (kind === "object" || kind === "array") {
      open.field = json.put(body, {
        text,
        label: `${open.name} as JSON`,
        isReadOnly: open.isReadOnly,
        onChange: checkSoon,
      });
    } else if (kind === "boolean") {
      open.field = putBoolean(text);
    } else if (kind === "null") {
      body.append(make("p", { class: "quiet" }, ["The value is null."]));
      open.field = { value: () => "null", focus: () => done.focus() };
    } else {
      open.field = putText(text, kind);
    }
    open.field.focus();
    check();
  }

  function putBoolean(text) {
    const choice = (value) => {
      const input = make("input", { type: "radio", name: "editor-boolean", value, class: "check" });
      input.checked = text === value;
      input.disabled = open.isReadOnly;
      return make("label", { class: "editor-choice" }, [input, value]);
    };
    body.append(
      make("div", { class: "editor-choices", role: "radiogroup", "aria-label": open.name }, [
        choice("true"),
        choice("false"),
      ]),
    );
    return {
      value: () => body.querySelector(":checked")?.value ?? "",
      focus: () => (body.querySelector(":checked") ?? body.querySelector("input")).focus(),
    };
  }

  function putText(text, kind) {
    const field =
      kind === "number"
        ? make("input", {
            class: "input data",
            "aria-label": open.name,
            inputmode: "decimal",
            autocomplete: "off",
            spellcheck: "false",
          })
        : make("textarea", { class: "input editor-text", "aria-label": open.name, dir: "auto", spellcheck: "false" });
    field.value = text;
    field.readOnly = open.isReadOnly;
    field.addEventListener("input", check);
    body.append(field);
    return { value: () => field.value, focus: () => field.focus() };
  }

  function read() {
    return readAs(open.field.value(), type.value);
  }

  /** Say at once what is wrong and where; Done waits until it is right. */
  function check() {
    const result = read();
    complain(result.fault ?? null);
    open.field.mark?.(result.fault ?? null);
  }

  /** A long text is looked at when the typing pauses. */
  function checkSoon() {
    clearTimeout(checkTimer);
    if (open.first !== null && open.first.length > 20_000) checkTimer = setTimeout(() => open && check(), 250);
    else check();
  }

  function complain(fault) {
    const place = fault?.line ? `Line ${fault.line}, column ${fault.column}: ` : "";
    const hint = type.value === "number" ? ". To store text, choose String" : "";
    faultLine.textContent = fault ? place + fault.message + hint : "";
    done.setAttribute("aria-disabled", String(fault !== null));
  }

  type.addEventListener("change", () => {
    const kind = type.value;
    // Whatever was typed so far goes along, as far as the new type can say it.
    const before = open.kindBefore ?? (open.first === null ? "string" : typeOf(open.first));
    const typed = readAs(open.field.value(), before);
    const value = typed.json ?? JSON.stringify(open.field.value());
    open.kindBefore = kind;
    const text = kind === typeOf(open.first) && value === open.first ? textOf(open.first) : textForType(value, kind);
    fill(kind === "object" || kind === "array" ? safePretty(text) : text);
  });

  function safePretty(text) {
    const result = readAs(text, typeOf(text.trim() || null));
    return result.json ? indent(result.json) : text;
  }

  reset.addEventListener("click", () => {
    const { row, whole, name } = open;
    const loaded = row.isNew ? null : (whole.values.get(name) ?? null);
    open.first = loaded;
    open.kindBefore = null;
    type.value = loaded === null ? "string" : typeOf(loaded);
    fill(loaded === null ? "" : type.value === "string" ? textOf(loaded) : pretty(loaded));
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    finish();
  });
  dialog.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      event.preventDefault();
      finish();
    }
  });

  function finish() {
    const result = read();
    if (result.fault) {
      complain(result.fault);
      return open.field.focus();
    }
    const { row, whole, name, first } = open;
    if (first === null || !isSame(first, result.json))
      edits.stage([{ row: { ...row, whole }, name, mine: result.json }]);
    open.isDone = true;
    return dialog.close();
  }

  /** Closed without Done: what was written can be had back for a while. */
  function offerBack({ field, first, name, isReadOnly, ...opened }, kind) {
    const text = field.value();
    const before = first === null ? "" : typeOf(first) === "string" ? textOf(first) : pretty(first);
    if (
      isReadOnly ||
      text === before ||
      (kind === "null" && first === "null") ||
      (kind === "boolean" && text === first)
    )
      return;
    showToast("Closed without keeping your edit.", {
      action: "Reopen",
      onAction: () => {
        show({ ...opened, name, first, isReadOnly });
        type.value = kind;
        fill(text);
      },
    });
  }

  dialog.addEventListener("close", () => {
    if (open && !open.isDone) offerBack(open, type.value);
    open?.field.destroy?.();
    open = null;
    body.replaceChildren();
    view.focusCursor();
  });

  addCommands({ "open-cell": ({ row, name }) => openCell(row, name) });
}
