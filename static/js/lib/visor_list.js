/** What the list of recorded requests works out, without a page. */

/**
 * How many of the rows a server sends are not on the page yet.
 * @param {string[]} shown ids on the page, newest first
 * @param {string[]} fresh ids that came, newest first
 * @returns {number} those above the newest one shown, and any that came late in between
 */
export function countNew(shown, fresh) {
  const known = new Set(shown);
  const oldest = shown.at(-1) ?? "";
  return fresh.filter((id) => !known.has(id) && id > oldest).length;
}

/**
 * The text of the pill that waits while the list is paused.
 * @param {number} count
 * @param {number} most rows a page has: there may be more than that
 */
export function describeNew(count, most) {
  return count >= most ? `${most}+ new` : `${count} new`;
}

/**
 * What a key does on the list.
 * @param {{key: string, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean}} event
 * @param {{isTyping: boolean, isOpen: boolean, isOnControl: boolean}} state whether a field has the focus, a panel is open, a button or link has the focus
 * @returns {string | null} the name of the action
 */
export function actionFor(event, { isTyping, isOpen, isOnControl }) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === "Escape") return isOpen ? "close" : null;
  if (isTyping) return null;
  if (event.key === " ") return isOnControl ? null : "pause";
  if (event.key === "Enter") return isOnControl ? null : "open";
  return (
    {
      j: "next",
      k: "previous",
      r: "redo",
      e: "edit",
      c: "copy",
      p: "pin",
      R: "redoAtOnce",
      "/": "filter",
      "?": "keys",
    }[event.key] ?? null
  );
}

/** A query string without what is not asked for. */
export function withoutEmpty(parameters) {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ""));
}
