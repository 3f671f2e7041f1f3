/** The menus: where they open, and moving in them with the keyboard. */

import { nextIndex } from "../../lib/listbox.js";
import { isFolder } from "../../lib/drive_paths.js";
import { offerDeeds, run } from "./commands.js";
import { chosenNames, focusRow, isSelected, selectNone } from "./file_rows.js";

const GAP = 4;
const entryMenu = document.getElementById("drive-menu");
const uploadMenu = document.getElementById("upload-menu");
let opener = null;

offerDeeds({
  menu: ({ row }) => openEntryMenu(row, row.querySelector("[data-menu]").getBoundingClientRect()),
  "menu-of": ({ names, from }) => showEntryMenu(names, from.getBoundingClientRect(), from),
  "upload-menu": ({ button }) => open(uploadMenu, button.getBoundingClientRect(), button),
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-menu]");
  if (button) openEntryMenu(button.closest(".drive-row"), button.getBoundingClientRect());
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
  for (const item of entryMenu.querySelectorAll("[data-do]")) {
    item.hidden = ("one" in item.dataset && !isOne) || ("file" in item.dataset && !isOneFile) || (item.dataset.do === "open" && !isOne);
  }
  open(entryMenu, at, from);
}

function open(menu, at, from) {
  opener = from;
  // Above a modal dialog only what is inside it can be reached.
  (from.closest("dialog") ?? document.getElementById("drive").parentElement).append(menu);
  menu.showPopover();
  const { width, height } = menu.getBoundingClientRect();
  const left = at.left + width + GAP > innerWidth ? at.right - width : at.left;
  const top = at.bottom + GAP + height > innerHeight ? at.top - GAP - height : at.bottom + GAP;
  menu.style.left = `${Math.max(left, GAP)}px`;
  menu.style.top = `${Math.max(top, GAP)}px`;
  items(menu)[0].focus();
}

function items(menu) {
  return [...menu.querySelectorAll("[data-do]")].filter((item) => !item.hidden);
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
  // The deed is done after the menu has closed, so that a dialog finds the focus where it was before.
  menu.addEventListener("click", (event) => {
    const item = event.target.closest("[data-do]");
    if (!item) return;
    event.stopPropagation();
    menu.hidePopover();
    run(item.dataset.do, { button: item });
  });
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && (document.activeElement === document.body || menu.contains(document.activeElement))) opener?.focus({ preventScroll: true });
  });
}
