/** Where rows that are not stored, or not stored again yet, stand among the others. */

/**
 * @typedef {{after: string|null, index: number}} Place behind which loaded row (null: before all of them); where that one
 *   is gone, how many rows are to stand before it
 */

/**
 * Rows put among others, each in its place, and on top of all where it has none.
 * @template {{id: string}} Row
 * @param {Row[]} rows
 * @param {{row: Row, place?: Place}[]} added
 * @returns {Row[]}
 */
export function placeAmong(rows, added) {
  if (added.length === 0) return rows;
  const known = new Set(rows.map(({ id }) => id));
  const behind = new Map();
  const lost = [];
  const found = added.filter(({ place }) => !place).map(({ row }) => row);
  for (const { row, place } of added) {
    if (!place) continue;
    if (place.after !== null && !known.has(place.after)) lost.push({ row, index: found.length + place.index });
    else behind.set(place.after, [...(behind.get(place.after) ?? []), row]);
  }
  found.push(...(behind.get(null) ?? []));
  for (const row of rows) found.push(row, ...(behind.get(row.id) ?? []));
  for (const { row, index } of lost) found.splice(index, 0, row);
  return found;
}

/**
 * The places of rows that are taken out, to put them back later.
 * @param {{id: string}[]} rows
 * @param {Set<string>} taken
 * @returns {Map<string, Place>}
 */
export function placesOf(rows, taken) {
  const places = new Map();
  let after = null;
  for (const [index, { id }] of rows.entries()) {
    if (taken.has(id)) places.set(id, { after, index });
    else after = id;
  }
  return places;
}
