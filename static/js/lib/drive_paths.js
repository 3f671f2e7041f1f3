/** A Drive's names seen as paths: folders end with `/`, everything before the last `/` of a file's name is its folder. */

const NAME_MAX_BYTES = 1024;
const encoder = new TextEncoder();

/** The folder that a file or folder stands in: `a/b.txt` and `a/b/` are in `a/`, `b.txt` is in ``. */
export function folderOf(name) {
  const bare = name.endsWith("/") ? name.slice(0, -1) : name;
  return bare.slice(0, bare.lastIndexOf("/") + 1);
}

/** What a file or folder is called inside its folder, a folder without its `/`. */
export function labelOf(name) {
  const bare = name.endsWith("/") ? name.slice(0, -1) : name;
  return bare.slice(bare.lastIndexOf("/") + 1);
}

/** A name as it is shown: marks that would turn other letters round, so that `gnp.exe` is read as `exe.png`, spelled out. */
export function unturned(name) {
  return name.replace(
    /[\u202a-\u202e\u2066-\u2069]/g,
    (mark) => `[U+${mark.codePointAt(0).toString(16).toUpperCase()}]`,
  );
}

export function isFolder(name) {
  return name.endsWith("/");
}

/** The name that a file or folder has under another label. */
export function relabel(name, label) {
  return folderOf(name) + label + (isFolder(name) ? "/" : "");
}

/** Where the extension begins in a label, so that a rename can select what stands before it; its length when there is none. */
export function stemEnd(label) {
  const dot = label.lastIndexOf(".");
  return dot > 0 ? dot : label.length;
}

/**
 * What is wrong with a name that a person typed for a file or folder, in words; "" when nothing is.
 * A slash is allowed: it makes a folder. The server checks again, and decides.
 */
export function faultOfLabel(label, folder = "") {
  if (label.trim() === "") return "A name needs at least one character.";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(label)) return "A name cannot hold line breaks or other control characters.";
  if (label.endsWith("/")) return "A name cannot end with a slash.";
  const bytes = encoder.encode(folder + label).length;
  if (bytes > NAME_MAX_BYTES)
    return `With its folder this name is ${bytes.toLocaleString("en")} bytes long. At most ${NAME_MAX_BYTES.toLocaleString("en")} are allowed.`;
  return "";
}

/** Whether this is the folder of that name, or something in it at any depth. */
export function isWithin(name, folder) {
  return isFolder(folder) && name.startsWith(folder);
}

/** Whether a folder can be moved there: not into itself, nor below. */
export function canMoveInto(name, target) {
  return !isWithin(target, name) && folderOf(name) !== target;
}
