/**
 * From staged changes to the request that saves them, and from its answer back. A request carries an id of its own: sent
 * again with the same id and body it is answered the same and applies nothing twice, so it is kept until it was answered.
 */

import { own, settle } from "./staged_changes.js";

/**
 * @typedef {import("./staged_changes.js").Staged} Staged
 * @typedef {import("./staged_changes.js").Change} Change
 * @typedef {{id: string, outcome: string, revision?: string, key?: string, theirs?: Record<string, string|null>, why?: string, item?: string,
 *   item_revision?: number, changed_at?: string, changed_by?: string}} Result of one change, as the server says it
 * @typedef {{id: string, change: Change, result: Result}} Outcome
 */

const MAX_CHANGES = 1_000;
const MAX_CHARACTERS = 4_000_000;

/**
 * The next request to send.
 * @param {Staged} staged
 * @param {string} save the id to send it under
 * @param {(change: Change) => boolean} belongs which changes to send
 * @returns {{save: string, body: string, sent: [string, Change][]}|null} null when there is none. Very many go in several requests.
 */
export function buildRequest(staged, save, belongs) {
  const sent = [];
  const parts = [];
  let characters = 0;
  for (const [id, change] of staged.changes) {
    if (!belongs(change) || change.problem?.outcome === "clash" || change.problem?.outcome === "gone") continue;
    const part = JSON.stringify(asSent(id, change));
    if (sent.length > 0 && (sent.length >= MAX_CHANGES || characters + part.length > MAX_CHARACTERS)) break;
    sent.push([id, change]);
    parts.push(part);
    characters += part.length;
  }
  return sent.length === 0
    ? null
    : { save, body: `{"save":${JSON.stringify(save)},"changes":[${parts.join(",")}]}`, sent };
}

function asSent(id, change) {
  if (change.kind === "add") return { id, kind: "add", key: change.key, item: change.item };
  if (change.kind === "delete") return { id, kind: "delete", key: change.key, revision: change.revision };
  const cells = Object.entries(change.cells);
  const loaded = Object.fromEntries(cells.map(([name, cell]) => [name, cell.loaded]));
  const set = Object.fromEntries(
    cells.filter(([, cell]) => cell.mine !== null).map(([name, cell]) => [name, cell.mine]),
  );
  const unset = cells.filter(([, cell]) => cell.mine === null).map(([name]) => name);
  return { id, kind: "edit", key: change.key, revision: change.revision, loaded, set, unset };
}

/**
 * What an answer leaves staged. A row that was changed again while it was on its way keeps that newer change, now against
 * what was just saved.
 * @param {Staged} staged
 * @param {[string, Change][]} sent
 * @param {Result[]} results
 * @returns {{staged: Staged, saved: Outcome[], failed: Outcome[]}}
 */
export function applyAnswer(staged, sent, results) {
  const changeOf = new Map(sent);
  const entries = [];
  const saved = [];
  const failed = [];
  for (const result of results) {
    const change = changeOf.get(result.id);
    if (!change) continue;
    const now = staged.changes.get(result.id);
    if (result.outcome === "saved" || result.outcome === "merged") {
      saved.push({ id: result.id, change, result });
      entries.push([result.id, rebase(now, change, result)]);
    } else {
      failed.push({ id: result.id, change, result });
      const {
        outcome,
        theirs = {},
        why = "",
        revision = null,
        changed_at: changedAt = null,
        changed_by: changedBy = null,
      } = result;
      if (now) entries.push([result.id, { ...now, problem: { outcome, theirs, why, revision, changedAt, changedBy } }]);
    }
  }
  return { staged: settle(staged, entries), saved, failed };
}

function rebase(now, sent, result) {
  if (!now || JSON.stringify({ ...now, problem: undefined }) === JSON.stringify({ ...sent, problem: undefined }))
    return undefined;
  if (now.kind === "delete") return { ...now, key: result.key ?? now.key, revision: result.revision };
  const savedValues = valuesOf(sent);
  const valuesNow = valuesOf(now);
  const cells = [...new Set([...Object.keys(savedValues), ...Object.keys(valuesNow)])].map((name) => {
    const before = own(now.cells ?? sent.cells ?? {}, name)?.loaded ?? null;
    const loaded = Object.hasOwn(savedValues, name) ? savedValues[name] : before;
    // A cell that was reverted meanwhile is to be what it was before the save.
    const mine = Object.hasOwn(valuesNow, name) ? valuesNow[name] : (own(sent.cells ?? {}, name)?.loaded ?? null);
    return [name, { loaded, mine }];
  });
  return editOf(cells, result.key ?? now.key, result.revision);
}

function valuesOf(change) {
  return change.kind === "add"
    ? change.item
    : Object.fromEntries(Object.entries(change.cells ?? {}).map(([name, cell]) => [name, cell.mine]));
}

/** The edit of those cells that differ from what is stored; nothing when none does. */
function editOf(cells, key, revision) {
  const different = cells.filter(([, { loaded, mine }]) => loaded !== mine);
  return different.length === 0 ? undefined : { kind: "edit", key, revision, cells: Object.fromEntries(different) };
}

/**
 * Settle a clash with what a person chose for each attribute.
 * @param {Record<string, "mine"|"theirs"|{json: string|null}>} choices by attribute; one that is not named stays mine
 */
export function resolveClash(staged, id, choices) {
  const change = staged.changes.get(id);
  const { problem, ...rest } = change;
  if (change.kind !== "edit") return settle(staged, [[id, { ...rest, revision: problem.revision }]]);
  const cells = Object.entries(change.cells).map(([name, cell]) => {
    if (!Object.hasOwn(problem.theirs, name)) return [name, cell];
    const loaded = problem.theirs[name];
    const choice = own(choices, name) ?? "mine";
    if (choice === "theirs") return [name, { loaded, mine: loaded }];
    return [name, { loaded, mine: choice === "mine" ? cell.mine : choice.json }];
  });
  return settle(staged, [[id, editOf(cells, rest.key, problem.revision)]]);
}

/**
 * The change that takes a saved one back.
 * @param {{change: Change, result: Result}} saved
 * @param {Record<string, string>|null} item the whole item as it was, for a deletion
 */
export function inverse({ change, result }, item = null) {
  if (change.kind === "add") return { kind: "delete", key: result.key, revision: result.revision };
  if (change.kind === "delete") return { kind: "add", key: change.key, item };
  const cells = Object.fromEntries(
    Object.entries(change.cells).map(([name, { loaded, mine }]) => [name, { loaded: mine, mine: loaded }]),
  );
  return { kind: "edit", key: change.key, revision: result.revision, cells };
}

/** A random id for a request. `crypto.randomUUID` is missing on pages that came over plain http from another machine. */
export function newSaveId(bytes = crypto.getRandomValues(new Uint8Array(16))) {
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** "Saved 2, 1 failed" */
export function outcomeWords(saved, failed, verb = "Saved") {
  if (failed === 0) return `${verb} ${saved}`;
  return saved === 0 ? `${failed} failed` : `${verb} ${saved}, ${failed} failed`;
}
