/** The menu of an entry and the one of uploads: when they open, and moving in them with the keyboard. */

import { isFolder } from "../../lib/drive_paths.js";
import { nextIndex } from "../../lib/listbox.js";
import { addCommands } from "../commands.js";
import { putBeside } from "../popovers.js";
import { chosenNames, focusRow, isSelected, selectNone } from "./file_rows.js";
import { openedName } from "./preview.js";

const entryMenu = document.getElementById("drive-menu");
const uploadMenu = document.getElementById("upload-menu");
let opener = null;

addCommands({
  "entry-menu": ({ row, button }) => {
    const from = row ?? button.closest(".drive-row");
    openEntryMenu(from, (button ?? row.querySelector("[data-command=entry-menu]")).getBoundingClientRect());
  },
  "preview-menu": ({ button }) => showEntryMenu([openedName()], button.getBoundingClientRect(), button),
  "upload-menu": ({ button }) => open(uploadMenu, button.getBoundingClientRect(), button),
});

document.addEventListener("contextmenu", (event) => {
  const row = event.target.closest(".drive-row");
  // With Shift the browser's own menu is still to be had.
  if (!row || event.shiftKey || event.target.closest("input")) return;
  event.preventDefault();
  openEntryMenu(row, new DOMRect(event.clientX, event.clientY, 0, 0));
});

/** The menu for one entry, or for the selection when that entry belongs to it. */
function openEntryMenu(row, at) {
  const { name } = row.dataset;
  if (!isSelected(name)) selectNone();
  focusRow(name, { scroll: false });
  showEntryMenu(chosenNames(), at, row);
}

function showEntryMenu(names, at, from) {
  const isOne = names.length === 1;
  const isOneFile = isOne && !isFolder(names[0]);
  for (const item of entryMenu.querySelectorAll("[data-command]")) {
    item.hidden =
      ("one" in item.dataset && !isOne) ||
      ("file" in item.dataset && !isOneFile) ||
      (item.dataset.command === "open" && !isOne);
  }
  open(entryMenu, at, from);
}

function open(menu, at, from) {
  opener = from;
  // Above a modal dialog only what is inside it can be reached.
  (from.closest("dialog") ?? document.getElementById("drive").parentElement).append(menu);
  menu.showPopover();
  putBeside(menu, at);
  items(menu)[0].focus();
}

function items(menu) {
  return [...menu.querySelectorAll("[data-command]")].filter((item) => !item.hidden);
}

for (const menu of [entryMenu, uploadMenu]) {
  menu.addEventListener("keydown", (event) => {
    const all = items(menu);
    const at = all.indexOf(document.activeElement);
    const next = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : nextIndex(event.key, at, all.length);
    if (event.key === "Tab") menu.hidePopover();
    if (next === null) return;
    event.preventDefault();
    all[next].focus();
  });
  menu.addEventListener("toggle", (event) => {
    if (
      event.newState === "closed" &&
      (document.activeElement === document.body || menu.contains(document.activeElement))
    )
      opener?.focus({ preventScroll: true });
  });
}
