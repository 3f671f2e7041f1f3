/** Editing a cell where it stands. What a cell cannot show whole, and objects and lists, open the editor instead. */

import { readAs, readTyped, textOf } from "../../lib/json_values.js";
import { editCells, setKey } from "../../lib/staged_changes.js";
import { addCommands, runCommand } from "../commands.js";
import { showToast } from "../toasts.js";
import { announce, make } from "./dom.js";
import { EXPIRES, KEY, LongValue, SELECT, typeOfCell } from "./table_state.js";

const LONGEST_IN_PLACE = 400;

export function createInlineEditing(table, view) {
  let editing = null;

  /** @param {string|null} typed the character that began it and replaces the value; null to edit what is there */
  function begin(typed = null) {
    if (!table.canWrite || !table.cursor || editing) return;
    const { id, name } = table.cursor;
    const row = table.row(id);
    if (!row || name === SELECT) return;
    if (table.change(id)?.kind === "delete") return announce("This row is marked for deletion");
    if (name === KEY)
      return row.isNew
        ? open(row, name, typed ?? table.change(id).key ?? "", typed)
        : typed === null
          ? runCommand("open-row", { row })
          : announce("A saved key cannot be changed. Use Duplicate to make a new row");
    const { json } = table.cell(row, name);
    const type = typeOfCell(json);
    if (name === EXPIRES && !(json instanceof LongValue)) return runCommand("open-expiry", { row, typed });
    if (type === "object" || type === "array")
      return typed === null
        ? runCommand("open-cell", { row, name })
        : announce("Press Enter to edit this in the editor");
    if (json instanceof LongValue) return runCommand("open-cell", { row, name });
    const text = textOf(json === null || json === "null" ? null : json);
    if (typed === null && (text.length > LONGEST_IN_PLACE || /[\n\r]/.test(text)))
      return runCommand("open-cell", { row, name });
    return open(row, name, typed ?? text, typed);
  }

  function open(row, name, text, typed) {
    const cell = view.cellElement(row.id, name);
    if (!cell) return;
    const input = make("input", {
      class: "cell-input data",
      "aria-label": `${name} of ${row.key ?? "the new row"}`,
      spellcheck: "false",
      autocomplete: "off",
      dir: "auto",
    });
    if (name === KEY) input.placeholder = "made when saved";
    input.value = text;
    editing = { row, name, cell, input, first: text, isTyped: typed !== null };
    table.isEditing = true;
    cell.classList.add("is-editing");
    cell.append(input);
    input.focus();
    if (typed === null) input.select();
    input.addEventListener("keydown", onKey);
    input.addEventListener("input", () => complain(null));
    input.addEventListener("blur", onBlur);
  }

  function onKey(event) {
    if (event.isComposing) return;
    const go = { Enter: event.shiftKey ? [-1, 0] : [1, 0], Tab: [0, event.shiftKey ? -1 : 1] }[event.key];
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      finish();
      announce("Unchanged");
    } else if (event.key === "Tab" && !event.shiftKey && editing.input.hasAttribute("aria-invalid")) {
      event.preventDefault();
      document.querySelector(".cell-fault button").focus();
    } else if (go && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (take()) runCommand("move-cursor", { rows: go[0], columns: go[1] });
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      if (leave()) runCommand("save");
    }
  }

  function onBlur(event) {
    if (editing && document.hasFocus() && !event.relatedTarget?.closest?.(".cell-fault")) leave();
  }

  /**
   * Somebody goes on elsewhere: what was typed is taken. Where it is no value it is asked about once, and the second time
   * taken back, with a way to have it after all. False while the question stands.
   */
  function leave() {
    if (take()) return true;
    if (!editing.isAsked) {
      editing.isAsked = true;
      return false;
    }
    takeBack();
    return true;
  }

  function takeBack() {
    const { row, name, input } = editing;
    const text = input.value;
    finish();
    showToast(`“${text.slice(0, 40)}” was not kept in ${name}.`, {
      action: "Keep as text",
      onAction: () => stage([{ row, name, mine: JSON.stringify(text) }]),
    });
  }

  /** Stage what was typed. False when it is no value of the cell's type, which is then said beside it. */
  function take(as = null) {
    if (!editing) return true;
    const { row, name, input, first, isTyped } = editing;
    const text = input.value;
    if (!isTyped && text === first && as === null) {
      finish();
      return true;
    }
    if (name === KEY) {
      finish();
      table.setStaged(setKey(table.staged, row.id, text));
      return true;
    }
    const { json } = table.cell(row, name);
    const read = as === null ? readTyped(text, json, table.typesOf(name)) : readAs(text, as);
    if (read.fault) {
      complain(read.fault.message);
      return false;
    }
    finish();
    stage([{ row, name, mine: read.json }]);
    return true;
  }

  function complain(message) {
    const { row, name, input } = editing;
    input.toggleAttribute("aria-invalid", message !== null);
    editing.isAsked &&= message !== null;
    if (message === null) return view.setNote(null);
    const button = (label, action) => {
      const element = make("button", { type: "button", class: "button" }, [label]);
      element.addEventListener("click", action);
      return element;
    };
    const fault = make("div", { class: "cell-fault", role: "alert" }, [
      make("span", {}, [message]),
      button("Keep as text", () => take("string")),
      button("Take back", () => {
        finish();
        announce("Unchanged");
      }),
    ]);
    // A click on the words leaves the focus where one types.
    fault.addEventListener("mousedown", (event) => event.preventDefault());
    fault.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") finish();
      if (event.key !== "Tab") return;
      // Round and round: the text, and what can be done with it.
      const stops = [input, ...fault.querySelectorAll("button")];
      const at = stops.indexOf(document.activeElement) + (event.shiftKey ? -1 : 1);
      event.preventDefault();
      stops[at % stops.length].focus();
    });
    return view.setNote({ id: row.id, name, element: fault });
  }

  function finish() {
    const { row, cell, input } = editing;
    editing = null;
    table.isEditing = false;
    view.setNote(null);
    input.remove();
    cell.classList.remove("is-editing");
    view.redraw(row.id);
    view.focusCursor();
  }

  /** @param {{row: any, name: string, mine: string|null}[]} cells staged as one step */
  function stage(cells) {
    const whole = cells.map(({ row, name, mine }) => ({
      row,
      name,
      mine,
      loaded: table.loaded(row.whole ?? row, name),
    }));
    if (whole.some(({ loaded }) => loaded instanceof LongValue)) return false;
    table.setStaged(editCells(table.staged, whole));
    return true;
  }

  function toggle(row, name) {
    const { json } = table.cell(row, name);
    if (!table.canWrite || typeOfCell(json) !== "boolean" || table.change(row.id)?.kind === "delete") return;
    stage([{ row, name, mine: json === "true" ? "false" : "true" }]);
  }

  table.on("rows", () => editing && table.indexOf(editing.row.id) === -1 && finish());

  addCommands({ "toggle-cell": ({ row, name }) => toggle(row, name) });
  return { begin, leave, stage };
}
