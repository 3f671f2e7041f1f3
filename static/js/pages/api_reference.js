/** The page that describes the API: sends what somebody typed to this server, and shows what it answers. */

import { buildRequest, collectionOf, isText } from "../lib/api_requests.js";
import { formatSize } from "../lib/formatting.js";
import { indent } from "../lib/json_text.js";

const SHOWN_CHARACTERS = 100_000;
const page = document.getElementById("reference");
const dataKey = document.getElementById("data-key");
const store = document.getElementById("store-name");

for (const form of page.querySelectorAll(".reference-form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
// A link to a schema shows it.
addEventListener("hashchange", openTarget);
openTarget();
// Whoever comes back with the browser's button finds no key here.
addEventListener("pagehide", () => {
  dataKey.value = "";
});

function openTarget() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

async function send(form) {
  const answer = form.querySelector(".reference-answer");
  const button = form.querySelector("button[type=submit]");
  answer.hidden = false;
  const missing = findMissing(form);
  if (missing) {
    answer.replaceChildren(
      paragraph("What is missing: the data key, and the name of a Base or Drive, above.", "notice"),
    );
    missing.focus();
    return;
  }
  button.disabled = true;
  try {
    const { url, ...asked } = requestOf(form);
    // No session stands for a key here.
    const response = await fetch(url, { ...asked, credentials: "omit", cache: "no-store", redirect: "error" });
    await show(answer, `${asked.method} ${decodeURI(url)}`, response);
  } catch (error) {
    // What `fetch` throws is for programmers.
    const text = error instanceof TypeError ? "The request could not be sent, or was not answered." : error.message;
    answer.replaceChildren(paragraph(text, "notice notice-danger"));
  } finally {
    button.disabled = false;
  }
}

/** The field above the operations that this one needs and that is empty; null when all is there. */
function findMissing(form) {
  if ("open" in form.dataset) return null;
  if (!collectionOf(dataKey.value)) return dataKey;
  return store.value.trim() ? null : store;
}

function requestOf(form) {
  const fields = [...form.querySelectorAll("input[data-place]")].map((field) => ({
    name: field.name,
    place: field.dataset.place,
    value: field.value,
  }));
  const inPath = Object.fromEntries(
    fields.filter(({ place }) => place === "path").map(({ name, value }) => [name, value]),
  );
  const { method, path } = form.dataset;
  const { url, headers } = buildRequest({
    server: page.dataset.server,
    path,
    inPath: { ...inPath, collection_id: collectionOf(dataKey.value), name: store.value.trim() },
    fields,
    dataKey: "open" in form.dataset ? "" : dataKey.value,
  });
  const text = form.querySelector("[data-body]");
  const file = form.querySelector("[data-file]")?.files[0];
  if (text) headers["Content-Type"] = "application/json";
  return { url, method, headers, body: text ? text.value : file };
}

async function show(answer, asked, response) {
  const type = response.headers.get("Content-Type") ?? "";
  const bytes = await response.blob();
  const head = document.createElement("p");
  const status = document.createElement("strong");
  status.className = `status ${response.ok || response.status === 304 ? "status-done" : response.status < 500 ? "status-refused" : "status-failed"}`;
  status.textContent = `${response.status} ${response.statusText}`;
  head.append(status, ` ${formatSize(bytes.size)} ${type}`);
  const sent = paragraph(asked, "data quiet reference-sent");
  answer.replaceChildren(head, sent, headersOf(response));
  if (!bytes.size) return;
  if (isText(type)) answer.append(code(layOut(type, await bytes.text()), answer.dataset.label));
  else answer.append(paragraph("These bytes are not shown.", "quiet"));
}

function headersOf(response) {
  const told = ["ETag", "Item-Revisions", "Retry-After", "Content-Range", "Last-Modified", "X-Request-ID"].filter(
    (name) => response.headers.has(name),
  );
  return paragraph(told.map((name) => `${name}: ${response.headers.get(name)}`).join("   "), "data quiet");
}

function layOut(type, text) {
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
  try {
    return type.startsWith("application/json") && shown === text ? indent(text) : shown;
  } catch {
    return shown;
  }
}

function code(text, label) {
  const frame = document.createElement("div");
  frame.className = "code";
  const lines = document.createElement("pre");
  lines.tabIndex = 0;
  lines.setAttribute("role", "region");
  lines.setAttribute("aria-label", label);
  lines.textContent = text;
  frame.append(lines);
  return frame;
}

function paragraph(text, className) {
  const made = document.createElement("p");
  made.className = className;
  made.textContent = text;
  return made;
}
