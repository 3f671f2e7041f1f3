/** Deleting: asked with what it is about, done at once or watched while it takes long, and undone for a while. */

import { isFolder } from "../../lib/drive_paths.js";
import { formatCount } from "../../lib/formatting.js";
import { addCommands } from "../commands.js";
import { showToast } from "../toasts.js";
import { askServer, canWrite, emit } from "./context.js";
import { askInDialog, offerUndo, showError } from "./dialogs.js";
import { describeCounts } from "./open_download_copy.js";
import { leaveOpened } from "./preview.js";
import { describeNames, namesByKind, selection } from "./selection.js";

/** How long the button stands there; Ctrl+Z undoes for as long as the server does. */
const UNDO_SHOWN_MS = 60_000;
const ASK_AGAIN_MS = 1000;

/** The message of the last deletion, whose button undoes it; gone from the page, it does so all the same. */
let last = null;

if (canWrite) addCommands({ delete: () => askToDelete(selection()), undo: undoLast });

async function askToDelete(names) {
  if (names.length === 0) return;
  const answer = await askInDialog("ask-delete", async (slots) => {
    slots.what.textContent = describeNames(names);
    if (names.length === 1 && !isFolder(names[0])) {
      slots.counts.remove();
      return;
    }
    try {
      slots.counts.textContent = `${describeCounts(await askServer("POST", "counts/", namesByKind(names)))}.`;
    } catch (error) {
      slots.counts.textContent = error.message;
    }
  });
  if (answer === null) return;
  try {
    const deletion = await askServer("POST", "delete/", namesByKind(names));
    leaveOpened(names);
    let now = deletion;
    if (deletion.ended) emit("changed");
    else
      now = await follow(
        deletion,
        (now) => `Deleting … ${now.done.toLocaleString("en")} of ${formatCount(now.files, "file")}`,
      );
    const said = `${whatWent(names, deletion)} deleted.`;
    if (now.undo_seconds) last = offerUndo(said, () => undo(deletion), { about: names, shownMs: UNDO_SHOWN_MS });
    else showToast(`${said} The server's disk is full, so this cannot be undone.`);
  } catch (error) {
    showError(error);
    emit("changed");
  }
}

function whatWent(names, deletion) {
  return names.length === 1 && !isFolder(names[0]) ? describeNames(names) : formatCount(deletion.files, "file");
}

/** A message that says how far it is, until it has ended; what the server said then. */
async function follow(deletion, describeNow) {
  const toast = showToast(describeNow({ ...deletion, done: deletion.done ?? 0 }), { shownMs: 2 ** 31 - 1 });
  const bar = document.createElement("progress");
  bar.max = Math.max(deletion.files, 1);
  bar.setAttribute("aria-label", "Progress");
  toast.append(bar);
  try {
    let now = deletion;
    while (!now.ended) {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      now = await askServer("GET", `deletions/${deletion.id}/`);
      toast.querySelector("span").textContent = describeNow(now);
      bar.value = now.done;
      emit("changed");
    }
    return now;
  } finally {
    toast.remove();
  }
}

function undoLast() {
  last?.querySelector(".toast-action").click();
  last = null;
}

async function undo(deletion) {
  try {
    let back = await askServer("POST", `deletions/${deletion.id}/undo/`, {});
    if (back.ended === false) {
      await follow({ ...deletion, ended: false }, () => "Restoring …");
      back = { ...back, restored: deletion.files };
    }
    emit("changed");
    const beside = back.kept_both?.length ?? 0;
    showToast(
      `${formatCount(back.restored, "file")} restored.${beside > 0 ? ` ${formatCount(beside, "name")} had been taken in the meantime. Both files are kept.` : ""}`,
    );
    return true;
  } catch (error) {
    showError(error);
    return false;
  }
}

document.addEventListener("keydown", (event) => {
  if (
    event.key.toLowerCase() !== "z" ||
    !(event.ctrlKey || event.metaKey) ||
    event.shiftKey ||
    event.target.closest("input, textarea")
  )
    return;
  if (last === null) return;
  event.preventDefault();
  undoLast();
});
