/** How many rows a table has in all, those that are not loaded yet included. */

/** Beyond so many matches the server sorts no more (`SORT_MAX_ITEMS`), and the table ends there. */
const SORTED_MAX = 10_000;

/**
 * @param {{total: number, exact: boolean, held: number|null, matched: number, whole: boolean}|null} counted what the server counted;
 *   `held`: what a Base that is not counted exactly held when the figures of all Bases were made
 * @param {{hasQuery: boolean, isAllLoaded: boolean, isCut: boolean, loaded: number, shown: number}} table `loaded` rows are stored
 *   ones, `shown` also those that are staged; `isCut`: it is sorted, and not by all matches
 * @returns {number|null} null when nobody has counted them
 */
export function countAllRows(counted, { hasQuery, isAllLoaded, isCut, loaded, shown }) {
  if (isAllLoaded) return shown;
  const stored = countStored(counted, hasQuery);
  if (stored === null) return null;
  return Math.max(isCut ? Math.min(stored, SORTED_MAX) : stored, loaded) + shown - loaded;
}

function countStored(counted, hasQuery) {
  if (!counted) return null;
  if (hasQuery) return counted.whole ? counted.matched : null;
  return counted.exact ? counted.total : counted.held;
}
