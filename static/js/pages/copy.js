/** Buttons with data-copy="an-id" copy the text of that element, and say so. */

import { showToast } from "./toasts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const copied = await copyElement(source);
  showToast(copied ? "Copied." : "This browser does not let the page copy: it is selected, press Ctrl+C.");
});

/** Whether the text is in the clipboard now, which is there on https and localhost only. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Elsewhere the old way is left. */
async function copyElement(source) {
  if (await copyText(source.textContent)) return true;
  getSelection().selectAllChildren(source);
  return document.execCommand("copy");
}
