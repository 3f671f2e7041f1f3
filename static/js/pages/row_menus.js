/** Menus in the rows of a list: each opens beside its button. The list may be drawn anew at any time, so the page listens, not they. */

import { putBeside } from "./popovers.js";

document.addEventListener(
  "toggle",
  (event) => {
    const menu = /** @type {HTMLElement} */ (event.target);
    if (!menu.matches(".menu-row") || event.newState !== "open") return;
    putBeside(menu, document.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect());
    menu.querySelector("a, button").focus();
  },
  { capture: true },
);

document.addEventListener("click", (event) => {
  if (event.target.closest(".menu-row a")) event.target.closest(".menu-row").hidePopover();
});
// A menu is put where its button was: it goes when that moves.
document.addEventListener("scroll", () => document.querySelector(".menu-row:popover-open")?.hidePopover(), {
  capture: true,
  passive: true,
});
