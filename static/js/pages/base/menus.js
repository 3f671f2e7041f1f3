/** Menus open beside what opened them, and stay inside the window. `data-close` closes the dialog it stands in. */

const GAP = 6;

for (const menu of document.querySelectorAll(".menu-at[popover]")) {
  let opener = null;
  menu.addEventListener("beforetoggle", (event) => {
    if (event.newState === "open") opener = event.source ?? document.querySelector(`[popovertarget="${menu.id}"]`) ?? document.activeElement;
  });
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    place(menu, opener);
    new ResizeObserver((_, observer) => (menu.matches(":popover-open") ? place(menu, opener) : observer.disconnect())).observe(menu);
  });
}

function place(menu, opener) {
  const from = opener.getBoundingClientRect();
  const fitsBelow = from.bottom + GAP + menu.offsetHeight < innerHeight;
  const left = from.left + menu.offsetWidth > innerWidth - GAP ? from.right - menu.offsetWidth : from.left;
  menu.style.left = `${Math.max(GAP, Math.min(left, innerWidth - menu.offsetWidth - GAP))}px`;
  const above = from.top - menu.offsetHeight - GAP;
  const lowest = Math.max(GAP, innerHeight - menu.offsetHeight - GAP);
  menu.style.top = `${fitsBelow ? from.bottom + GAP : above >= GAP ? above : lowest}px`;
}

document.addEventListener("click", (event) => {
  const dialog = event.target.closest("dialog");
  if (!dialog || dialog.id === "dialog" || dialog.id === "palette") return;
  if (event.target.closest("[data-close]")) dialog.close();
});
