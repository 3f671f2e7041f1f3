/** What was dropped or chosen, as a flat list of files with their paths. */

/**
 * Walk the entries of a drop (`DataTransferItem.webkitGetAsEntry()`), folders to any depth.
 * @param {FileSystemEntry[]} entries
 * @param {(path: string) => boolean} [isSkipped] what is not even looked into
 * @returns {Promise<{files: {file: File, path: string}[], folders: string[], unreadable: string[]}>}
 *   paths with `/` between their parts and none at their start; `folders`: those with nothing in them, ended by `/`
 */
export async function walkEntries(entries, isSkipped = () => false) {
  const found = { files: [], folders: [], unreadable: [] };
  for (const entry of entries) await walk(entry, "", found, isSkipped);
  return found;
}

async function walk(entry, above, found, isSkipped) {
  const path = above + entry.name;
  if (isSkipped(path)) return;
  try {
    if (entry.isFile) {
      found.files.push({ file: await fileOf(entry), path });
      return;
    }
    const children = await childrenOf(entry);
    if (children.length === 0) found.folders.push(`${path}/`);
    for (const child of children) await walk(child, `${path}/`, found, isSkipped);
  } catch {
    // One that cannot be read (no right to, gone meanwhile) does not keep the others from being uploaded.
    found.unreadable.push(path);
  }
}

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A reader hands out a folder's entries in portions, and an empty one at the end. */
async function childrenOf(folder) {
  const reader = folder.createReader();
  const children = [];
  for (;;) {
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return children;
    children.push(...portion);
  }
}

/** The same from an `<input type="file">`, with or without `webkitdirectory`. */
export function listFiles(files) {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}
