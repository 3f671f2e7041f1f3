/**
 * Staged work, kept in this browser until it is saved: it outlives a reload, a crash of the tab and a new sign-in, and
 * nothing of it leaves the browser before. It belongs to a person and a Base, so that two people at one computer keep
 * theirs apart, and all tabs of one person share it: each write goes onto what another tab wrote last.
 */

import { nothingStaged, restore, serialise } from "../../lib/staged_changes.js";
import { showToast } from "../toasts.js";

export function createDrafts(table) {
  const { person, baseId } = table.root.dataset;
  const storageKey = `homeport:staged:${person}:${baseId}`;
  let seen = null; // the text that this tab wrote or read last
  let isFull = false;
  let sending = null;

  function read() {
    let text = null;
    try {
      text = localStorage.getItem(storageKey);
    } catch {
      // Without storage the work lives as long as the page, and leaving it warns.
    }
    seen = text;
    if (text === null) return { staged: nothingStaged(), sending: null };
    try {
      const kept = JSON.parse(text);
      return { staged: restore(kept.staged), sending: kept.sending ?? null };
    } catch {
      return { staged: nothingStaged(), sending: null };
    }
  }

  function write() {
    const isNothing = table.staged.changes.size === 0 && table.staged.past.length === 0 && sending === null;
    const text = isNothing ? null : JSON.stringify({ staged: serialise(table.staged), sending });
    try {
      if (text === null) localStorage.removeItem(storageKey);
      else localStorage.setItem(storageKey, text);
      seen = text;
      isFull = false;
    } catch {
      if (!isFull)
        showToast("There are too many staged changes for this browser to keep. Save before you leave this page.", {
          isError: true,
        });
      isFull = true;
    }
  }

  /** Take over what was kept; true when there was any. */
  function open() {
    const kept = read();
    sending = kept.sending;
    table.setStaged(kept.staged, { why: "restored" });
    return kept.staged.changes.size > 0;
  }

  // Another tab of the same person and Base has written: this one goes on from there.
  addEventListener("storage", (event) => {
    if (event.key !== storageKey && event.key !== null) return;
    catchUp();
  });

  function catchUp() {
    let text = null;
    try {
      text = localStorage.getItem(storageKey);
    } catch {
      return;
    }
    if (text === seen || isFull) return;
    const kept = read();
    sending = kept.sending;
    table.setStaged(kept.staged, { why: "other-tab" });
    table.emit("sending");
  }

  // A tab in the background may not have heard; before a person goes on in it, it catches up.
  addEventListener("focus", catchUp);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && catchUp());

  table.on("staged", (why) => why !== "restored" && why !== "other-tab" && write());

  addEventListener("beforeunload", (event) => {
    if (table.staged.changes.size > 0) event.preventDefault();
  });

  return {
    open,
    /** The request under way, `{save, body, sent}`, kept with the work: it is sent again, the same, until it was answered. */
    sending: () => sending,
    setSending(request) {
      sending = request;
      write();
      table.emit("sending");
    },
  };
}
