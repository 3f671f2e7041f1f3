/** Where keys lead in a grid, which of its rows are in view, and what a range between two cells covers. */

/**
 * Where a key leads.
 * @param {{key: string, ctrlKey: boolean}} event
 * @param {{row: number, column: number}} at
 * @param {{rows: number, columns: number, pageRows: number}} size
 * @returns {{row: number, column: number}|null} null when the key does not move
 */
export function nextCell({ key, ctrlKey }, at, { rows, columns, pageRows }) {
  const lastRow = rows - 1;
  const lastColumn = columns - 1;
  const moves = {
    ArrowUp: () => ({ row: ctrlKey ? 0 : at.row - 1, column: at.column }),
    ArrowDown: () => ({ row: ctrlKey ? lastRow : at.row + 1, column: at.column }),
    ArrowLeft: () => ({ row: at.row, column: ctrlKey ? 0 : at.column - 1 }),
    ArrowRight: () => ({ row: at.row, column: ctrlKey ? lastColumn : at.column + 1 }),
    Home: () => ({ row: ctrlKey ? 0 : at.row, column: 0 }),
    End: () => ({ row: ctrlKey ? lastRow : at.row, column: lastColumn }),
    PageUp: () => ({ row: at.row - pageRows, column: at.column }),
    PageDown: () => ({ row: at.row + pageRows, column: at.column }),
  };
  if (!Object.hasOwn(moves, key) || rows === 0) return null;
  const { row, column } = moves[key]();
  return { row: within(row, 0, lastRow), column: within(column, 0, lastColumn) };
}

/** The cell beside this one, on the next row behind the last column and on the one before in front of the first; null at the ends. */
export function besideCell(at, step, { rows, columns }, first = 0) {
  const width = columns - first;
  const index = at.row * width + (at.column - first) + step;
  if (index < 0 || index >= rows * width) return null;
  return { row: Math.floor(index / width), column: first + (index % width) };
}

export function within(number, low, high) {
  return Math.max(low, Math.min(high, number));
}

/** The rows to draw: those in view and some on either side. `[first, end)` */
export function rowsInView({ scrollTop, height, rowHeight, count, around = 8 }) {
  const first = within(Math.floor(scrollTop / rowHeight) - around, 0, Math.max(0, count - 1));
  const end = within(Math.ceil((scrollTop + height) / rowHeight) + around, 0, count);
  return [first, Math.max(first, end)];
}

/** Where to scroll so that a row is seen below a header of this height; the same when it is already. */
export function scrollToRow({ row, scrollTop, height, rowHeight, headerHeight }) {
  const top = row * rowHeight;
  const shown = height - headerHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + shown) return top + rowHeight - shown;
  return scrollTop;
}

/** The rectangle between two cells, both included. */
export function rectangle(one, other) {
  return {
    top: Math.min(one.row, other.row),
    bottom: Math.max(one.row, other.row),
    left: Math.min(one.column, other.column),
    right: Math.max(one.column, other.column),
  };
}

export function isInside({ top, bottom, left, right }, row, column) {
  return row >= top && row <= bottom && column >= left && column <= right;
}
