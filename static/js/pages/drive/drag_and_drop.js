/** Files and folders that come into the page: dropped anywhere, chosen, or pasted. And rows that are dragged onto folders. */

import { canMoveInto } from "../../lib/drive_paths.js";
import { listFiles, walkEntries } from "../../lib/dropped_files.js";
import { addCommands } from "../commands.js";
import { showToast } from "../toasts.js";
import { canWrite, nameOfFolder } from "./context.js";
import { chosenNames, isSelected, selectOnly } from "./file_rows.js";
import { moveTo } from "./moves.js";
import { currentRoute } from "./navigation.js";
import { upload } from "./uploads.js";

const OURS = "application/x-homeport-names";

const overlay = document.getElementById("drop-here");
const target = document.getElementById("drop-target");
const files = document.getElementById("choose-files");
const folder = document.getElementById("choose-folder");
let depth = 0;
let dragged = null;

if (canWrite) {
  addCommands({ upload: () => files.click(), "upload-folder": () => folder.click() });
  for (const input of [files, folder]) {
    input.addEventListener("change", () => {
      const found = { files: listFiles(input.files) };
      // Choosing the same file again is a change, too.
      input.value = "";
      upload(found);
    });
  }
  addEventListener("dragenter", (event) => {
    if (!bringsFiles(event)) return;
    depth += 1;
    showTarget(folderAt(event) ?? currentRoute().folder);
  });
  addEventListener("dragleave", (event) => {
    if (!bringsFiles(event)) return;
    depth = Math.max(depth - 1, 0);
    if (depth === 0) overlay.hidden = true;
  });
  addEventListener("dragover", (event) => {
    if (bringsFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    overlay.hidden = true;
    take(event.dataTransfer, folderAt(event) ?? currentRoute().folder);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData.files.length === 0 || event.target.closest("input, textarea")) return;
    event.preventDefault();
    upload({ files: listFiles(event.clipboardData.files) });
  });
}

if (!canWrite) {
  // A file that nobody takes would be opened by the browser, in place of the page.
  addEventListener("dragover", (event) => bringsFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    showToast("Your role in this collection lets you download files, not upload them.");
  });
}

function bringsFiles(event) {
  return dragged === null && event.dataTransfer?.types.includes("Files") && !document.querySelector("#dialog[open]");
}

/** The folder under the pointer: a row, or a part of the path. */
function folderAt(event) {
  const row = event.target.closest?.(".drive-row[data-kind=folder]");
  return row?.dataset.name ?? event.target.closest?.(".drive-crumbs a[data-folder]")?.dataset.folder ?? null;
}

function showTarget(name) {
  overlay.hidden = false;
  target.textContent = nameOfFolder(name);
}

/** The entries must be asked for before anything is waited for: a drop is over with its event. */
async function take(transfer, name) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = listFiles(transfer.files);
  await upload(entries.length > 0 ? await walkEntries(entries) : { files: loose }, name);
}

// Rows dragged onto a folder of the list or of the path; a file dragged out of the window is downloaded (Chromium).

document.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.(".drive-row");
  if (!row) return;
  if (!isSelected(row.dataset.name)) selectOnly(row.dataset.name);
  dragged = chosenNames();
  event.dataTransfer.effectAllowed = canWrite ? "copyMove" : "copy";
  event.dataTransfer.setData(OURS, "");
  event.dataTransfer.setData("text/plain", dragged.join("\n"));
  const link = row.querySelector(".drive-download");
  if (link && dragged.length === 1) {
    const name = row.dataset.label.replaceAll(":", "_");
    event.dataTransfer.setData("DownloadURL", `application/octet-stream:${name}:${link.href}`);
  }
});
document.addEventListener("dragend", () => {
  dragged = null;
  markTarget(null);
});
document.addEventListener("dragover", (event) => {
  const name = dragged && canWrite ? folderAt(event) : null;
  const isPossible = name !== null && dragged.some((each) => canMoveInto(each, name));
  markTarget(isPossible ? event.target.closest(".drive-row, .drive-crumbs a") : null);
  if (!isPossible) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
});
document.addEventListener("drop", (event) => {
  const name = dragged && canWrite ? folderAt(event) : null;
  if (name === null) return;
  event.preventDefault();
  const names = dragged;
  dragged = null;
  markTarget(null);
  moveTo(names, name);
});

function markTarget(element) {
  for (const marked of document.querySelectorAll(".drop-target"))
    if (marked !== element) marked.classList.remove("drop-target");
  element?.classList.add("drop-target");
}
