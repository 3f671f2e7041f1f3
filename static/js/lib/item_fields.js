/** An item as a form: of which type a field is, and what its fields come to as JSON. A value is its JSON text. */

import { guessColumn } from "./column_types.js";
import { findFault, joinObject } from "./json_text.js";
import { typeOf } from "./json_values.js";
import { kindOfColumn } from "./pasted_cells.js";

/** The type that a text is meant as where no type was chosen: what can be another is a text all the same if it begins with 0. */
export function guessType(text) {
  const trimmed = text.trim();
  if (trimmed === "") return "string";
  const type = typeOf(trimmed);
  if (type === "object" || type === "array") return findFault(trimmed) === null ? type : "string";
  const guessed = guessColumn([text]).type;
  return guessed === "number" || guessed === "boolean" ? guessed : "string";
}

/** The type of a new value in a column: the one that its values have, or most of them. @param {Record<string, number>} types */
export function typeForColumn(types) {
  const kind = kindOfColumn(types);
  if (kind !== "mixed") return kind || "string";
  const [most] = Object.keys(types)
    .filter((type) => type !== "null" && type !== "missing")
    .sort((one, other) => types[other] - types[one]);
  return most;
}

/**
 * What the fields of one object or list come to.
 * @typedef {{name: string, json?: string|null, fault?: {message: string}, isBlank?: boolean}} ReadField `json` is null for a
 *   field that stands for no value; `isBlank`: a line for one more attribute that nobody has written in
 * @param {ReadField[]} fields
 * @param {boolean} isList whether their names are places in a list
 * @returns {{json?: string, entries?: [string, string][], fault?: {message: string, index: number}}}
 */
export function joinFields(fields, isList) {
  const entries = [];
  const seen = new Set();
  for (const [index, { name, json, fault, isBlank }] of fields.entries()) {
    if (isBlank) continue;
    if (fault) return { fault: { ...fault, index } };
    if (!isList && name === "") return { fault: { message: "Name the attribute", index } };
    if (!isList && seen.has(name)) return { fault: { message: `There are two attributes called “${name}”`, index } };
    seen.add(name);
    if (json !== null) entries.push([name, json]);
  }
  return { entries, json: isList ? `[${entries.map(([, json]) => json).join(",")}]` : joinObject(entries) };
}
