/** Sends a file that was chosen or dropped, in parts, and goes on where a broken connection left it. */

import { formatProgress } from "../lib/formatting.js";
import { RequestError, requestJson } from "../lib/requests.js";
import { isTemporary, retryDelay } from "../lib/retries.js";
import { isSameFile, nextPart } from "../lib/upload_parts.js";

/** More in a row than this, which take about a minute, and the person is told. */
const FAILURES_MAX = 8;

const form = document.getElementById("sender");
const input = document.getElementById("sender-file");
const shown = {
  progress: document.getElementById("sender-progress"),
  text: document.getElementById("sender-text"),
  bar: document.getElementById("sender-bar"),
  fault: document.getElementById("sender-fault"),
};
let cancelled = null;

input.addEventListener("change", () => input.files.length && send(input.files[0]));
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("sender-cancel").addEventListener("click", () => cancelled?.abort());

for (const name of /** @type {const} */ (["dragenter", "dragover"])) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form.classList.add("sender-over");
  });
}
document.addEventListener("dragleave", (event) => event.relatedTarget || form.classList.remove("sender-over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("sender-over");
  const [file] = event.dataTransfer.files;
  if (file && !cancelled) send(file);
});
addEventListener("beforeunload", (event) => cancelled && event.preventDefault());

// Chosen while this script was still on its way: no event tells of it any more.
if (input.files.length) send(input.files[0]);

async function send(file) {
  cancelled = new AbortController();
  shown.fault.hidden = true;
  shown.progress.hidden = false;
  input.disabled = true;
  try {
    const upload = await begin(file);
    await sendParts(file, upload);
    cancelled = null;
    location.assign(upload.page);
  } catch (error) {
    tell(explain(error));
    input.disabled = false;
    input.value = "";
    cancelled = null;
  }
}

/** Where the parts go and how many bytes are there already. */
async function begin(file) {
  const { parts, page, received, size, name } = form.dataset;
  if (parts) {
    if (!isSameFile(file, { name, size: Number(size) }))
      throw new Error(`This is a different file. Choose “${name}” to continue.`);
    return { parts, page, received: Number(received) };
  }
  const body = new URLSearchParams({ name: file.name, size: file.size });
  const answer = await post(form.dataset.new, body);
  // Whoever stops here and chooses again goes on with this one.
  Object.assign(form.dataset, {
    parts: answer.parts,
    page: answer.page,
    received: 0,
    size: file.size,
    name: file.name,
  });
  return answer;
}

async function sendParts(file, upload) {
  const partBytes = Number(form.dataset.partBytes);
  let { received } = upload;
  for (let part = nextPart(received, file.size, partBytes); part; part = nextPart(received, file.size, partBytes)) {
    show(received, file.size);
    const bytes = new Blob([file.slice(part.start, part.end)], { type: "application/octet-stream" });
    const answer = await post(`${upload.parts}?start=${part.start}`, bytes);
    received = answer.received;
    form.dataset.received = received;
  }
  show(received, file.size);
}

/** POST, again and again while that may help. A 409 is an answer too: it says where to go on. */
async function post(url, body) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await requestJson(url, { method: "POST", body, signal: cancelled.signal });
    } catch (error) {
      if (error.status === 409 && error.body) return error.body;
      if (!(error instanceof RequestError) || !isTemporary(error) || failures >= FAILURES_MAX) throw error;
      shown.text.textContent = "The connection broke off. Trying again …";
      await wait(retryDelay(failures, error.retryAfterMs), cancelled.signal);
    }
  }
}

function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });
}

function explain(error) {
  if (error.name === "AbortError") return "Stopped. Choose the same file again to continue.";
  if (error.status === 0) return "The server does not answer. Choose the same file again later to continue.";
  if (error.status === 404) return "This import was deleted, or its file was already sent. Reload the page.";
  return error.message;
}

function show(received, size) {
  shown.bar.max = size;
  shown.bar.value = received;
  shown.text.textContent = `Sending: ${formatProgress(received, size)}`;
}

function tell(text) {
  shown.progress.hidden = true;
  shown.fault.textContent = text;
  shown.fault.hidden = false;
}
