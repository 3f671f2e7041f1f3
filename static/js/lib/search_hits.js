/** Where the words of a search stand in an item: in which values, at which path, by the rules that the server searches by. */

import { walk } from "./json_text.js";

const LETTER = /[\p{L}\p{N}_]/u;

/** Finds the words between anything but letters, digits and underscores, whatever their case. @param {string} words */
function wordsPattern(words) {
  const text = words.trim();
  const escaped = text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const first = String.fromCodePoint(text.codePointAt(0));
  const last = [...text].at(-1);
  const before = LETTER.test(first) ? "(?<![\\p{L}\\p{N}_])" : "";
  const after = LETTER.test(last) ? "(?![\\p{L}\\p{N}_])" : "";
  return new RegExp(`${before}${escaped}${after}`, "giu");
}

/** @typedef {{path: string, text: string}} Hit where in the value (empty: it is the value itself), and the text there */

/** The first place in a value where the words are; a number, a boolean or null has to be the words. @returns {Hit|null} */
export function findHit(json, words) {
  const pattern = wordsPattern(words);
  const wanted = words.trim().toLowerCase();
  const steps = [];
  let found = null;
  walk(json, (kind, begin, end, level) => {
    if (found) return;
    if (kind === "open") steps[level] = json[begin] === "[" ? 0 : null;
    else if (kind === "name") steps[level - 1] = JSON.parse(json.slice(begin, end));
    else if (kind === "comma" && typeof steps[level - 1] === "number") steps[level - 1] += 1;
    else if (kind === "value") {
      const part = json.slice(begin, end);
      const text = part[0] === '"' ? JSON.parse(part) : part;
      pattern.lastIndex = 0;
      if (part[0] === '"' ? pattern.test(text) : text.toLowerCase() === wanted)
        found = { path: steps.slice(0, level).join("."), text };
    }
  });
  return found;
}

/**
 * A text in pieces, hits apart from what is between them, cut to some characters around the first.
 * @returns {{text: string, isHit: boolean}[]}
 */
export function cutAround(text, words, characters = 60) {
  const pattern = wordsPattern(words);
  const first = pattern.exec(text);
  if (!first) return [{ text: text.slice(0, characters), isHit: false }];
  const start = first.index + first[0].length <= characters ? 0 : Math.max(0, first.index - 12);
  const shown = text.slice(start, Math.max(start + characters, first.index + first[0].length));
  const pieces = start > 0 ? [{ text: "…", isHit: false }] : [];
  pieces.push(...splitAtHits(shown, words));
  if (start + shown.length < text.length) pieces.push({ text: "…", isHit: false });
  return pieces;
}

/** A text in pieces, hits apart from what is between them. */
export function splitAtHits(text, words) {
  const pieces = [];
  let at = 0;
  for (const match of text.matchAll(wordsPattern(words))) {
    if (match.index > at) pieces.push({ text: text.slice(at, match.index), isHit: false });
    pieces.push({ text: match[0], isHit: true });
    at = match.index + match[0].length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), isHit: false });
  return pieces;
}
