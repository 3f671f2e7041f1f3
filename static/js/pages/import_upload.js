/** Sends a file that was chosen or dropped, in parts, and goes on where a broken connection left it. */

import { describeProgress, isSameFile, mayPass, nextPart, retryDelay } from "../lib/sending.js";

const form = document.getElementById("sender");
const input = document.getElementById("sender-file");
const shown = {
  progress: document.getElementById("sender-progress"),
  text: document.getElementById("sender-text"),
  bar: document.getElementById("sender-bar"),
  fault: document.getElementById("sender-fault"),
};
const headers = JSON.parse(document.body.getAttribute("hx-headers"));
let cancelled = null;

input.addEventListener("change", () => input.files.length && send(input.files[0]));
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("sender-cancel").addEventListener("click", () => cancelled?.abort());

for (const name of ["dragenter", "dragover"]) {
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

async function send(file) {
  cancelled = new AbortController();
  shown.fault.hidden = true;
  shown.progress.hidden = false;
  input.disabled = true;
  try {
    const place = await begin(file);
    await sendParts(file, place);
    cancelled = null;
    location.assign(place.page);
  } catch (error) {
    tell(error.name === "AbortError" ? "Stopped. Choose the same file again to go on." : error.message);
    input.disabled = false;
    input.value = "";
    cancelled = null;
  }
}

/** Where the parts go and how many bytes are there already. */
async function begin(file) {
  const { parts, page, received, size, name } = form.dataset;
  if (parts) {
    if (!isSameFile(file, { name, size: Number(size) })) throw new Error(`That is another file: “${name}” was begun.`);
    return { parts, page, received: Number(received) };
  }
  const body = new URLSearchParams({ name: file.name, size: file.size });
  const answer = await ask(form.dataset.new, { body });
  // Whoever stops here and chooses again goes on with this one.
  Object.assign(form.dataset, { parts: answer.parts, page: answer.page, received: 0, size: file.size, name: file.name });
  return answer;
}

async function sendParts(file, place) {
  let received = place.received;
  let part;
  while ((part = nextPart(received, file.size, Number(form.dataset.partBytes)))) {
    show(received, file.size);
    const answer = await ask(`${place.parts}?start=${part.start}`, {
      body: file.slice(part.start, part.end),
      headers: { "Content-Type": "application/octet-stream" },
    });
    received = answer.received;
    form.dataset.received = received;
  }
  show(received, file.size);
}

/** POST, again and again while that may help. A 409 is an answer too: it says where to go on. */
async function ask(url, options) {
  for (let failures = 1; ; failures += 1) {
    const response = await fetch(url, {
      ...options,
      method: "POST",
      headers: { ...headers, ...options.headers },
      signal: cancelled.signal,
    }).catch((error) => {
      if (error.name === "AbortError") throw error;
      return { status: 0 };
    });
    if (response.status === 409 || (response.ok && !response.redirected)) return response.json();
    const delay = mayPass(response.status) ? retryDelay(failures) : null;
    if (delay === null) throw new Error(await explain(response));
    shown.text.textContent = "The connection broke off, trying again …";
    await new Promise((resolve) => setTimeout(resolve, delay));
    cancelled.signal.throwIfAborted();
  }
}

async function explain(response) {
  if (response.status === 0) return "The server does not answer. Choose the same file again once it does, to go on.";
  const said = await response.json().catch(() => ({}));
  if (said.error) return said.error;
  if (response.redirected || response.status === 403) return "You are signed out, or may not do this. Reload the page.";
  if (response.status === 404) return "This import is not there any more, or has been sent already. Reload the page.";
  if (response.status === 507) return "The server has no room left for it.";
  return `The server answered with an error (${response.status}). Its log says more.`;
}

function show(received, size) {
  shown.bar.max = size;
  shown.bar.value = received;
  shown.text.textContent = `Sending: ${describeProgress(received, size)}`;
}

function tell(text) {
  shown.progress.hidden = true;
  shown.fault.textContent = text;
  shown.fault.hidden = false;
}
