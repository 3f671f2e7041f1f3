/** What others change while a table is open, as data: what is still to be looked at, and what a row becomes by it. */

/** @typedef {{key: string, revision: string, gone: boolean}} Notice that an item is another one, as a stream tells it */

const BATCH_KEYS = 100; // `LIVE_ROWS_MAX` of the server
const BATCH_CHARACTERS = 6_000; // of an address, which proxies bound

/**
 * Notices that wait, of each key the last one.
 * @param {number} most keys; with more of them it is full, and remembers none
 */
export function createWaiting(most) {
  /** @type {Map<string, Notice>} */
  const notices = new Map();
  let isFull = false;
  return {
    get size() {
      return notices.size;
    },
    get isFull() {
      return isFull;
    },
    /** @param {Notice} notice */
    add(notice) {
      if (isFull) return;
      notices.set(notice.key, notice);
      if (notices.size <= most) return;
      isFull = true;
      notices.clear();
    },
    clear() {
      isFull = false;
      notices.clear();
    },
    /** Leave out what is known already. @param {(notice: Notice) => boolean} isKnown */
    drop(isKnown) {
      for (const notice of notices.values()) if (isKnown(notice)) notices.delete(notice.key);
    },
    /** Take as many as are asked for at once. @returns {Notice[]} */
    take() {
      const taken = [];
      let characters = 0;
      for (const notice of notices.values()) {
        characters += encodeURIComponent(notice.key).length + "&keys=".length;
        if (taken.length > 0 && (taken.length === BATCH_KEYS || characters > BATCH_CHARACTERS)) break;
        taken.push(notice);
      }
      for (const { key } of taken) notices.delete(key);
      return taken;
    },
    /** Put back what could not be looked at; what came since is newer. @param {Notice[]} taken */
    putBack(taken) {
      for (const notice of taken) if (!notices.has(notice.key)) this.add(notice);
    },
  };
}

/** What "no more than" many says of it. @param {{size: number, isFull: boolean}} waiting @param {number} most */
export function waitingWords({ size, isFull }, most) {
  if (isFull) return `more than ${most.toLocaleString("en")} changes waiting`;
  return size === 1 ? "1 change waiting" : `${size.toLocaleString("en")} changes waiting`;
}

/**
 * @typedef {{id: string, key: string, revision: string, values: Map<string, any>, theirs?: {name: string, json: any}}} Row
 */

/**
 * A row as it is now, in the place of one that is shown. The value of the attribute that somebody is at (`held`) stays what it is,
 * and what it has become is told beside it, as `theirs`.
 * @param {Row} shown
 * @param {Row} now
 * @param {string|null} held
 * @param {(one: any, other: any) => boolean} isSame
 * @returns {{row: Row, changed: string[]}} with the names of those attributes whose cells are others now
 */
export function takeOver(shown, now, held, isSame) {
  const names = new Set([...shown.values.keys(), ...now.values.keys()]);
  const of = (row, name) => row.values.get(name) ?? null;
  const changed = [...names].filter((name) => !isSame(of(shown, name), of(now, name)));
  if (held === null || !changed.includes(held)) return { row: now, changed };
  const values = new Map(now.values);
  setValue(values, held, of(shown, held));
  const row = { ...now, values, theirs: { name: held, json: of(now, held) } };
  return { row, changed: changed.filter((name) => name !== held) };
}

/** The row once nobody is at the attribute any more. @param {Row} row @returns {Row} */
export function letGo(row) {
  const { theirs, ...rest } = row;
  if (!theirs) return row;
  const values = new Map(row.values);
  setValue(values, theirs.name, theirs.json);
  return { ...rest, values };
}

function setValue(values, name, json) {
  if (json === null) values.delete(name);
  else values.set(name, json);
}
