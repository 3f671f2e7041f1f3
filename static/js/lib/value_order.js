/** The order that the server sorts a table's rows in, for rows that come while it is open. */

import { typeOf } from "./json_values.js";
import { readSort } from "./table_columns.js";

const KINDS = { null: 0, string: 1, number: 2, boolean: 3 };
const NUMBER = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;
const SHORT = /^-?[0-9.]{1,15}$/; // what floats hold exactly enough
const LONGEST_EXPONENT = 6; // digits; such numbers are compared by the server alone

/**
 * @typedef {{key: string, values: Map<string, any>}} Row a value is JSON text; what is no text was not fetched whole
 */

/** Two texts by their characters, which is by their bytes in UTF-8. */
function compareTexts(one, other) {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index += 1) {
    const [first, second] = [one.charCodeAt(index), other.charCodeAt(index)];
    if (first !== second) return rankOf(first) - rankOf(second);
  }
  return one.length - other.length;
}

/** The halves of characters beyond U+FFFF come behind all whole ones. */
function rankOf(unit) {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Two numbers by all their digits. @returns {number|null} */
function compareNumbers(one, other) {
  if (SHORT.test(one) && SHORT.test(other)) return Number(one) - Number(other);
  const [first, second] = [partsOf(one), partsOf(other)];
  if (first === null || second === null) return null;
  if (first.sign !== second.sign) return first.sign - second.sign;
  const size = first.size - second.size || compareDigits(first.digits, second.digits);
  return size * first.sign;
}

function compareDigits(one, other) {
  if (one === other) return 0;
  const length = Math.max(one.length, other.length);
  return one.padEnd(length, "0") < other.padEnd(length, "0") ? -1 : 1;
}

/** A number as 0.digits times ten to the size. */
function partsOf(json) {
  const found = NUMBER.exec(json);
  if (!found || (found[4]?.length ?? 0) > LONGEST_EXPONENT) return null;
  const [, minus, whole, fraction = "", exponent = "0"] = found;
  const digits = `${whole}${fraction}`;
  const lead = digits.search(/[1-9]/);
  if (lead === -1) return { sign: 0, size: 0, digits: "" };
  return { sign: minus ? -1 : 1, size: whole.length - lead + Number(exponent), digits: digits.slice(lead) };
}

/** @returns {number|null} null for what only the server can compare: lists, objects, and values that are not here whole */
function compareValues(one, other) {
  const [first, second] = [KINDS[typeOf(one)], KINDS[typeOf(other)]];
  if (first === undefined || second === undefined) return null;
  if (first !== second) return first - second;
  if (first === KINDS.string) return compareTexts(JSON.parse(one), JSON.parse(other));
  if (first === KINDS.number) return compareNumbers(one, other);
  return first === KINDS.boolean ? Number(one === "true") - Number(other === "true") : 0;
}

function compareRows(one, other, steps) {
  for (const { name, descending } of steps) {
    if (name === "key") return compareTexts(one.key, other.key) * (descending ? -1 : 1);
    const [first, second] = [one.values.get(name) ?? null, other.values.get(name) ?? null];
    if (first === null && second === null) continue;
    // What has no such attribute is last, whichever way round.
    if (first === null || second === null) return first === null ? 1 : -1;
    if (typeof first !== "string" || typeof second !== "string") return null;
    const difference = compareValues(first, second);
    if (difference === null) return null;
    if (difference !== 0) return descending ? -difference : difference;
  }
  // As `storage/base/sql/orders.py` has it: what a single attribute sorts backwards is read from its index backwards.
  const isBackwards = steps.length === 1 && steps[0].descending;
  return compareTexts(one.key, other.key) * (isBackwards ? -1 : 1);
}

/**
 * Where a row belongs among others. These are in order but for some: what was changed since stays where it was, and so the
 * place is the one that is right for most.
 * @param {Row[]} rows
 * @param {Row} row
 * @param {string} sort as it stands in the address
 * @returns {number|null} before which row; null where that can't be told
 */
export function placeInOrder(rows, row, sort) {
  const asked = readSort(sort);
  const steps = asked[0]?.name === "key" ? asked.slice(0, 1) : asked;
  if (compareRows(row, row, steps) === null) return null;
  let wrong = 0;
  let [place, least] = [0, 0];
  for (const [index, other] of rows.entries()) {
    const difference = compareRows(other, row, steps);
    if (difference === null) continue;
    // Behind this one it is right for one more, or wrong for one more.
    wrong += difference < 0 ? -1 : 1;
    if (wrong < least) [place, least] = [index + 1, wrong];
  }
  return place;
}
