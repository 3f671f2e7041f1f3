/** Buttons with data-copy="an-id" copy the text of that element, and say so. */

import { showToast } from "./toasts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const copied = await copyElement(source);
  showToast(copied ? "Copied." : "This browser does not allow copying. The text is selected: press Ctrl+C.");
});

/** The clipboard is there on https and localhost only; elsewhere the old way is left. */
async function copyElement(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

/** Copy a text that need not stand on the page; where the clipboard is not there, by the old command, which asks for a copy event. @returns {Promise<boolean>} whether the browser let us */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const onCopy = (event) => {
      event.preventDefault();
      // What the page itself puts there when a person copies is not meant now.
      event.stopImmediatePropagation();
      event.clipboardData.setData("text/plain", text);
    };
    document.addEventListener("copy", onCopy, { capture: true, once: true });
    const copied = document.execCommand("copy");
    document.removeEventListener("copy", onCopy, { capture: true });
    return copied;
  }
}
