/** Short messages in the corner: what was done, and what failed on the way to the server. */

import { describeFault } from "../lib/faults.js";

const toasts = document.getElementById("toasts");
const SHOWN_MS = 8000;

/** Say something for a while; `fault` marks it as a failure, which stays until it is dismissed. Returns the element. */
export function showToast(text, { fault = false, shownMs = SHOWN_MS } = {}) {
  const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  toast.querySelector("span").textContent = text;
  if (!fault) {
    toast.classList.remove("toast-danger");
    toast.querySelector("svg").remove();
    setTimeout(() => toast.remove(), shownMs);
  }
  // In a modal dialog's top layer the page behind cannot be seen nor heard.
  const place = document.querySelector("dialog[open] .toasts") ?? toasts;
  place.append(toast);
  return toast;
}

document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".toast").remove());
document.addEventListener("htmx:responseError", (event) => showToast(describeFault(event.detail.xhr.status), { fault: true }));
document.addEventListener("htmx:sendError", (event) => {
  // A page that asks again and again says it once.
  if (!document.querySelector(".toast-danger")) showToast(describeFault(0), { fault: true });
});
