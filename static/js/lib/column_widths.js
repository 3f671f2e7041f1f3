/** How wide a column is at first: as wide as what it shows, within bounds. In rem, at the sizes of `tokens.css`. */

import { shownText, typeOf } from "./json_values.js";

const CHARACTER = 0.53; // of the data font in a cell; its characters are all equally wide
const SMALL_CHARACTER = 0.54; // of a countdown or a type
const PADDING = 1.6;
const SIGNS = 1.75; // what stands beside the words in a header: the arrow of its menu, the sign of its order
const NESTED = 13;
const EXPIRY = 16 * CHARACTER + 12 * SMALL_CHARACTER + 0.5;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/gu;

/** How many characters' room a text takes: those of East Asia and most pictures take two. */
function lengthOf(text) {
  return text.length + (text.match(WIDE)?.length ?? 0);
}

/** The room that a value takes in a cell of an attribute. @param {string} name @param {string} json */
export function widthOfValue(name, json) {
  const type = typeOf(json);
  if (type === "object" || type === "array") return NESTED;
  if (type === "boolean") return 1.1;
  if (name === "__expires" && type === "number") return EXPIRY;
  return lengthOf(shownText(json)) * CHARACTER;
}

/**
 * @param {{name: string, word: string}} header the attribute, and the type that stands beside it
 * @param {number[]} values the room that each value takes
 * @param {{least: number, most: number}} bounds
 */
export function fittingWidth({ name, word }, values, { least, most }) {
  const header = lengthOf(name) * CHARACTER + word.length * SMALL_CHARACTER + SIGNS;
  const widest = values.reduce((one, other) => Math.max(one, other), header);
  return Math.min(most, Math.max(least, Math.ceil((widest + PADDING) * 4) / 4));
}
