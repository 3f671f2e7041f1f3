/** The columns of a table: their union over the pages seen, what types they hold, and how a person arranged them. */

/** @typedef {{name: string, types: Record<string, number>}} Column */

/** Columns seen so far and those of one more page: new ones come last, types add up. */
export function mergeColumns(columns, more) {
  const merged = new Map(columns.map((column) => [column.name, column]));
  for (const { name, types } of more) {
    const known = merged.get(name);
    merged.set(name, known ? { ...known, types: addTypes(known.types, types) } : { name, types });
  }
  return [...merged.values()];
}

function addTypes(one, other) {
  const sum = { ...one };
  for (const [type, times] of Object.entries(other)) sum[type] = (sum[type] ?? 0) + times;
  return sum;
}

/** What a header says of its column: one type, "mixed", and the counts in words. */
export function typeMix(types) {
  const present = Object.entries(types)
    .filter(([type, times]) => type !== "missing" && times > 0)
    .sort((a, b) => b[1] - a[1]);
  const telling = present.filter(([type]) => type !== "null");
  const word = telling.length > 1 ? "mixed" : (telling[0]?.[0] ?? present[0]?.[0] ?? "");
  const total = Object.values(types).reduce((sum, times) => sum + times, 0);
  const missing = types.missing ?? 0;
  const counts = present.map(([type, times]) => `${type} in ${times}`).join(", ");
  return { word, inWords: missing > 0 ? `${counts || "nothing"}, missing in ${missing} of ${total}` : counts };
}

/**
 * All columns in a person's order: what was never arranged keeps its place behind.
 * @param {Column[]} columns without the key
 * @param {string[]} order
 */
export function inOrder(columns, order) {
  const place = new Map(order.map((name, index) => [name, index]));
  const placed = columns.filter(({ name }) => place.has(name)).sort((a, b) => place.get(a.name) - place.get(b.name));
  return [...placed, ...columns.filter(({ name }) => !place.has(name))];
}

/** The columns to show. @param {Column[]} columns without the key @param {{order?: string[], hidden?: string[]}} arrangement */
export function arrange(columns, { order = [], hidden = [] }) {
  return inOrder(columns, order).filter(({ name }) => !hidden.includes(name));
}

/** Whether something read from outside is an arrangement of columns. */
export function isArrangement(given) {
  const isTexts = (list) => Array.isArray(list) && list.every((name) => typeof name === "string");
  if (!given || !isTexts(given.order) || !isTexts(given.hidden)) return false;
  const { widths } = given;
  return Boolean(widths) && !Array.isArray(widths) && Object.values(widths).every((width) => typeof width === "number");
}

/** All names in order, with one moved in front of another (at the end for null). */
export function moveBefore(names, moved, before) {
  const rest = names.filter((name) => name !== moved);
  const index = before === null ? rest.length : rest.indexOf(before);
  return [...rest.slice(0, index), moved, ...rest.slice(index)];
}

/** All names in order, with one moved by a number of places among the shown ones. */
export function moveBy(names, moved, places) {
  const index = names.indexOf(moved);
  const target = Math.max(0, Math.min(names.length - 1, index + places));
  const rest = names.filter((name) => name !== moved);
  return [...rest.slice(0, target), moved, ...rest.slice(target)];
}

/** @typedef {{name: string, descending: boolean}} SortStep */

/** The attributes that a table is sorted by at most, one after the other. */
const SORT_MOST = 4;

/** A sort as it stands in the address: an attribute, `-` before it for the other way round, several as a JSON list. @returns {SortStep[]} */
export function readSort(text) {
  return textsOf(text)
    .map((each) => ({ name: each.replace(/^-/, ""), descending: each.startsWith("-") }))
    .filter(({ name }) => name !== "");
}

function textsOf(text) {
  if (!text.startsWith("[")) return [text];
  try {
    const list = JSON.parse(text);
    return Array.isArray(list) && list.every((each) => typeof each === "string") ? list : [text];
  } catch {
    // An attribute may be called like the beginning of a list.
    return [text];
  }
}

/** @param {SortStep[]} steps */
export function writeSort(steps) {
  const texts = steps.map(({ name, descending }) => (descending ? `-${name}` : name));
  const isPlain = texts.length === 0 || (texts.length === 1 && textsOf(texts[0])[0] === texts[0]);
  return isPlain ? (texts[0] ?? "") : JSON.stringify(texts);
}

/**
 * The sort that a click on a header leads to: up, down, then without it. With `add` the column comes behind those that the table
 * is sorted by already.
 */
export function nextSort(sort, name, { add = false } = {}) {
  const steps = readSort(sort);
  const known = steps.find((step) => step.name === name);
  if (!add) {
    if (steps.length > 1 || !known) return writeSort([{ name, descending: false }]);
    return known.descending ? "" : writeSort([{ name, descending: true }]);
  }
  if (!known) return steps.length < SORT_MOST ? writeSort([...steps, { name, descending: false }]) : sort;
  const others = steps.filter((step) => step !== known);
  return known.descending
    ? writeSort(others)
    : writeSort(steps.map((step) => (step === known ? { name, descending: true } : step)));
}

/** The sort with this column behind the others, this way round. */
export function withStep(sort, name, descending) {
  const others = readSort(sort).filter((step) => step.name !== name);
  return others.length < SORT_MOST ? writeSort([...others, { name, descending }]) : sort;
}
