/** Editing `__expires` where it stands: its field opens beside the cell. */

import { addCommands, runCommand } from "../commands.js";
import { putBeside } from "../popovers.js";
import { showToast } from "../toasts.js";
import { make } from "./dom.js";
import { createExpiryField } from "./expiry_field.js";
import { EXPIRES } from "./table_state.js";

export function createExpiryPopover(table, view, { edits }) {
  const popover = document.getElementById("expiry");
  let open = null; // {row, json, field, isSettled}

  function show({ row, typed }) {
    const { json } = table.cell(row, EXPIRES);
    const field = createExpiryField(json, { typed, onChoose: () => settle() });
    open = { row, json, field, isSettled: false };
    const cancel = make("button", { type: "button", class: "button" }, ["Cancel"]);
    cancel.addEventListener("click", close);
    const set = make("button", { type: "button", class: "button button-accent" }, ["Set"]);
    set.addEventListener("click", () => settle());
    popover.replaceChildren(field.element, make("div", { class: "actions" }, [cancel, set]));
    popover.showPopover();
    putBeside(popover, view.cellElement(row.id, EXPIRES).getBoundingClientRect());
    field.focus();
  }

  /** Stage what the field says; it stays open where that is no date. */
  function settle() {
    const read = open.field.read();
    if (read.fault) return false;
    stage(read.json);
    close();
    return true;
  }

  function stage(mine) {
    if (mine !== open.json) edits.stage([{ row: open.row, name: EXPIRES, mine }]);
  }

  function close() {
    open.isSettled = true;
    popover.hidePopover();
    view.focusCursor();
  }

  popover.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault();
      if (settle()) runCommand("move-cursor", { rows: 1, columns: 0 });
    }
  });

  // A click elsewhere closes it: a date is taken, and what is none can be had back.
  popover.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "closed" || !open) return;
    const { row, field, isSettled } = open;
    if (!isSettled) {
      const read = field.read();
      if (!read.fault) stage(read.json);
      else
        showToast(`“${field.text().slice(0, 40)}” is no date and was not kept.`, {
          action: "Reopen",
          onAction: () => table.row(row.id) && reopen(row, field.text()),
        });
    }
    open = null;
    popover.replaceChildren();
  });

  function reopen(row, typed) {
    table.setCursor({ id: row.id, name: EXPIRES });
    show({ row, typed });
  }

  addCommands({ "open-expiry": show });
}
