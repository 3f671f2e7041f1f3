/**
 * Staged changes and their history, as data. Nothing here leaves the browser: what is staged is drawn by the page, kept by
 * `pages/base/drafts.js` and sent by `save_requests.js`.
 *
 * A change belongs to a row, by the row's id (`rowId` for stored items, `new:...` for rows that do not exist yet):
 *   {kind: "edit", key, revision, cells: {name: {loaded, mine}}}    loaded and mine are JSON texts, null for missing
 *   {kind: "add", key, item: {name: JSON text}, place?}             key null: the server makes one; place as in `row_order.js`
 *   {kind: "delete", key, revision}
 * and may carry `problem`, what the server answered when it could not be saved (see `save_requests.js`).
 *
 * Every function returns a new state and leaves the old one as it was. A step of the history holds, for each row it touched,
 * the change before and after; undo and redo put the one or the other in place.
 */

import { isSame } from "./json_values.js";

const STEPS_KEPT = 500;

/** A member by an attribute's name, which may be one that every object inherits: "constructor" is an attribute like any other. */
export function own(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/**
 * @typedef {{loaded: string|null, mine: string|null}} StagedCell
 * @typedef {{outcome: string, theirs: Record<string, string|null>, why: string, revision: string|null, changedAt?: string, changedBy?: string}} Problem
 * @typedef {{kind: "edit"|"add"|"delete", key: string|null, revision?: string, cells?: Record<string, StagedCell>,
 *   item?: Record<string, string>, place?: import("./row_order.js").Place, problem?: Problem}} Change
 * @typedef {{before: [string, Change][], after: [string, Change][]}} Step
 * @typedef {{changes: Map<string, Change>, past: Step[], future: Step[]}} Staged
 */

/** @returns {Staged} */
export function nothingStaged() {
  return { changes: new Map(), past: [], future: [] };
}

export function rowId(key) {
  return `item:${key}`;
}

/**
 * Stage values for cells, as one step; the loaded value itself takes a cell off the list.
 * @param {{row: {id: string, key: string|null, revision: string}, name: string, loaded: string|null, mine: string|null}[]} cells
 */
export function editCells(staged, cells) {
  const after = new Map();
  for (const { row, name, loaded, mine } of cells) {
    const change = after.has(row.id) ? after.get(row.id) : staged.changes.get(row.id);
    if (change?.kind === "delete") continue;
    after.set(
      row.id,
      change?.kind === "add" ? withValue(change, name, mine) : withCell(change, row, name, loaded, mine),
    );
  }
  return step(staged, after);
}

function withValue(change, name, mine) {
  const { [name]: _, ...rest } = change.item;
  return { ...withoutProblem(change), item: mine === null ? rest : { ...change.item, [name]: mine } };
}

function withCell(change, row, name, loaded, mine) {
  const base = change ?? { kind: "edit", key: row.key, revision: row.revision, cells: {} };
  const staged = own(base.cells, name);
  const was = staged ? staged.loaded : loaded;
  const { [name]: _, ...others } = base.cells;
  const cells = isSame(was, mine) ? others : { ...base.cells, [name]: { loaded: was, mine } };
  return Object.keys(cells).length === 0 ? undefined : { ...withoutProblem(base), cells };
}

function withoutProblem({ problem: _, ...change }) {
  return change;
}

/**
 * @param {{id: string, key: string|null, item: Record<string, string>, place?: import("./row_order.js").Place}[]} rows new
 *   ones, as one step
 */
export function addRows(staged, rows) {
  return step(staged, new Map(rows.map(({ id, ...row }) => [id, { kind: "add", ...row }])));
}

/** What several changes come to, as one step. @param {(staged: Staged) => Staged} change */
export function asOneStep(staged, change) {
  const { changes } = change(staged);
  const ids = new Set([...staged.changes.keys(), ...changes.keys()]);
  const different = [...ids].filter((id) => staged.changes.get(id) !== changes.get(id));
  return step(staged, new Map(different.map((id) => [id, changes.get(id)])));
}

/**
 * Rows of a file, as one step: new ones, and edits of rows that are stored. What is staged for a cell already stays what it was
 * loaded with.
 * @param {{id: string, key: string|null, item: Record<string, string>,
 *   stored: {revision: string, values: Record<string, string|null>}|null}[]} rows
 */
export function importRows(staged, rows) {
  const after = new Map();
  for (const { id, key, item, stored } of rows) {
    const change = after.has(id) ? after.get(id) : staged.changes.get(id);
    if (!stored) {
      after.set(id, { kind: "add", key, item });
    } else if (change?.kind !== "delete") {
      const row = { key, revision: stored.revision };
      const edited = Object.entries(item).reduce(
        (made, [name, mine]) => withCell(made, row, name, stored.values[name] ?? null, mine),
        change,
      );
      after.set(id, edited);
    }
  }
  return step(staged, after);
}

/** The key of a row that is not stored yet; an empty one is made by the server. */
export function setKey(staged, id, key) {
  const change = staged.changes.get(id);
  return step(staged, new Map([[id, { ...withoutProblem(change), key: key === "" ? null : key }]]));
}

/** Mark rows for deletion; a row that is not stored yet is simply taken off. */
export function markDeleted(staged, rows) {
  const mark = (row) =>
    staged.changes.get(row.id)?.kind === "add" ? undefined : { kind: "delete", key: row.key, revision: row.revision };
  return step(staged, new Map(rows.map((row) => [row.id, mark(row)])));
}

export function revertCell(staged, id, name) {
  const change = staged.changes.get(id);
  if (change?.kind === "add") return step(staged, new Map([[id, withValue(change, name, null)]]));
  if (change?.kind !== "edit" || !own(change.cells, name)) return staged;
  const { loaded } = own(change.cells, name);
  return step(staged, new Map([[id, withCell(change, change, name, loaded, loaded)]]));
}

export function revertRow(staged, id) {
  return revertRows(staged, [id]);
}

function revertRows(staged, ids) {
  return step(staged, new Map(ids.map((id) => [id, undefined])));
}

export function revertAll(staged) {
  return revertRows(staged, [...staged.changes.keys()]);
}

/** Put changes in place as a step of the history; `undefined` takes a row's change away. */
function step(staged, after) {
  const entries = [...after].filter(([id, change]) => !(change === undefined && !staged.changes.has(id)));
  if (entries.length === 0) return staged;
  const before = entries.map(([id]) => [id, staged.changes.get(id)]);
  const past = [...staged.past, { before, after: entries }].slice(-STEPS_KEPT);
  return { changes: put(staged.changes, entries), past, future: [] };
}

function put(changes, entries) {
  const next = new Map(changes);
  for (const [id, change] of entries) {
    if (change === undefined) next.delete(id);
    else next.set(id, change);
  }
  return next;
}

export function undo(staged) {
  const last = staged.past.at(-1);
  if (!last) return staged;
  return {
    changes: put(staged.changes, last.before),
    past: staged.past.slice(0, -1),
    future: [...staged.future, last],
  };
}

export function redo(staged) {
  const last = staged.future.at(-1);
  if (!last) return staged;
  return { changes: put(staged.changes, last.after), past: [...staged.past, last], future: staged.future.slice(0, -1) };
}

/** The rows that the next undo or redo touches, to bring them into view. */
export function nextStepRows(staged, direction) {
  return (direction === "undo" ? staged.past : staged.future).at(-1)?.after.map(([id]) => id) ?? [];
}

/**
 * Replace or take away changes without a step: what the server answered is not something to undo. Steps forget these rows,
 * as what they would bring back was made for a state of the item that is past.
 */
export function settle(staged, entries) {
  const settled = new Set(entries.filter(([, change]) => change === undefined).map(([id]) => id));
  const clean = (steps) =>
    steps
      .map(({ before, after }) => ({
        before: before.filter(([id]) => !settled.has(id)),
        after: after.filter(([id]) => !settled.has(id)),
      }))
      .filter(({ after }) => after.length > 0);
  return { changes: put(staged.changes, entries), past: clean(staged.past), future: clean(staged.future) };
}

/** How much is staged: `edits` are changed cells and new rows, `deletes` rows, `changes` both; `problems` rows that failed. */
export function count(staged) {
  const counts = { edits: 0, adds: 0, deletes: 0, changes: 0, problems: 0 };
  for (const change of staged.changes.values()) {
    if (change.kind === "edit") counts.edits += Object.keys(change.cells).length;
    if (change.kind === "add") {
      counts.edits += 1;
      counts.adds += 1;
    }
    if (change.kind === "delete") counts.deletes += 1;
    if (change.problem) counts.problems += 1;
  }
  counts.changes = counts.edits + counts.deletes;
  return counts;
}

/** A cell's value with what is staged for it: `{json, loaded, isStaged}`. */
export function stagedCell(staged, id, name, loaded) {
  const change = staged.changes.get(id);
  if (change?.kind === "add")
    return { json: own(change.item, name) ?? null, loaded: null, isStaged: Object.hasOwn(change.item, name) };
  const cell = change?.kind === "edit" ? own(change.cells, name) : undefined;
  return cell ? { json: cell.mine, loaded: cell.loaded, isStaged: true } : { json: loaded, loaded, isStaged: false };
}

/** Everything as text, to be kept. `undefined` is what JSON cannot say: a change that is not there is null in it. */
export function serialise(staged) {
  const pack = (entries) => entries.map(([id, change]) => [id, change ?? null]);
  const steps = (list) => list.map(({ before, after }) => ({ before: pack(before), after: pack(after) }));
  return JSON.stringify({ changes: [...staged.changes], past: steps(staged.past), future: steps(staged.future) });
}

/** What `serialise` wrote; a text that is none of its own is nothing staged. */
export function restore(text) {
  try {
    const { changes, past, future } = JSON.parse(text);
    const unpack = (entries) => entries.map(([id, change]) => [id, change ?? undefined]);
    const steps = (list) => list.map(({ before, after }) => ({ before: unpack(before), after: unpack(after) }));
    return { changes: new Map(changes), past: steps(past), future: steps(future) };
  } catch {
    return nothingStaged();
  }
}
