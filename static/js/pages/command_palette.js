/** The command palette: Ctrl+K opens it, the server finds, arrows and Enter choose. */

import { nextIndex } from "../lib/listbox.js";
import { chooseTheme } from "./theme.js";

const palette = document.getElementById("palette");
const field = document.getElementById("palette-text");
const found = document.getElementById("palette-found");

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open();
  }
});

document.querySelector("[data-opens=palette]").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
});

palette.addEventListener("click", (event) => {
  if (event.target === palette) palette.close();
});

field.form.addEventListener("submit", (event) => {
  event.preventDefault();
  options()[selectedIndex()]?.click();
});

field.addEventListener("keydown", (event) => {
  const next = nextIndex(event.key, selectedIndex(), options().length);
  if (next === null) return;
  event.preventDefault();
  select(next);
});

found.addEventListener("htmx:afterSwap", () => select(0));
// A choice on the page that is open already only moves the page, and what opens a dialog has to have this one out of its way.
found.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (!option) return;
  palette.close();
  if ("themeChoice" in option.dataset) chooseTheme(option.dataset.themeChoice);
});

function open() {
  if (palette.open || document.querySelector("dialog[open]")) return;
  field.value = "";
  palette.showModal();
  field.focus();
  field.dispatchEvent(new Event("homeport:open"));
}

function options() {
  return [...found.querySelectorAll("[role=option]")];
}

function selectedIndex() {
  return options().findIndex((option) => option.getAttribute("aria-selected") === "true");
}

function select(index) {
  for (const [position, option] of options().entries())
    option.setAttribute("aria-selected", String(position === index));
  const chosen = options()[index];
  field.setAttribute("aria-activedescendant", chosen?.id ?? "");
  chosen?.scrollIntoView({ block: "nearest" });
}
