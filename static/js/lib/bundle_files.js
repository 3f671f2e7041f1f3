/** What of a folder is deployed as a Micro. The server decides the same again (`storage/micros/bundles.py`). */

const LEFT_OUT = new Set(["node_modules", "__pycache__", "venv", "virtualenv", "__MACOSX", "Thumbs.db", "desktop.ini"]);

/** Whether a file or folder of this path stays out of a bundle, whatever is in it. */
export function isLeftOut(path) {
  return (
    path.endsWith(".pyc") ||
    path.split("/").some((step) => LEFT_OUT.has(step) || (step.startsWith(".") && step !== ".."))
  );
}

/**
 * The files to send, with paths from the folder that holds the app.
 * @template {{path: string}} F
 * @param {F[]} files
 * @returns {F[]}
 */
export function chooseFiles(files) {
  const environments = files
    .filter(({ path }) => path.endsWith("/pyvenv.cfg"))
    .map(({ path }) => path.slice(0, -"pyvenv.cfg".length));
  const kept = files.filter(
    ({ path }) =>
      !isLeftOut(path) && !environments.some((folder) => path.startsWith(folder) && folder !== topOf(files)),
  );
  const top = topOf(kept);
  return kept.map((found) => ({ ...found, path: found.path.slice(top.length) }));
}

/**
 * What will run these files, in words; empty when nothing can.
 * @param {{path: string}[]} files
 */
export function findRuntime(files) {
  const names = new Set(files.map(({ path }) => path));
  if (names.has("Spacefile") && !names.has("deta.json")) return "as its Spacefile says";
  if (names.has("main.py")) return names.has("requirements.txt") ? "Python, with requirements.txt" : "Python";
  if (names.has("package.json")) return "Node.js, with package.json";
  return names.has("index.js") ? "Node.js" : "";
}

/** The name that a `deta.json` gives its app; empty when it gives none, or is no JSON: the server says what is wrong with it. */
export function readDeclaredName(text) {
  try {
    const { name } = JSON.parse(text.replace(/^\ufeff/, ""));
    return typeof name === "string" ? name.trim() : "";
  } catch {
    return "";
  }
}

/** `app/` when all of them lie in one folder `app`. */
function topOf(files) {
  const tops = new Set(files.map(({ path }) => (path.includes("/") ? `${path.split("/", 1)[0]}/` : "")));
  return tops.size === 1 ? [...tops][0] : "";
}
