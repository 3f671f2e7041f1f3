/** Menus and messages that open beside something else. Elements with the class `menu-at` place themselves when they open. */

import { placeBeside } from "../lib/placement.js";

/** @param {HTMLElement} element that is shown, with a fixed position @param {DOMRect} from what it belongs to */
export function putBeside(element, from) {
  const size = { width: element.offsetWidth, height: element.offsetHeight };
  const { left, top } = placeBeside(from, size, { width: innerWidth, height: innerHeight });
  Object.assign(element.style, { left: `${left}px`, top: `${top}px` });
}

for (const menu of document.querySelectorAll(".menu-at[popover]")) {
  let opener = null;
  const place = () => putBeside(menu, opener.getBoundingClientRect());
  menu.addEventListener("beforetoggle", (event) => {
    if (event.newState === "open")
      opener = event.source ?? document.querySelector(`[popovertarget="${menu.id}"]`) ?? document.activeElement;
  });
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    place();
    new ResizeObserver((_, observer) => (menu.matches(":popover-open") ? place() : observer.disconnect())).observe(
      menu,
    );
  });
}
