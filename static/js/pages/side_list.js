/** The list beside a collection's pages on wide screens: a search leaves what contains what is typed, Enter goes to the first. */

import { nextIndex } from "../lib/listbox.js";

const field = document.getElementById("side-find");
const parts = document.getElementById("side-parts");

if (field) {
  const items = [...parts.querySelectorAll("li")];
  const links = () => [...parts.querySelectorAll("li:not([hidden]) a")];

  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    for (const item of items) item.hidden = !item.textContent.toLocaleLowerCase().includes(wanted);
    for (const part of parts.querySelectorAll("section")) part.hidden = !part.querySelector("li:not([hidden])");
    document.getElementById("side-none").hidden = links().length > 0 || wanted === "";
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") links()[0]?.click();
    if (event.key === "Escape" && field.value !== "") {
      field.value = "";
      field.dispatchEvent(new Event("input"));
    }
  });
  field.closest("aside").addEventListener("keydown", (event) => {
    const all = [field, ...links()];
    const index = all.indexOf(document.activeElement);
    const next = index === -1 ? null : nextIndex(event.key, index, all.length);
    if (next === null || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    all[next].focus();
  });
  parts.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}
