/** A value of an item as a person sees it and types it. A value is its JSON text; `null` (no text at all) is an attribute that is missing. */

import { compact, findFault, splitList, splitObject } from "./json_text.js";
import { localText, momentFrom } from "./moments.js";

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const SHOWN_CHARACTERS = 200;

/** @param {string|null} json @returns {"string"|"number"|"boolean"|"object"|"array"|"null"|"missing"} */
export function typeOf(json) {
  if (json === null || json === undefined) return "missing";
  switch (json[0]) {
    case '"':
      return "string";
    case "{":
      return "object";
    case "[":
      return "array";
    case "t":
    case "f":
      return "boolean";
    case "n":
      return "null";
    default:
      return "number";
  }
}

/** The text that a person edits: a string without its quotes, anything else as it is written. */
export function textOf(json) {
  if (json === null) return "";
  return typeOf(json) === "string" ? JSON.parse(json) : json;
}

/** What a cell shows, cut to what fits in one: no line breaks, 200 characters at most. */
export function shownText(json) {
  const type = typeOf(json);
  if (type === "missing") return "";
  if (type === "object" || type === "array") return chipText(json);
  const text = textOf(json);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** What the chip of an object or list says: what it is and how much it holds. */
export function chipText(json) {
  if (typeOf(json) === "object") {
    const count = splitObject(json).length;
    return count === 0 ? "{ }" : `{ ${count} }`;
  }
  const count = splitList(json).length;
  return count === 0 ? "[ ]" : `[ ${count} ]`;
}

/** The value in words, short: for lists of changes and for who listens. @param {string|null} json @param {string} [name] its attribute */
export function inWords(json, name) {
  const type = typeOf(json);
  const moment = name === "__expires" && type === "number" ? momentFrom(json) : null;
  if (moment) return localText(moment);
  if (type === "missing") return "missing";
  if (type === "string") return json === '""' ? "empty text" : shownText(json);
  if (type === "object" || type === "array") {
    const count = type === "object" ? splitObject(json).length : splitList(json).length;
    return `${type === "object" ? "object" : "list"} of ${count}`;
  }
  return shownText(json);
}

/** Whether two values are the same text, spaces aside. */
export function isSame(one, other) {
  if (one === other) return true;
  if (one === null || other === null) return false;
  return findFault(one) === null && findFault(other) === null && compact(one) === compact(other);
}

/**
 * What a text means: a value, or what is wrong with it.
 * @typedef {{json?: string, fault?: {message: string, line?: number, column?: number, offset?: number}}} Reading
 */

/** The value that a text means as a type. @param {string} text @param {string} type @returns {Reading} */
export function readAs(text, type) {
  if (type === "string") return { json: JSON.stringify(text) };
  if (type === "null") return { json: "null" };
  const trimmed = text.trim();
  if (type === "number") {
    return NUMBER.test(trimmed) ? { json: trimmed } : { fault: { message: whyNoNumber(trimmed) } };
  }
  if (type === "boolean") {
    const word = trimmed.toLowerCase();
    return word === "true" || word === "false" ? { json: word } : { fault: { message: "A boolean is true or false" } };
  }
  const fault = findFault(text);
  if (fault) return { fault };
  const found = typeOf(trimmed);
  if (found !== type)
    return {
      fault: { message: `This is ${withArticle(found)}, not ${withArticle(type)}`, line: 1, column: 1, offset: 0 },
    };
  return { json: compact(text) };
}

function whyNoNumber(text) {
  if (text === "") return "A number is missing";
  if (/^-?0[0-9]/.test(text)) return "A number cannot begin with 0";
  if (/^-?[0-9]{1,3}([,_ ][0-9]{3})+(\.[0-9]+)?$/.test(text))
    return "A number cannot have separators between its digits";
  if (/^-?[0-9]+,[0-9]+$/.test(text)) return "Write the decimal separator as a point";
  return `“${text.slice(0, 40)}” is not a number`;
}

function withArticle(type) {
  const names = {
    string: "a text",
    number: "a number",
    boolean: "a boolean",
    object: "an object",
    array: "a list",
    null: "null",
  };
  return names[type];
}

/**
 * What typing into a cell in place means: it keeps the type that the cell has. A cell without a value takes its column's:
 * a number only where the column holds numbers and the text is one, else text.
 * @param {string} text
 * @param {string|null} current the cell's value
 * @param {Record<string, number>} types how often each type occurs in the column
 */
export function readTyped(text, current, types = {}) {
  const type = typeOf(current);
  if (type === "string") return readAs(text, "string");
  if (type === "number" || type === "boolean") return readAs(text, type);
  const most = Object.entries(types)
    .filter(([name]) => name !== "null" && name !== "missing")
    .sort((a, b) => b[1] - a[1])[0]?.[0];
  if (most === "number" || most === "boolean") {
    const read = readAs(text, most);
    if (read.json) return read;
  }
  return readAs(text, "string");
}

/**
 * The text to start with when a value's type is changed: what is there is kept as far as the new type can say it.
 * @param {string|null} json the value so far
 * @param {string} type the new type
 */
export function textForType(json, type) {
  const from = typeOf(json);
  if (from === type) return textOf(json);
  const text = from === "null" || from === "missing" ? "" : textOf(json);
  if (type === "boolean")
    return from === "number" ? String(!/^-?0(\.0+)?(e.*)?$/i.test(text)) : String(text.trim().toLowerCase() === "true");
  if (type === "number") return from === "boolean" ? (text === "true" ? "1" : "0") : text.trim() || "0";
  if (type === "object") return from === "string" && typeOf(text.trim() || null) === "object" ? text : "{}";
  if (type === "array") {
    if (from === "string" && typeOf(text.trim() || null) === "array") return text;
    return from === "missing" || from === "null" ? "[]" : `[${json}]`;
  }
  return type === "null" ? "" : text;
}

/** @type {[string, number][]} */
const SPANS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/**
 * How long until `__expires`, as people read it.
 * @param {string} json seconds since 1970
 * @param {number} nowMs
 * @returns {string|null} null when it is no moment a calendar has
 */
export function timeLeft(json, nowMs) {
  if (typeOf(json) !== "number" || momentFrom(json) === null) return null;
  const left = Number(json) + 1 - nowMs / 1000;
  if (left <= 0) return "expired";
  const [unit, length] = SPANS.find(([, size]) => left >= size) ?? ["second", 1];
  const count = Math.floor(left / length);
  return `in ${count} ${unit}${count === 1 ? "" : "s"}`;
}
