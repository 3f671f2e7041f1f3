/**
 * Which rows of a list are selected, as in a file manager: one alone, one more (Ctrl), a range (Shift).
 * A selection is never changed; every function returns a new one. Names that left the list leave the selection with `keep`.
 *
 * @typedef {{chosen: ReadonlySet<string>, anchor: string | null}} Selection `anchor`: where a range starts
 */

/** @returns {Selection} */
export function none() {
  return { chosen: new Set(), anchor: null };
}

/** This one alone. */
export function only(name) {
  return { chosen: new Set([name]), anchor: name };
}

/** This one in or out, the others as they are. */
export function toggle(selection, name) {
  const chosen = new Set(selection.chosen);
  if (!chosen.delete(name)) chosen.add(name);
  return { chosen, anchor: name };
}

/**
 * Everything from the anchor to this one; with `add` on top of what is selected, else instead of it.
 * Without an anchor in the list the range starts at the first row.
 * @param {string[]} order the names as they are listed
 */
export function extend(selection, order, name, { add = false } = {}) {
  const to = order.indexOf(name);
  if (to < 0) return selection;
  const from = Math.max(order.indexOf(selection.anchor), 0);
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { chosen: new Set(add ? [...selection.chosen, ...range] : range), anchor: order[from] };
}

/** All that are listed. */
export function all(order) {
  return { chosen: new Set(order), anchor: order[0] ?? null };
}

/** What of it is still listed. */
export function keep(selection, order) {
  const listed = new Set(order);
  return {
    chosen: new Set([...selection.chosen].filter((name) => listed.has(name))),
    anchor: listed.has(selection.anchor) ? selection.anchor : null,
  };
}

/** How a pointer selects: the meaning of a click with these keys held. */
export function click(selection, order, name, { ctrl = false, shift = false } = {}) {
  if (shift) return extend(selection, order, name, { add: ctrl });
  return ctrl ? toggle(selection, name) : only(name);
}
