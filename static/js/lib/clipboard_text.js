/** Cells and items as text for the clipboard. */

import { indent, joinObject } from "./json_text.js";
import { textOf } from "./json_values.js";

/** Rows of JSON texts as tab-separated lines that spreadsheets read. @param {(string|null)[][]} rows */
export function toTsv(rows) {
  return rows.map((row) => row.map((json) => (json === null ? "" : quoteField(textOf(json)))).join("\t")).join("\n");
}

/** An empty text is two quotes, so that it is not taken for a missing value. */
function quoteField(text) {
  return text === "" || /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Items as a JSON list, digits as they are stored. @param {[string, string][][]} items each `[[name, JSON text], ...]` */
export function toJson(items) {
  return indent(`[${items.map(joinObject).join(",")}]`);
}
