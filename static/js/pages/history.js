/** The history of a Base and the preview of undoing: moments in local time, the panel of an item, and what goes to the table. */

import { handOver } from "./handed_over.js";
import { showClocks } from "./local_times.js";
import "./utc_fields.js";

const root = document.getElementById("history-page");
const panel = document.getElementById("panel");

showClocks(document);
document.addEventListener("htmx:afterSwap", () => showClocks(document));

document.addEventListener("click", (event) => {
  const restore = event.target.closest("[data-restore]");
  if (restore) return handOver(root, { versions: [restoredBy(restore)] });
  const undo = event.target.closest("[data-undo-by]");
  if (undo) {
    const { undoBy: by, undoSince: since, undoAfter: after } = undo.dataset;
    return handOver(root, { undo: { by, since, after } });
  }
  // A row is as large as its link.
  const row = event.target.closest("#changes > tr");
  if (row && !event.target.closest("a, button") && !String(getSelection())) row.querySelector("th a").click();
  return undefined;
});

function restoredBy({ dataset }) {
  const { key } = document.getElementById("item-history").dataset;
  return { key, id: dataset.restore, side: dataset.side, attribute: dataset.attribute ?? null };
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  panel?.querySelector("#item-history-close")?.click();
});

if (panel?.firstElementChild) {
  const { key } = document.getElementById("item-history").dataset;
  for (const row of document.querySelectorAll("#changes > tr"))
    row.classList.toggle("is-open", row.dataset.key === key);
}
