/** Renaming, in the row itself or, from a preview, in a dialog. */

import { faultOfLabel, folderOf, isFolder, labelOf, relabel, stemEnd } from "../../lib/drive_paths.js";
import { isInvalid } from "../../lib/requests.js";
import { addCommands } from "../commands.js";
import { askServer, canWrite, emit } from "./context.js";
import { askInDialog, offerUndo, showError } from "./dialogs.js";
import { chosenNames, focusRow, rowOf, selectNone } from "./file_rows.js";
import { followOpened, openedName } from "./preview.js";

if (canWrite) {
  addCommands({
    rename: () => {
      if (openedName()) return renameInDialog(openedName());
      const names = chosenNames();
      return names.length === 1 ? renameInRow(rowOf(names[0])) : undefined;
    },
  });
}

/** @returns {Promise<string>} what is wrong, "" when it is done */
async function rename(from, label) {
  const fault = faultOfLabel(label, folderOf(from));
  if (fault || label === labelOf(from)) return fault;
  const to = relabel(from, label);
  try {
    await askServer("POST", "rename/", { from, to });
  } catch (error) {
    if (error.status === 409)
      return isFolder(from) ? "Files with these names already exist there." : "A file with this name already exists.";
    if (isInvalid(error)) return error.message;
    throw error;
  }
  followOpened(from, to);
  selectNone();
  emit("changed", { focus: to });
  offerUndo(`Renamed to “${label}”.`, () => undoRename(to, from), { about: [from, to] });
  return "";
}

async function undoRename(from, to) {
  try {
    await askServer("POST", "rename/", { from, to });
    followOpened(from, to);
    emit("changed", { focus: to });
    return true;
  } catch (error) {
    showError(error);
    return false;
  }
}

/** The name becomes a field; Enter renames, Escape and leaving it without a change do not. */
function renameInRow(row) {
  const { name, label } = row.dataset;
  const link = row.querySelector("[data-open]");
  const field = document.createElement("input");
  const fault = document.createElement("p");
  Object.assign(field, {
    className: "input rename-field",
    type: "text",
    value: label,
    spellcheck: false,
    autocomplete: "off",
  });
  field.setAttribute("aria-label", `New name of ${label}`);
  fault.className = "rename-fault";
  fault.id = "rename-fault";
  fault.setAttribute("role", "alert");
  link.hidden = true;
  link.after(field, fault);
  row.draggable = false;
  field.focus();
  field.setSelectionRange(0, isFolder(name) ? label.length : stemEnd(label));

  let isOver = false;
  const end = (focus) => {
    isOver = true;
    field.remove();
    fault.remove();
    link.hidden = false;
    row.draggable = true;
    if (focus && row.isConnected) focusRow(name);
  };
  const commit = async (stays) => {
    if (isOver) return;
    if (field.value === label) return end(stays);
    try {
      const wrong = await rename(name, field.value);
      if (wrong === "") return end(stays);
      fault.textContent = wrong;
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", fault.id);
      if (!stays) end(false);
    } catch (error) {
      showError(error);
      end(stays);
    }
  };
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    event.stopPropagation();
    if (event.key === "Enter") commit(true);
    else if (event.key === "Escape") end(true);
  });
  field.addEventListener("blur", () => commit(false));
}

async function renameInDialog(name) {
  await askInDialog(
    "ask-name",
    (slots, form) => {
      slots.title.textContent = "Rename";
      slots.yes.textContent = "Rename";
      const field = form.querySelector("input");
      field.value = labelOf(name);
      setTimeout(() => field.setSelectionRange(0, stemEnd(field.value)));
    },
    async (form) => {
      try {
        return showFault(form, await rename(name, form.querySelector("input").value));
      } catch (error) {
        return showFault(form, error.message);
      }
    },
  );
}

/** @returns {boolean} whether there is none */
export function showFault(form, text) {
  form.querySelector(".field-errors").textContent = text;
  form.querySelector("input").setAttribute("aria-invalid", String(text !== ""));
  if (text) form.querySelector("input").focus();
  return text === "";
}
