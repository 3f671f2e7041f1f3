/** Cells and items as text for the clipboard. */

import { indent, joinObject } from "./json_text.js";
import { textOf } from "./json_values.js";

/** Rows of JSON texts as tab-separated lines that spreadsheets read. @param {(string|null)[][]} rows */
export function toTsv(rows) {
  return rows.map((row) => row.map((json) => quoteField(json === null ? "" : textOf(json))).join("\t")).join("\n");
}

function quoteField(text) {
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Items as a JSON list, digits as they are stored. @param {[string, string][][]} items each `[[name, JSON text], ...]` */
export function toJson(items) {
  return indent(`[${items.map(joinObject).join(",")}]`);
}

/** Whether a pasted text is one value for one cell, and not a table or a list of items. */
export function isOneValue(text) {
  const trimmed = text.replace(/\r?\n$/, "");
  return !/[\t\n]/.test(trimmed) && !/^\s*(\[\s*\{|\{)/.test(trimmed);
}
