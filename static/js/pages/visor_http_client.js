/** The HTTP client's form: fill in from a Base, Drive or Micro, say where it goes, send with Ctrl+Enter. */

import { showClocks } from "./local_times.js";

const form = document.getElementById("client-form");
const field = (name) => form.elements.namedItem(name);
const to = field("to");

document.getElementById("client-pick")?.addEventListener("change", (event) => {
  const choice = event.target.selectedOptions[0];
  if (!choice.dataset.method) return;
  if (to) to.value = choice.dataset.to ?? "";
  showPrefix();
  field("method").value = choice.dataset.method;
  field("target").value = choice.value;
  field("body").value = pretty(choice.dataset.body ?? "");
  field("kind").value = choice.dataset.text ? "text/plain" : "application/json";
  event.target.value = "";
  const target = field("target");
  target.focus();
  target.setSelectionRange(target.value.length, target.value.length);
});

to?.addEventListener("change", () => {
  showPrefix();
  const target = field("target");
  // A path of the API begins with a name, one of a Micro with a slash.
  if (to.value && !target.value.startsWith("/")) target.value = `/${target.value}`;
  if (!to.value) target.value = target.value.replace(/^\/+/, "");
});

form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("button[type=submit]"));
});

function showPrefix() {
  if (to) document.getElementById("client-prefix").textContent = to.selectedOptions[0].dataset.prefix;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

showClocks(document);
document.getElementById("dry-run")?.focus();
