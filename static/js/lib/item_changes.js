/** Changes of many items in words: what is asked, how far it is, and what has come of it. */

import { formatCount } from "./formatting.js";
import { findFault } from "./json_text.js";
import { readAs } from "./json_values.js";

/**
 * @typedef {{id: string, act: string, state: string, expected: number, seen: number, changed: number, refused: number,
 *   problems: string[], reason: string, restored: number, kept: number, asked_at: string, undo_seconds: number}} ItemChange
 */

const UNFINISHED = ["queued", "running", "undo-queued", "undoing"];
const SHOWN_PROBLEMS = 3;

/** @param {ItemChange} change */
export function isUnfinished({ state }) {
  return UNFINISHED.includes(state);
}

/** What a form asks for, as the server takes it, or what is wrong with it. @returns {{act?: Record<string, any>, fault?: string}} */
export function readAct({ kind, attribute, value, type, newName, to, base, replace }) {
  if (kind === "delete") return { act: { kind } };
  if (kind === "copy") return base === "" ? { fault: "Say into which Base" } : { act: { kind, base, replace } };
  if (attribute === "") return { fault: "Say which attribute" };
  if (attribute === "key") return { fault: "The key of an item cannot be changed" };
  if (kind === "unset") return { act: { kind, attribute } };
  if (kind === "convert") return { act: { kind, attribute, to } };
  if (kind === "rename")
    return newName === "" ? { fault: "Say how it is to be called" } : { act: { kind, attribute, new_name: newName } };
  const read = type === "json" ? { json: value, fault: findFault(value) } : readAs(value, type);
  return read.fault ? { fault: read.fault.message } : { act: { kind, attribute, value: read.json } };
}

/** What the button says. @param {number} count */
export function actLabel(kind, count) {
  const items = formatCount(count, "item");
  return { delete: `Delete ${items}`, copy: `Copy ${items}` }[kind] ?? `Change ${items}`;
}

/** How far a change is. @param {ItemChange} change */
export function progressWords({ act, state, expected, seen, changed, restored, kept }) {
  const isUndo = state.startsWith("undo");
  const [done, all] = isUndo ? [restored + kept, changed] : [seen, Math.max(expected, seen)];
  const numbers = `${done.toLocaleString("en")} of ${all.toLocaleString("en")}`;
  return { text: isUndo ? `Undoing: ${act} … ${numbers}` : `${capital(act)} … ${numbers}`, done, all };
}

/** What has come of it. @param {ItemChange} change */
export function outcomeWords({ act, state, changed, refused, problems, reason, restored, kept }) {
  if (state === "undone") {
    const left = kept > 0 ? ` ${formatCount(kept, "item was", "items were")} changed since, which stays.` : "";
    return `Undone: ${formatCount(restored, "item")} as before.${left}`;
  }
  const failed = state === "failed" ? ` It stopped: ${reason}` : "";
  const more = refused > SHOWN_PROBLEMS ? " …" : "";
  const out =
    refused > 0
      ? ` Left as they were: ${refused.toLocaleString("en")} (${problems.slice(0, SHOWN_PROBLEMS).join("; ")}${more}).`
      : "";
  return `${capital(act)}: ${formatCount(changed, "item")}.${out}${failed}`;
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
