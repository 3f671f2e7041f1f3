/** The short texts of the filter fields under the headers, such as `>30`, `5..10` or `!Paris`, as conditions of a query and back. */

import { compact, findFault } from "./json_text.js";
import { readAs, textOf, typeOf } from "./json_values.js";

// The last one of an operator is how it is written back.
const COMPARISONS = [
  ["!=", "ne"],
  ["<>", "ne"],
  ["==", "eq"],
  [">=", "gte"],
  ["<=", "lte"],
  [">", "gt"],
  ["<", "lt"],
  ["!", "ne"],
  ["=", "eq"],
];
const SIGNS = Object.fromEntries(COMPARISONS.map(([sign, operator]) => [operator, sign]));
const RANGE = /^(.+?)\s*\.\.\s*(.+)$/;

/** @typedef {{operator: string, json: string}} Condition */

/**
 * What a text means for a column: a comparison, a range, `text*` for a beginning, else what the column's type suggests: a number or
 * boolean is equal to, a text contains, a key begins with. In quotes it is a text whatever the column holds.
 * @param {string} text
 * @param {string} type of the column: "number", "string", "mixed" and so on
 * @param {{isKey?: boolean}} [options]
 * @returns {Condition[]} none for an empty text
 */
export function readFilter(text, type, { isKey = false } = {}) {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  const comparison = COMPARISONS.find(([sign]) => trimmed.startsWith(sign));
  if (comparison) {
    const [sign, operator] = comparison;
    const operand = trimmed.slice(sign.length).trim();
    return operand === "" ? [] : [{ operator, json: operandOf(operand, type, isKey) }];
  }
  const range = RANGE.exec(trimmed);
  if (range) {
    const [low, high] = [operandOf(range[1], type, isKey), operandOf(range[2], type, isKey)];
    if (typeOf(low) === typeOf(high) && ["number", "string"].includes(typeOf(low)))
      return [{ operator: "r", json: `[${low},${high}]` }];
  }
  if (trimmed.endsWith("*") && trimmed.length > 1)
    return [{ operator: "pfx", json: JSON.stringify(trimmed.slice(0, -1)) }];
  const json = operandOf(trimmed, type, isKey);
  if (isKey) return [{ operator: "pfx", json }];
  return [{ operator: typeOf(json) === "string" && trimmed[0] !== '"' ? "contains" : "eq", json }];
}

/** A value as JSON: what reads as a number, boolean or null is that, unless the column holds texts alone. */
function operandOf(text, type, isKey) {
  if (text[0] === '"' && text.length > 1 && findFault(text) === null) return text;
  if (isKey) return JSON.stringify(text);
  if (text === "null") return text;
  if (type !== "string" && /^[[{]/.test(text) && findFault(text) === null) return compact(text);
  if (type !== "string") {
    for (const kind of ["number", "boolean"]) {
      const read = readAs(text, kind);
      if (read.json && (kind === "number" || ["boolean", "mixed"].includes(type))) return read.json;
    }
  }
  return JSON.stringify(text);
}

/**
 * The text of a column's conditions; null when they are of a kind that only the bar can say.
 * @param {Condition[]} conditions
 * @param {string} type
 * @param {{isKey?: boolean}} [options]
 */
export function writeFilter(conditions, type, options = {}) {
  if (conditions.length === 0) return "";
  if (conditions.length > 1) return null;
  const [condition] = conditions;
  const texts = candidates(condition);
  return texts.find((text) => isSame(readFilter(text, type, options), condition)) ?? null;
}

/** How a condition may be written, the shortest first; not each of them means it in every column. */
function candidates({ operator, json }) {
  if (operator === "r") {
    const ends = /^\[(.+),\s*(.+)\]$/.exec(json);
    return ends ? [`${plain(ends[1])}..${plain(ends[2])}`, `${ends[1]}..${ends[2]}`] : [];
  }
  if (operator === "contains") return [plain(json)];
  if (operator === "pfx") return [`${plain(json)}*`, plain(json)];
  const sign = SIGNS[operator];
  if (!sign) return [];
  return [...(operator === "eq" ? [plain(json)] : []), `${sign}${plain(json)}`, json, `${sign}${json}`];
}

function plain(json) {
  return typeOf(json) === "string" && findFault(json) === null ? textOf(json) : json;
}

function isSame(read, { operator, json }) {
  const squeezed = (text) => text.replace(/,\s+/g, ",");
  return read.length === 1 && read[0].operator === operator && squeezed(read[0].json) === squeezed(json);
}
