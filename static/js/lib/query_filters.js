/** A query as text with one condition more or less: what "filter by this value" writes into the bar. Values stay the JSON text they are. */

import { splitList, splitObject } from "./json_text.js";
import { typeOf } from "./json_values.js";

const KEY = "key";
/** How each operator may be written behind `?`; the first is how it is written here. */
const SPELLINGS = {
  eq: ["", "eq"],
  ne: ["ne", "!="],
  gt: ["gt", ">"],
  gte: ["gte", ">="],
  lt: ["lt", "<"],
  lte: ["lte", "<="],
  pfx: ["pfx"],
  contains: ["contains"],
  not_contains: ["not_contains", "!contains"],
  r: ["r"],
};
const OPERATORS = new Map(
  Object.entries(SPELLINGS).flatMap(([operator, spellings]) => spellings.map((spelling) => [spelling, operator])),
);
const NOT_ON_KEY = ["ne", "contains", "not_contains"];
const ON_TEXT_ALONE = ["pfx", "contains", "not_contains"];

/** @typedef {{name: string, operator: string, json: string}} Filter an attribute, one of the operators, and the value as JSON text */

/** Whether a query can say this: a point in an attribute's name would lead into an object, and the key has fewer operators. */
export function canFilter({ name, operator, json }) {
  const type = typeOf(json);
  if (type === "missing" || name.includes(".") || name === "") return false;
  if (name === KEY && NOT_ON_KEY.includes(operator)) return false;
  if (ON_TEXT_ALONE.includes(operator)) return type === "string";
  if (operator === "r") return type === "array";
  return ["eq", "ne"].includes(operator) || type === "number" || type === "string";
}

/**
 * The query with this condition in each of its objects, so that what it found before is narrowed. A condition of the same kind on
 * the same attribute gives way; two values can be left out of one attribute at once.
 * @param {string} query strict JSON of a query, or an empty text
 * @param {Filter} filter
 * @returns {string|null} null when the query has no room for it: an object holds each name once
 */
export function addFilter(query, filter) {
  const groups = groupsOf(query).map((entries) => narrowed(entries, filter));
  return groups.includes(null) ? null : written(groups);
}

/** The query without any condition on an attribute. @param {string} query @param {string} name */
export function withoutFilters(query, name) {
  return written(groupsOf(query).map((entries) => entries.filter(([text]) => read(text).name !== name)));
}

/** The conditions on an attribute that all of the query shares: of one with several objects, none. @returns {{operator: string, json: string}[]} */
export function filtersOn(query, name) {
  const groups = groupsOf(query);
  if (groups.length !== 1) return [];
  return groups[0]
    .map(([text, json]) => ({ ...read(text), json }))
    .filter((condition) => condition.name === name)
    .map(({ operator, json }) => ({ operator, json }));
}

/** @returns {[string, string][][]} the objects of a query, each as its conditions; one without any for the empty query */
function groupsOf(query) {
  if (query.trim() === "") return [[]];
  const objects = typeOf(query.trim()) === "array" ? splitList(query) : [query];
  return objects.length === 0 ? [[]] : objects.map(splitObject);
}

/** What a condition is on, and its operator; an operator that is none is kept as it is written. */
function read(text) {
  const mark = text.lastIndexOf("?");
  if (mark === -1) return { name: text, operator: "eq" };
  const spelling = text.slice(mark + 1);
  return { name: text.slice(0, mark), operator: (spelling === "" ? null : OPERATORS.get(spelling)) ?? spelling };
}

function narrowed(entries, { name, operator, json }) {
  const same = entries.filter(
    ([text]) => read(text).name === name && (name === KEY || read(text).operator === operator),
  );
  if (operator === "ne") {
    if (same.some(([, other]) => other === json)) return entries;
    const free = SPELLINGS.ne.map((spelling) => conditionName(name, spelling));
    const open = free.find((text) => !entries.some(([other]) => other === text));
    return open === undefined ? null : [...entries, [open, json]];
  }
  return [...entries.filter((entry) => !same.includes(entry)), [conditionName(name, SPELLINGS[operator][0]), json]];
}

/** An attribute with a question mark in its name needs an operator, or what follows the mark would be taken for one. */
function conditionName(name, spelling) {
  if (spelling === "" && !name.includes("?")) return name;
  return `${name}?${spelling || "eq"}`;
}

function written(groups) {
  if (groups.length === 1) return spaced(groups[0]);
  // An object without conditions lets everything through, whatever the others ask for.
  return groups.some((entries) => entries.length === 0) ? "" : `[${groups.map(spaced).join(", ")}]`;
}

function spaced(entries) {
  if (entries.length === 0) return "";
  return `{${entries.map(([name, json]) => `${JSON.stringify(name)}: ${json}`).join(", ")}}`;
}
