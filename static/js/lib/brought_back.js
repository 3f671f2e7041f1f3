/** What the history brings back, as staged changes: edits of items that are there, new rows, deletions, and clashes with others. */

import { addRows, asOneStep, importRows, markDeleted, rowId } from "./staged_changes.js";

/**
 * @typedef {import("./staged_changes.js").Staged} Staged
 * @typedef {{theirs: Record<string, string|null>, revision: string, changed_at: string|null, changed_by: string|null}} Clash
 * @typedef {{key: string, item: Record<string, any>, json: string|null, delete: boolean,
 *   stored: {revision: string, values: Record<string, string|null>}|null, clash?: Clash|null}} BroughtBack `item` has null for an
 *   attribute to remove, `json` is the item as it stands
 */

/**
 * Stage what was, as one step. What was marked for deletion is no longer; a new row of the same key takes what was.
 * @param {Staged} staged
 * @param {BroughtBack[]} rows
 * @param {() => string} newId
 */
export function bringBack(staged, rows, newId) {
  return asOneStep(staged, (before) => rows.reduce((state, row) => bringRow(state, row, newId), before));
}

function bringRow(staged, row, newId) {
  if (row.stored === null)
    return addRows(staged, [{ id: idOfNew(staged, row.key) ?? newId(), key: row.key, item: row.item }]);
  const id = rowId(row.key);
  if (row.delete) return markDeleted(staged, [{ id, key: row.key, revision: row.stored.revision }]);
  const isMarked = staged.changes.get(id)?.kind === "delete";
  const edited = importRows(isMarked ? without(staged, id) : staged, [{ ...row, id }]);
  return row.clash ? withClash(edited, id, row.clash) : edited;
}

function idOfNew(staged, key) {
  return [...staged.changes].find(([, change]) => change.kind === "add" && change.key === key)?.[0];
}

function without(staged, id) {
  return { ...staged, changes: new Map([...staged.changes].filter(([other]) => other !== id)) };
}

/** As a save would have answered: the row shows all three, and somebody chooses. */
function withClash(staged, id, { theirs, revision, changed_at: changedAt, changed_by: changedBy }) {
  const change = staged.changes.get(id);
  if (!change) return staged;
  const problem = { outcome: "clash", theirs, why: "", revision, changedAt, changedBy };
  return { ...staged, changes: new Map(staged.changes).set(id, { ...change, problem }) };
}

/** What is now staged, in words. @param {BroughtBack[]} rows */
export function broughtBackWords(rows, { unchanged, expired, leftAlone = 0 }) {
  const count = (test) => rows.filter(test).length;
  const parts = [
    [count(({ stored, delete: isGone }) => stored !== null && !isGone), "to put back"],
    [count(({ stored }) => stored === null), "to make again"],
    [count(({ delete: isGone }) => isGone), "to delete"],
    [count(({ clash }) => clash), "changed by others since"],
    [unchanged, "already so"],
    [leftAlone, "left alone"],
  ].flatMap(([amount, words]) => (amount > 0 ? [`${amount.toLocaleString("en")} ${words}`] : []));
  const past = expired > 0 ? ` Without __expires, which is past: ${expired.toLocaleString("en")}.` : "";
  return `Staged: ${parts.join(", ")}.${past}`;
}
