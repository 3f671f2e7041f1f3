/** What a command is about: the names of files and folders. */

import { isFolder, labelOf, unturned } from "../../lib/drive_paths.js";
import { chosenNames } from "./file_rows.js";
import { openedName } from "./preview.js";

/** The file in the preview while that is open, else what is chosen in the list. */
export function selection() {
  const opened = openedName();
  return opened ? [opened] : chosenNames();
}

/** Names apart from folders, as the server wants them. */
export function namesByKind(names) {
  return { names: names.filter((name) => !isFolder(name)), folders: names.filter(isFolder) };
}

/** What a sentence calls them: the one by its name, several by their number. */
export function describeNames(names) {
  if (names.length === 1) return `“${unturned(labelOf(names[0]))}”`;
  const count = names.length.toLocaleString("en");
  return names.every(isFolder)
    ? `${count} folders`
    : names.some(isFolder)
      ? `${count} folders and files`
      : `${count} files`;
}
