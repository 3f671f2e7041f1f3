/** What can be done, by name: buttons with data-do, menus and keys all come here. Each part of the page adds its own. */

const deeds = new Map();

/** @param {Record<string, (detail?: object) => void>} more */
export function offerDeeds(more) {
  for (const [name, deed] of Object.entries(more)) deeds.set(name, deed);
}

/** Do it, if this page lets the person do it at all. */
export function run(name, detail = {}) {
  deeds.get(name)?.(detail);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) run(button.dataset.do, { button });
});
