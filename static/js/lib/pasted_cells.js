/**
 * What is pasted over cells: the clipboard's text as a block of fields, which cells it goes over, and what each field means
 * there. A field is `{text, json?}`: `text` is null for an empty one, which stands for a missing attribute; `json` is the
 * exact value where the field was copied from a table of ours.
 */

import { guessColumn, jsonOf } from "./column_types.js";
import { findFault } from "./json_text.js";
import { textOf, typeOf } from "./json_values.js";
import { readMoment } from "./moments.js";

/** @typedef {{text: string|null, json?: string}} Field */

const BREAK = /\r\n|\n|\r/g;
const COLUMN_TYPES = { string: "text", number: "number", boolean: "boolean", object: "json", array: "json" };
const SEPARATORS = ["\t", ",", ";", "|"];

/**
 * The text as rows of fields, all rows equally long. Tabs part the fields; without one, every line is a field.
 * @param {string} text
 * @returns {Field[][]}
 */
export function readBlock(text) {
  const rows = readFields(text);
  // A single value in quotes is a text with quotes, unless only the quotes hold it together.
  if (rows.length === 1 && rows[0].length === 1 && !/[\t\n\r]|""/.test(text)) return [[{ text: text || null }]];
  const width = Math.max(...rows.map((row) => row.length));
  return rows.map((row) => [...row, ...Array.from({ length: width - row.length }, () => ({ text: null }))]);
}

function readFields(text) {
  const rows = [[]];
  let at = 0;
  for (;;) {
    const quoted = quotedField(text, at);
    const end = quoted?.end ?? endOfField(text, at);
    const plain = text.slice(at, end);
    rows.at(-1).push({ text: quoted ? quoted.text : plain === "" ? null : plain });
    if (end >= text.length) return rows;
    at = end + (text.startsWith("\r\n", end) ? 2 : 1);
    if (text[end] === "\t") continue;
    // The last line's own end begins no further line.
    if (at >= text.length) return rows;
    rows.push([]);
  }
}

function endOfField(text, at) {
  let end = at;
  while (end < text.length && text[end] !== "\t" && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return end;
}

/** A field in quotes that are closed where the field ends; null for anything else, which is taken as it stands. */
function quotedField(text, at) {
  if (text[at] !== '"') return null;
  let from = at + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return null;
    if (text[quote + 1] !== '"') {
      const end = quote + 1;
      return end === text.length || "\t\n\r".includes(text[end])
        ? {
            text: text
              .slice(at + 1, quote)
              .replaceAll('""', '"')
              .replace(BREAK, "\n"),
            end,
          }
        : null;
    }
    from = quote + 2;
  }
}

/** Cells as a block of fields. @param {(string|null)[][]} rows JSON texts @returns {Field[][]} */
export function blockOfValues(rows) {
  return rows.map((row) => row.map((json) => (json === null ? { text: null } : { text: textOf(json), json })));
}

/**
 * Whether a text brings rows with the names of their attributes, and no cells: a list of objects, objects one a line, or
 * a table whose first line names its columns, `key` among them.
 */
export function bringsRows(text) {
  const trimmed = text.trim();
  if (/^\[\s*\{|^\{\s*"/.test(trimmed)) return true;
  const [head, ...lines] = trimmed.split(BREAK, 3);
  return (
    lines.length > 0 &&
    SEPARATORS.some((separator) => {
      const names = head.split(separator).map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
      return names.length > 1 && names.includes("key") && lines[0].includes(separator);
    })
  );
}

/** Whether a text is one JSON object or list. */
export function isNested(text) {
  const type = typeOf(text.trim() || null);
  return (type === "object" || type === "array") && findFault(text) === null;
}

/**
 * The cells that a block goes over, from the first one of the range: the block once, or as often as it fills the range.
 * @param {{rows: number, columns: number}} block
 * @param {{top: number, left: number, bottom: number, right: number}} range
 */
export function areaOf(block, { top, left, bottom, right }) {
  const [rows, columns] = [bottom - top + 1, right - left + 1];
  const isFilled = rows % block.rows === 0 && columns % block.columns === 0;
  return { top, left, rows: isFilled ? rows : block.rows, columns: isFilled ? columns : block.columns };
}

/** The one type that a column's values have, "mixed", or "" where there are none. @param {Record<string, number>} types */
export function kindOfColumn(types) {
  const held = Object.keys(types).filter((type) => types[type] > 0 && type !== "null" && type !== "missing");
  return held.length > 1 ? "mixed" : (held[0] ?? "");
}

/**
 * How the fields of one pasted column are read.
 * @param {string} name the attribute
 * @param {Record<string, number>} types how often each type occurs in the column
 * @param {Field[]} fields all that are pasted into it
 * @param {{now?: Date}} [options] what dates such as "tomorrow" count from
 * @returns {(field: Field, current: string|null) => {json: string|null, isOther: boolean}} `isOther`: the column's type
 *   cannot say it, so that it became a text
 */
export function columnReader(name, types, fields, { now = new Date() } = {}) {
  const kind = kindOfColumn(types);
  const texts = fields.map(({ text }) => text).filter((text) => text !== null);
  const guessed = guessColumn(texts);
  // A lone value in quotes is a text with quotes.
  const isQuoted = guessed.isQuoted && new Set(texts).size > 1;
  const most = Object.keys(types)
    .filter((type) => type !== "null" && type !== "missing")
    .sort((one, other) => types[other] - types[one])[0];

  return ({ text, json }, current) => {
    if (text === null) return { json: null, isOther: false };
    const type = typeOf(json ?? null);
    if (type === "null" || type === "object" || type === "array" || (type !== "missing" && type === kind))
      return { json, isOther: false };
    if (name === "__expires") {
      const moment = readMoment(text, now);
      return moment === null ? { json: JSON.stringify(text), isOther: true } : { json: moment, isOther: false };
    }
    const wanted = COLUMN_TYPES[kind === "mixed" ? (scalarType(current) ?? most) : kind] ?? guessed.type;
    const read = jsonOf(text, { type: wanted, isQuoted });
    // Copied here, it is known that this was a text.
    if (type === "string" && read === "null") return { json, isOther: true };
    return { json: read, isOther: kind !== "" && wanted !== "text" && typeOf(read) === "string" };
  };
}

function scalarType(json) {
  const type = typeOf(json);
  return type === "string" || type === "number" || type === "boolean" ? type : null;
}
