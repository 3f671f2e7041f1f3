/** Toasts that offer to undo what was staged in one step. */

import { undo } from "../../lib/staged_changes.js";
import { showToast } from "../toasts.js";

/**
 * Say what was just staged, with an offer to undo it for as long as it is what was done last: while something was edited since, it
 * waits; taken back in another way, or saved, it is over.
 * @returns {HTMLElement} the toast
 */
export function offerToUndo(table, text) {
  const step = table.staged.past.at(-1);
  const toast = showToast(text, { action: "Undo", onAction: () => table.setStaged(undo(table.staged)) });
  const button = toast.querySelector(".toast-action");
  table.on("staged", () => {
    if (!toast.isConnected) return;
    const { past } = table.staged;
    if (!past.includes(step)) {
      toast.remove();
      return;
    }
    const isLast = past.at(-1) === step;
    button.disabled = !isLast;
    button.title = isLast ? "" : "Edited again since: undo that first";
    button.textContent = isLast ? "Undo" : "Edited since";
  });
  return toast;
}
