/** Choosing the folder to move to: a walk through the folders, in a dialog. */

import { canMoveInto, faultOfLabel, labelOf, unturned } from "../../lib/drive_paths.js";
import { askServer, drive, emit, nameOfFolder } from "./context.js";
import { askInDialog, clone } from "./dialogs.js";
import { currentRoute } from "./navigation.js";
import { describeNames } from "./selection.js";

/** @returns {Promise<string | null>} the folder, null for none */
export async function chooseFolder(names) {
  let here = currentRoute().folder;
  const answer = await askInDialog("ask-folder", (slots) => {
    slots.what.textContent = describeNames(names);
    const go = async (folder, focus = false) => {
      here = folder;
      slots.folders.querySelector("input")?.closest("li").remove();
      slots.crumbs.replaceChildren(...makeCrumbs(folder, go));
      const canMove = names.some((name) => canMoveInto(name, folder));
      slots.yes.disabled = !canMove;
      slots.yes.textContent = canMove ? `Move to ${folder === "" ? drive : labelOf(folder)}` : "Already here";
      let fault = "";
      const rows = await listRows(folder, names, go).catch((error) => {
        fault = error.message;
        return [];
      });
      if (folder !== here) return;
      slots.fault.textContent = fault;
      // Who has begun to name a new folder meanwhile goes on typing.
      const typing = slots.folders.querySelector("input")?.closest("li");
      for (const old of [...slots.folders.children]) if (old !== typing) old.remove();
      slots.folders.append(...rows);
      if (focus && !typing) (slots.folders.querySelector("button") ?? slots.yes).focus();
    };
    slots.new.addEventListener("click", () => typeNewFolder(slots, here, go));
    go(here, true);
  });
  return answer === null ? null : here;
}

function makeCrumbs(folder, go) {
  const parts = folder === "" ? [] : folder.slice(0, -1).split("/");
  const crumbs = parts.map((label, index) => ({
    label: label || "(no name)",
    folder: `${parts.slice(0, index + 1).join("/")}/`,
  }));
  return [{ label: drive, folder: "" }, ...crumbs].flatMap((crumb, index, all) => {
    if (index === all.length - 1)
      return [Object.assign(document.createElement("span"), { className: "drive-here", textContent: crumb.label })];
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: "crumb-button",
      textContent: crumb.label,
    });
    button.addEventListener("click", () => go(crumb.folder, true));
    return [button, Object.assign(document.createElement("span"), { textContent: "/", ariaHidden: "true" })];
  });
}

async function listRows(folder, names, go) {
  const { folders, more } = await askServer("GET", `folders/?folder=${encodeURIComponent(folder)}`);
  // A folder cannot go into itself: it is not there to be chosen.
  const rows = folders.filter((each) => !names.includes(each)).map((each) => makeRow(each, go));
  if (more) return [...rows, makeNote("There are more folders than are listed here.")];
  return rows.length > 0 ? rows : [makeNote("No folders here.")];
}

function makeNote(text) {
  return Object.assign(document.createElement("li"), { className: "quiet", textContent: text });
}

function makeRow(folder, go) {
  const row = clone("ask-folder-row");
  row.querySelector("bdi").textContent = unturned(labelOf(folder)) || "(no name)";
  row.querySelector("button").addEventListener("click", () => go(folder, true));
  return row;
}

function typeNewFolder(slots, here, go) {
  if (slots.folders.querySelector("input")) return;
  const row = document.createElement("li");
  const field = Object.assign(document.createElement("input"), {
    className: "input",
    type: "text",
    placeholder: "Name of the new folder",
    autocomplete: "off",
    spellcheck: false,
  });
  field.setAttribute("aria-label", `New folder in ${nameOfFolder(here)}`);
  row.append(field);
  slots.folders.prepend(row);
  field.focus();
  field.addEventListener("keydown", async (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      row.remove();
      slots.new.focus();
    }
    if (event.key !== "Enter") return;
    event.preventDefault();
    const name = `${here}${field.value}/`;
    const fault = faultOfLabel(field.value, here) || (await makeFolder(name));
    slots.fault.textContent = fault;
    if (fault === "") go(name, true);
  });
}

/** @returns {Promise<string>} what is wrong, "" when it is made */
export async function makeFolder(name, { focus = false } = {}) {
  try {
    await askServer("POST", "folders/", { name });
    emit("changed", { focus: focus ? name : null });
    return "";
  } catch (error) {
    return error.status === 409 ? "A folder with this name already exists." : error.message;
  }
}
