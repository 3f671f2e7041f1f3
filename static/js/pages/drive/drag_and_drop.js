/** Files and folders that come into the page: dropped anywhere, chosen, or pasted. And rows that are dragged onto folders. */

import { canMoveInto, isWithin } from "../../lib/drive_paths.js";
import { listFiles, walkEntries } from "../../lib/dropped_files.js";
import { createSpring } from "../../lib/spring.js";
import { stepBack } from "../../lib/step_back.js";
import { addCommands } from "../commands.js";
import { showToast } from "../toasts.js";
import { canWrite, nameOfFolder, viewElement } from "./context.js";
import { chosenNames, isSelected, selectOnly } from "./file_rows.js";
import { moveTo } from "./moves.js";
import { currentRoute, show } from "./navigation.js";
import { upload } from "./uploads.js";

const OURS = "application/x-homeport-names";
/** So long is something held over a folder before it opens, as desktops have it. */
const SPRING_MS = 800;

const overlay = document.getElementById("drop-here");
const target = document.getElementById("drop-target");
const files = document.getElementById("choose-files");
const folder = document.getElementById("choose-folder");
/** What of the page files from outside are over, the names that are dragged inside, and how many folders opened under either. */
let entered = null;
let dragged = null;
let wentInto = 0;

const spring = createSpring(openUnderHand, SPRING_MS);

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
    if (bringsFiles(event)) entered = event.target;
  });
  addEventListener("dragleave", (event) => {
    // The next element is entered before the last one is left, so this is the way out of the window, or Escape.
    if (bringsFiles(event) && event.target === entered) endVisit({ isDropped: false });
  });
  addEventListener("dragover", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    const over = folderAt(event);
    overlay.hidden = false;
    target.textContent = nameOfFolder(over ?? currentRoute().folder);
    markTarget(over === null ? null : elementAt(event));
    holdOver(over, event);
  });
  addEventListener("drop", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    const into = folderAt(event) ?? currentRoute().folder;
    endVisit({ isDropped: true });
    take(event.dataTransfer, into);
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

/** The row of a folder, or the part of the path, under the pointer. */
function elementAt(event) {
  return event.target.closest?.(".drive-row[data-kind=folder], #drive-view .drive-crumbs a[data-folder]") ?? null;
}

function folderAt(event) {
  const element = elementAt(event);
  return element?.dataset.name ?? element?.dataset.folder ?? null;
}

/** The entries must be asked for before anything is waited for: a drop is over with its event. */
async function take(transfer, name) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = listFiles(transfer.files);
  await upload(entries.length > 0 ? await walkEntries(entries) : { files: loose }, name);
}

// Folders open while something is held over them. When it is let go elsewhere, the page goes back to where the drag began.

function holdOver(name, event) {
  spring.hold(name === currentRoute().folder ? null : name, { x: event.clientX, y: event.clientY });
}

function openUnderHand(name) {
  markTarget(null);
  wentInto += 1;
  show({ folder: name, q: "", file: "" }, { how: wentInto === 1 ? "push" : "replace" });
}

function endVisit({ isDropped }) {
  entered = dragged = null;
  overlay.hidden = true;
  spring.cancel();
  markTarget(null);
  if (wentInto > 0 && !isDropped) stepBack();
  wentInto = 0;
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
  // Heard there also when another folder has opened, and the row is in the page no longer.
  event.target.addEventListener("dragend", endMove, { once: true });
});
// While something is dragged no pointer moves; a browser that keeps the end of it to itself is found out so.
document.addEventListener("pointermove", endMove);
document.addEventListener("dragover", (event) => {
  if (dragged === null || !canWrite) return;
  const over = folderAt(event);
  holdOver(over !== null && dragged.some((each) => isWithin(over, each)) ? null : over, event);
  const into = placeAt(event);
  markTarget(into?.element ?? null);
  if (!into) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
});
document.addEventListener("drop", (event) => {
  const into = dragged && canWrite ? placeAt(event) : null;
  if (!into) return;
  event.preventDefault();
  const names = dragged;
  endVisit({ isDropped: true });
  moveTo(names, into.folder);
});

function endMove() {
  if (dragged) endVisit({ isDropped: false });
}

/** Where a drop moves what is dragged: a folder under the pointer, or else the one that is shown. Null where it moves nothing. */
function placeAt(event) {
  const { folder: here, q } = currentRoute();
  const isGround = q === "" && event.target.closest?.("#drive-view");
  const found = folderAt(event) ?? (isGround ? here : null);
  if (found === null || !dragged.some((each) => canMoveInto(each, found))) return null;
  return { folder: found, element: elementAt(event) ?? viewElement() };
}

function markTarget(element) {
  for (const marked of document.querySelectorAll(".drop-target"))
    if (marked !== element) marked.classList.remove("drop-target");
  element?.classList.add("drop-target");
}
