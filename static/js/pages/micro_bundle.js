/** Deploys what is dropped or chosen: a folder is packed into a tar while it is sent, a zip goes as it is. */

import { chooseFiles, findRuntime, isLeftOut, readDeclaredName } from "../lib/bundle_files.js";
import { listFiles, walkEntries } from "../lib/dropped_files.js";
import { isReadable, sendFile } from "../lib/file_requests.js";
import { formatCount, formatProgress, formatSize } from "../lib/formatting.js";
import { RequestError, requestJson } from "../lib/requests.js";
import { packTar } from "../lib/tar.js";

/** How long the server may take to look a bundle through. */
const ANSWER_MS = 600_000;
/** As the limit counts. */
const MB = 1_048_576;

const sender = document.getElementById("bundle-sender");
const form = sender.closest("form");
const submit = form.querySelector("button[type=submit]");
const folderInput = document.getElementById("folder-input");
const zipInput = document.getElementById("zip-input");
const shown = {
  found: document.getElementById("bundle-found"),
  progress: document.getElementById("bundle-progress"),
  text: document.getElementById("bundle-text"),
  bar: document.getElementById("bundle-bar"),
  fault: document.getElementById("bundle-fault"),
  submit: document.getElementById("submit-text"),
};
const isNew = form.id === "new-micro";
/** @type {{blob: Blob, files: {path: string, file: File}[]} | null} */
let chosen = null;
let cancelled = null;
/** Where the files go: a new Micro is made once, however often its files have to be sent. */
let address = sender.dataset.bundle;

document.getElementById("choose-folder").addEventListener("click", () => folderInput.click());
document.getElementById("choose-zip").addEventListener("click", () => zipInput.click());
document.getElementById("bundle-cancel").addEventListener("click", () => cancelled?.abort());
folderInput.addEventListener("change", () => folderInput.files.length && take(listFiles(folderInput.files), true));
zipInput.addEventListener("change", () => zipInput.files.length && take(listFiles(zipInput.files), false));
form.addEventListener("submit", (event) => {
  if (!chosen && isNew) return;
  event.preventDefault();
  if (chosen && !cancelled) deploy();
});

for (const name of /** @type {const} */ (["dragenter", "dragover"])) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    sender.classList.add("sender-over");
  });
}
document.addEventListener("dragleave", (event) => event.relatedTarget || sender.classList.remove("sender-over"));
document.addEventListener("drop", async (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  sender.classList.remove("sender-over");
  if (cancelled) return;
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const [file] = event.dataTransfer.files;
  if (entries.length === 1 && entries[0].isFile) {
    take([{ file, path: file.name }], false);
    return;
  }
  const { files, unreadable } = await walkEntries(entries, isLeftOut);
  if (unreadable.length > 0) tell(`This could not be read: ${unreadable.slice(0, 5).join(", ")}`);
  else take(files, true);
});
addEventListener("beforeunload", (event) => cancelled && event.preventDefault());

/** Remember what to send, and say what it is. A single file that is no archive is an app in one file. */
function take(found, isFolder) {
  shown.fault.hidden = true;
  chosen = null;
  const isArchive = !isFolder && /\.(zip|tar|tgz|gz)$/i.test(found[0].path);
  const files = isArchive ? found : chooseFiles(found);
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const runtime = isArchive ? "" : findRuntime(files);
  const fault = faultOf(files, bytes, isArchive, runtime);
  shown.found.textContent = "";
  if (fault) {
    tell(fault);
  } else if (isArchive) {
    chosen = { blob: files[0].file, files };
    shown.found.textContent = `${files[0].path}, ${formatSize(bytes)}`;
  } else {
    chosen = { blob: packTar(files), files };
    shown.found.textContent = `${formatCount(files.length, "file")}, ${formatSize(bytes)}: ${runtime}`;
  }
  if (isNew) suggestName(found[0].path, files);
  showReady();
}

function faultOf(files, bytes, isArchive, runtime) {
  const mostMb = Number(sender.dataset.mostMb);
  if (files.length === 0) return "There is no file in it that counts.";
  if (bytes > mostMb * MB) return `These are ${Math.ceil(bytes / MB)} MB; a Micro has at most ${mostMb} MB of code.`;
  if (files.length > Number(sender.dataset.mostFiles))
    return `These are ${formatCount(files.length, "file")}; a Micro has at most ${formatCount(Number(sender.dataset.mostFiles), "file")}.`;
  if (!isArchive && !runtime)
    return "There is no main.py and no index.js at the top of it, so nothing could be started.";
  return "";
}

/** The name that the app gives itself, else the folder's or the zip's, where none was typed yet. */
async function suggestName(path, files) {
  const name = form.elements.name;
  const manifest = files.find((found) => found.path === "deta.json" && found.file.size <= MB);
  const declared = manifest ? readDeclaredName(await manifest.file.text().catch(() => "")) : "";
  if (name.value) return;
  name.value = declared || path.split("/", 1)[0].replace(/\.(zip|tar|tgz|tar\.gz|py|js)$/i, "");
  name.dispatchEvent(new Event("input", { bubbles: true }));
}

function showReady() {
  submit.disabled = Boolean(cancelled) || (!isNew && !chosen);
  shown.submit.textContent = isNew ? (chosen ? "Create and deploy" : "Create") : "Deploy";
}

async function deploy() {
  cancelled = new AbortController();
  shown.fault.hidden = true;
  showReady();
  try {
    address ??= (await requestJson(form.action, { method: "POST", body: new FormData(form) })).bundle;
    const { page } = await send();
    cancelled = null;
    location.assign(page);
  } catch (error) {
    const isStopped = cancelled.signal.aborted;
    cancelled = null;
    shown.progress.hidden = true;
    tell(isStopped ? "Stopped. Nothing was deployed." : await explain(error));
    showReady();
  }
}

function send() {
  const { blob } = chosen;
  shown.progress.hidden = false;
  shown.bar.max = blob.size;
  showProgress(0, blob.size);
  return sendFile("POST", address, blob, {
    type: "application/octet-stream",
    signal: cancelled.signal,
    answerMs: ANSWER_MS,
    onProgress: (bytes) => showProgress(bytes, blob.size),
  });
}

function showProgress(bytes, size) {
  shown.bar.value = bytes;
  shown.text.textContent = bytes < size ? `Sending: ${formatProgress(bytes, size)}` : "Looking through it …";
}

async function explain(error) {
  if (!(error instanceof RequestError)) throw error;
  if (error.status !== 0) return [error.message, ...error.messages.slice(1)].join("\n");
  for (const { file, path } of chosen.files)
    if (!(await isReadable(file))) return `“${path}” was changed or removed meanwhile. Choose the folder again.`;
  return "The connection broke off before all was sent. Nothing was deployed: try again.";
}

function tell(text) {
  shown.fault.textContent = text;
  shown.fault.hidden = false;
}

showReady();
