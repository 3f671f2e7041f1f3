/** Questions in the one dialog of the page, each from a <template>; and messages with a button. */

import { showToast } from "../toasts.js";

const dialog = document.getElementById("dialog");

/**
 * A question, or something to read.
 * @param {string} template its id
 * @param {(slots: Record<string, any>, content: HTMLElement) => void} fill
 * @param {(form: HTMLFormElement) => Promise<boolean> | boolean} [check] whether the answer may close the dialog
 * @returns {Promise<{choice: string, form: FormData} | null>} the button's value and the form, null for "no"
 */
export function askInDialog(template, fill, check = () => true) {
  const back = document.activeElement;
  const content = clone(template);
  const slots = {};
  for (const element of content.querySelectorAll("[data-slot]")) slots[element.dataset.slot] = element;
  dialog.replaceChildren(content);
  return new Promise((resolve) => {
    let answer = null;
    content.addEventListener("submit", async (event) => {
      event.preventDefault();
      const choice = event.submitter?.value ?? "yes";
      if (choice !== "" && !(await check(content))) return;
      answer = choice === "" ? null : { choice, form: new FormData(content) };
      dialog.close();
    });
    dialog.addEventListener(
      "close",
      () => {
        // Back to where the person was, unless that has gone with what was asked about.
        if (back?.isConnected) back.focus({ preventScroll: true });
        resolve(answer);
      },
      { once: true },
    );
    fill(slots, content);
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  });
}

/**
 * A message that offers to undo what it tells of, for as long as that can be done.
 * @param {string} text
 * @param {() => Promise<boolean>} run whether it was undone
 * @param {{about: string[], shownMs?: number}} options `about`: the names that what was done has changed, before and after
 */
export function offerUndo(text, run, options) {
  return showToast(text, { action: "Undo", onAction: run, ...options });
}

export function clone(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}

/** Say what went wrong. */
export function showError(error) {
  if (error.name !== "AbortError") showToast(error.message, { isError: true });
}
