/** What the keys mean in a list of files. */

/**
 * Where a key moves the focus in a list of rows; unlike in a menu, it stops at both ends.
 * @param {string} key of a keydown event
 * @param {number} index of the row that has the focus
 * @param {number} count of rows
 * @param {number} page how many rows fit the window
 * @param {number} columns of a grid, in which the rows stand beside each other; 1 for a list
 * @returns {number | null} null when the key does not move
 */
export function nextRow(key, index, count, page, columns = 1) {
  if (count === 0) return null;
  const sideways = columns > 1 ? { ArrowRight: index + 1, ArrowLeft: index - 1 } : {};
  const moves = {
    ...sideways,
    ArrowDown: index + columns,
    ArrowUp: index - columns,
    PageDown: index + page,
    PageUp: index - page,
    Home: 0,
    End: count - 1,
  };
  return key in moves ? Math.min(Math.max(moves[key], 0), count - 1) : null;
}

/**
 * The row that typed letters lead to: the next whose label begins with them, from the focused one on and around.
 * One letter typed again goes on to the next such row; more letters stay on a row that fits already.
 * @returns {number} -1 when none does
 */
export function findByLetters(labels, typed, index) {
  const wanted = typed.toLocaleLowerCase();
  const start = [...typed].length === 1 ? index + 1 : index;
  for (let step = 0; step < labels.length; step += 1) {
    const row = (start + step + labels.length) % labels.length;
    if (labels[row].toLocaleLowerCase().startsWith(wanted)) return row;
  }
  return -1;
}
