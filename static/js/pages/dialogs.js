/**
 * Dialogs. The one that htmx fills opens when it is filled, and is emptied when it closes, as a secret may stand in it.
 * `data-close` closes the dialog that it stands in.
 */

const dialog = document.getElementById("dialog");

document.addEventListener("htmx:beforeSwap", (event) => {
  // A refusal with a status that other pages have for errors, in words that belong into the dialog.
  if (event.detail.xhr.getResponseHeader("HX-Retarget") !== "#dialog") return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog || !dialog.firstElementChild) return;
  if (!dialog.open) dialog.showModal();
  const first =
    dialog.querySelector("[aria-invalid=true]") ??
    dialog.querySelector("[autofocus]") ??
    dialog.querySelector("a, button, input");
  first?.focus();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("dialog [data-close]");
  if (!button && event.target !== dialog) return;
  // A link is a way out for those without JavaScript; a boosted form must not leave the dialog's answer in the history.
  event.preventDefault();
  (button?.closest("dialog") ?? dialog).close();
});

dialog.addEventListener("close", () => {
  const isOutdated = dialog.querySelector("[data-reload]") !== null;
  dialog.replaceChildren();
  if (isOutdated) location.reload();
});
