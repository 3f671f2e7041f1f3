/** The one dialog: it opens when htmx has filled it, and is emptied when it closes, as a secret may stand in it. */

const dialog = document.getElementById("dialog");

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog || !dialog.firstElementChild) return;
  if (!dialog.open) dialog.showModal();
  const first = dialog.querySelector("[aria-invalid=true]") ?? dialog.querySelector("[autofocus]") ?? dialog.querySelector("a, button, input");
  first?.focus();
});

// A poll must not replace what a person is reading, and a boosted form must not leave the dialog's answer in the history.
dialog.addEventListener("click", (event) => {
  const closes = event.target === dialog || event.target.closest("[data-close]");
  if (!closes) return;
  event.preventDefault();
  dialog.close();
});

dialog.addEventListener("close", () => {
  const isOutdated = dialog.querySelector("[data-reload]") !== null;
  dialog.replaceChildren();
  if (isOutdated) location.reload();
});
