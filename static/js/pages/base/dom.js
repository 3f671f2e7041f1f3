/** Making elements without markup in strings: what an item holds is always text. */

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, any>} attributes `class` may be a list with holes; null and undefined are left out
 * @param {(Node|string)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes = {}, children = []) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (attribute === "class") element.className = [value].flat().filter(Boolean).join(" ");
    else element.setAttribute(attribute, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const icons = document.getElementById("base-icons").content;

/** An icon that the page's template holds, ready to be put somewhere. */
export function icon(name) {
  return icons.querySelector(`[data-icon="${name}"]`).firstElementChild.cloneNode(true);
}

/** A text as nodes: what stands between back quotes is set as code. */
export function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? make("code", {}, [part]) : part));
}

/** Say something to who listens to the page instead of looking at it. */
export function announce(text) {
  const live = document.getElementById("base-live");
  // The same words twice are only said twice when they change in between.
  live.textContent = live.textContent === text ? `${text}\u00a0` : text;
}

/** Whether keys and the clipboard mean the cells of a table: it has the focus, and nothing is being edited or asked. */
export function isAtCells({ grid, isEditing }) {
  const focused = document.activeElement;
  return (
    grid.contains(focused) && !focused.closest(".grid-head") && !isEditing && !document.querySelector("dialog[open]")
  );
}
