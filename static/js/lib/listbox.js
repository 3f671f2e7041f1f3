/** Moving through a list of options with the keyboard. */

/**
 * Where a key leads in a list.
 * @param {string} key of a keydown event
 * @param {number} index of the option that is selected, -1 for none
 * @param {number} count of options
 * @returns {number | null} the index to select, or null when the key means nothing here
 */
export function nextIndex(key, index, count) {
  if (count === 0) return null;
  switch (key) {
    case "ArrowDown":
      return (index + 1) % count;
    case "ArrowUp":
      return index <= 0 ? count - 1 : index - 1;
    case "PageDown":
      return Math.min(index + 5, count - 1);
    case "PageUp":
      return Math.max(index - 5, 0);
    default:
      return null;
  }
}
