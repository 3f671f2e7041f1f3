/**
 * What the cells of a column are, as `storage/archive/reading/columns.py` tells it: one type for all of them, told from all of
 * them. Both are held to the same cases, `tests/column_types.json`.
 */

import { compact, walk } from "./json_text.js";

/** @typedef {"text"|"number"|"boolean"|"json"} ColumnType */

const WHOLE_OR_POINT = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;
// As a spreadsheet writes a number that is too long for its cell. Any other exponent may be a code: 7E90, 314e59.
const WITH_EXPONENT = /^-?[0-9]\.[0-9]+E[+-][0-9]{2,}$/;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
// As spreadsheets in other languages write booleans back.
const TRUE_WORDS = new Set(["WAHR", "VRAI", "VERO", "VERDADERO", "VERDADEIRO", "WAAR", "PRAWDA", "SANT"]);
const FALSE_WORDS = new Set(["FALSCH", "FAUX", "FALSO", "ONWAAR", "FAŁSZ", "FALSKT"]);
// As `storage/limits.py` has them.
const NESTING_MAX_LEVELS = 100;
const NUMBER_MAX_DIGITS = 38;
const NUMBER_MAX_EXPONENT = 125;
const NUMBER_MAX_CHARACTERS = 200;

/**
 * The type of a column by what its cells look like; text where there is none.
 * @param {string[]} texts
 * @returns {{type: ColumnType, isQuoted: boolean}} `isQuoted`: its texts stand as JSON, as in our own exports
 */
export function guessColumn(texts) {
  /** @type {Set<string>} */
  const kinds = new Set(texts.map(kindOf));
  kinds.delete("empty");
  // One such word alone may be anything, both of them are what a spreadsheet made of booleans.
  const words = ["true word", "false word"].filter((word) => kinds.delete(word)).length;
  if (words > 0) kinds.add(words === 2 ? "boolean" : "text");
  const isQuoted = kinds.has("quoted") && !kinds.has("text");
  const hadNull = kinds.delete("null");
  if (kinds.size === 0) return { type: hadNull ? "json" : "text", isQuoted };
  if (kinds.has("text")) return { type: "text", isQuoted };
  if (kinds.size === 1 && kinds.has("number")) return { type: "number", isQuoted };
  if (kinds.size === 1 && kinds.has("boolean")) return { type: "boolean", isQuoted };
  return { type: "json", isQuoted };
}

function kindOf(cell) {
  const text = cell.trim();
  if (text === "") return "empty";
  if (/^[-0-9]/.test(text)) {
    const isOne = (WHOLE_OR_POINT.test(text) || WITH_EXPONENT.test(text)) && isStorableNumber(text);
    return isOne ? "number" : "text";
  }
  if (/^(?:true|false)$/i.test(text)) return "boolean";
  if (text === "null") return "null";
  const ends = text[0] + text.at(-1);
  if (ends === "{}" || ends === "[]") return isStorable(text) ? "json" : "text";
  if (ends === '""' && text.length > 1) return isStorable(text) ? "quoted" : "text";
  if (TRUE_WORDS.has(text)) return "true word";
  return FALSE_WORDS.has(text) ? "false word" : "text";
}

/**
 * The JSON of a cell in its column, exact; of a text where it is nothing else there.
 * @param {string} cell
 * @param {{type: ColumnType, isQuoted: boolean}} column
 */
export function jsonOf(cell, { type, isQuoted }) {
  if (cell === '""') return cell;
  const text = cell.trim();
  if (isQuoted && text[0] === '"' && isStorable(text)) return text;
  if (type === "text") return JSON.stringify(cell);
  if (text === "null") return "null";
  const takesAll = type === "json";
  if ((takesAll || type === "number") && isStorableNumber(text)) return text;
  if ((takesAll || type === "boolean") && /^(?:true|false)$/i.test(text)) return text.toLowerCase();
  if (type === "boolean" && TRUE_WORDS.has(text)) return "true";
  if (type === "boolean" && FALSE_WORDS.has(text)) return "false";
  if (takesAll && /^[{["]/.test(text) && isStorable(text)) return compact(text);
  return JSON.stringify(cell);
}

/** Whether it is a number in JSON, and one that is stored with every digit. */
function isStorableNumber(text) {
  if (text.length > NUMBER_MAX_CHARACTERS || !NUMBER.test(text)) return false;
  const [, whole, fraction = "", exponent = "0"] = /^-?([0-9]+)(?:\.([0-9]+))?(?:[eE](.+))?$/.exec(text);
  const digits = (whole + fraction).replace(/^0+/, "");
  const scale = Number(exponent) - fraction.length;
  const significant = scale >= 0 ? digits.replace(/0+$/, "") : digits;
  // Of nothing but zeros the last one is the first that counts.
  const first = scale + Math.max(digits.length, 1) - 1;
  return significant.length <= NUMBER_MAX_DIGITS && Math.abs(first) <= NUMBER_MAX_EXPONENT;
}

/** Whether a text is JSON that the server can store. */
function isStorable(text) {
  let can = true;
  try {
    walk(text, (kind, begin, end, level) => {
      const part = text.slice(begin, end);
      // The item around it is the first level.
      if (kind === "open") can &&= level + 2 <= NESTING_MAX_LEVELS;
      if (kind === "value" && /^[-0-9]/.test(part)) can &&= isStorableNumber(part);
      if ((kind === "value" || kind === "name") && part[0] === '"') {
        const read = JSON.parse(part);
        can &&= read.isWellFormed() && !read.includes("\0") && !(kind === "name" && read === "");
      }
    });
  } catch {
    return false;
  }
  return can;
}
