/** Where something that opens beside something else goes, so that it stays inside the window. */

/**
 * Below what it belongs to; above, where there is no room below; and as low as it can be, where there is room in neither.
 * @param {{left: number, right: number, top: number, bottom: number}} from what it belongs to
 * @param {{width: number, height: number}} size of what is placed
 * @param {{width: number, height: number}} viewport
 * @param {number} [gap] kept to what it belongs to and to the window's edges
 * @returns {{left: number, top: number}}
 */
export function placeBeside(from, size, viewport, gap = 6) {
  const left = from.left + size.width > viewport.width - gap ? from.right - size.width : from.left;
  const below = from.bottom + gap;
  const above = from.top - size.height - gap;
  const lowest = viewport.height - size.height - gap;
  const top = below <= lowest ? below : above >= gap ? Math.min(above, lowest) : lowest;
  return { left: Math.max(gap, Math.min(left, viewport.width - size.width - gap)), top: Math.max(gap, top) };
}
