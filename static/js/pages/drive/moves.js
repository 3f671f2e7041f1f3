/** New folders, and moving: by a dialog that walks the folders, or by dragging rows onto a folder. */

import { canMoveInto, faultOfLabel, folderOf, labelOf } from "../../lib/drive_paths.js";
import { addCommands } from "../commands.js";
import { showToast } from "../toasts.js";
import { askServer, canWrite, emit, nameOfFolder } from "./context.js";
import { askInDialog, offerUndo, showError } from "./dialogs.js";
import { selectNone } from "./file_rows.js";
import { chooseFolder, makeFolder } from "./folder_picker.js";
import { currentRoute } from "./navigation.js";
import { leaveOpened } from "./preview.js";
import { showFault } from "./renaming.js";
import { describeNames, namesByKind, selection } from "./selection.js";

if (canWrite) addCommands({ "new-folder": askForFolder, move: () => askToMove(selection()) });

async function askForFolder() {
  const { folder } = currentRoute();
  await askInDialog(
    "ask-name",
    (slots) => {
      slots.title.textContent = "New folder";
      slots.yes.textContent = "Create";
      slots.help.textContent = `In ${nameOfFolder(folder)}. It stays even when it is empty.`;
    },
    async (form) => {
      const label = form.querySelector("input").value;
      const fault = faultOfLabel(label, folder) || (await makeFolder(`${folder}${label}/`, { focus: true }));
      return showFault(form, fault);
    },
  );
}

async function askToMove(names) {
  if (names.length === 0) return;
  const target = await chooseFolder(names);
  if (target !== null) await moveTo(names, target);
}

/** Move files and folders; names that are taken there are asked about, once for all. */
export async function moveTo(names, target) {
  const able = names.filter((name) => canMoveInto(name, target));
  if (able.length === 0) return;
  try {
    const { files, isClear } = await move(able, target);
    if (files === null) return;
    leaveOpened(able);
    selectNone();
    emit("changed");
    const said = `Moved ${describeNames(able)} to ${nameOfFolder(target)}.`;
    // What replaced something, or got another name, cannot be moved back as if nothing had been.
    const about = [...able, ...able.map((name) => target + name.slice(folderOf(name).length))];
    if (isClear) offerUndo(said, () => moveBack(able, target), { about });
    else showToast(said);
  } catch (error) {
    showError(error);
    emit("changed");
  }
}

async function move(names, to, ifExists = "fail") {
  try {
    const { files } = await askServer("POST", "move/", { ...namesByKind(names), to, if_exists: ifExists });
    return { files, isClear: ifExists === "fail" };
  } catch (error) {
    if (error.status !== 409 || ifExists !== "fail") throw error;
    const choice = await askAboutTaken(error.body, to);
    return choice === null ? { files: null } : move(names, to, choice);
  }
}

async function askAboutTaken({ taken, count }, to) {
  const answer = await askInDialog("ask-clash", (slots) => {
    slots.what.textContent =
      count === 1 ? `“${labelOf(taken[0])}” already exists` : `${count.toLocaleString("en")} names already exist`;
    slots.where.textContent = `In ${nameOfFolder(to)}. Nothing has been moved yet.`;
    slots.all.remove();
    slots.skip.textContent = "Cancel";
    slots.skip.value = "";
  });
  return answer?.choice ?? null;
}

/** Each from where it is now to where it was; all were in one folder, or a search had found them in several. */
async function moveBack(names, from) {
  const byFolder = groupBy(names, folderOf);
  try {
    for (const [to, group] of byFolder) {
      const there = group.map((name) => from + name.slice(to.length));
      await askServer("POST", "move/", { ...namesByKind(there), to });
    }
    showToast("Moved back.");
    return true;
  } catch (error) {
    showError(error);
    return false;
  } finally {
    emit("changed");
  }
}

function groupBy(names, keyOf) {
  const groups = new Map();
  for (const name of names) groups.set(keyOf(name), [...(groups.get(keyOf(name)) ?? []), name]);
  return groups;
}
