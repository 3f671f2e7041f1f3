/** What a deed is about. */

import { isFolder, labelOf, unturned } from "../../lib/drive_paths.js";
import { openedName } from "./preview.js";
import { chosenNames } from "./file_rows.js";

/** The file in the preview while that is open, else what is chosen in the list. */
export function subject() {
  const opened = openedName();
  return opened ? [opened] : chosenNames();
}

/** Names apart from folders, as the server wants them. */
export function partNames(names) {
  return { names: names.filter((name) => !isFolder(name)), folders: names.filter(isFolder) };
}

/** What a sentence calls them: the one by its name, several by their number. */
export function describe(names) {
  if (names.length === 1) return `“${unturned(labelOf(names[0]))}”`;
  const count = names.length.toLocaleString("en");
  return names.every(isFolder) ? `${count} folders` : names.some(isFolder) ? `${count} folders and files` : `${count} files`;
}
