/** Fields with data-finds="an-id" leave of that list what contains what is typed; arrows move on into it, Enter goes to the first. */

import { nextIndex } from "../lib/listbox.js";
import "./popovers.js";

for (const field of document.querySelectorAll("[data-finds]")) {
  const list = document.getElementById(field.dataset.finds);
  const shown = () => [...list.querySelectorAll("li:not([hidden]) a")];

  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    for (const item of list.children) item.hidden = !item.textContent.toLocaleLowerCase().includes(wanted);
  });
  field.closest("[popover]").addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    field.value = "";
    field.dispatchEvent(new Event("input"));
    field.focus();
  });
  field.closest("[popover]").addEventListener("keydown", (event) => {
    const links = shown();
    const index = links.indexOf(document.activeElement);
    if (event.key === "Enter" && event.target === field) links[0]?.click();
    const next = nextIndex(event.key, index, links.length);
    if (next === null) return;
    event.preventDefault();
    links[next].focus();
  });
  // What opens a dialog has to be out of its way.
  field.closest("[popover]").addEventListener("click", (event) => {
    if (event.target.closest("a[hx-get]")) event.currentTarget.hidePopover();
  });
}
