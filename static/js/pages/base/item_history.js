/** The history of an item in a panel over the table. Its address has `history` with the item's key, so it is there after a reload. */

import { fetchElement, RequestError, withQuery } from "../../lib/requests.js";
import { stepBack } from "../../lib/step_back.js";
import { addCommands } from "../commands.js";
import { showClocks } from "../local_times.js";
import { showToast } from "../toasts.js";

export function createItemHistory(table, view, { bringing }) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("history-dialog"));
  const { itemHistoryUrl } = table.root.dataset;
  /** @type {string|null} the key of the item whose panel is there, until it is closed or its address is left */
  let opened = null;

  const shownKey = () => new URLSearchParams(location.search).get("history");

  /** @param {string} key @param {{isNew?: boolean}} [options] whether it is a step of the browser's history */
  async function open(key, { isNew = true } = {}) {
    let panel;
    try {
      panel = await fetchElement(withQuery(itemHistoryUrl, { of: key }));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return void showToast(error.message, { isError: true });
    }
    // The address may have been left meanwhile.
    if (!isNew && shownKey() !== key) return undefined;
    opened = key;
    dialog.replaceChildren(panel);
    window.htmx.process(panel);
    showClocks(panel);
    if (isNew) history.pushState({ ...history.state, isPanel: true }, "", addressWith(key));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    return undefined;
  }

  /** The page's address with the panel of an item, or without one. @param {string|null} key */
  function addressWith(key) {
    const query = new URLSearchParams(location.search);
    if (key === null) query.delete("history");
    else query.set("history", key);
    return query.size > 0 ? `${location.pathname}?${query}` : location.pathname;
  }

  // The browser tells of it a frame later; the panel may be open again by then, or its address be the page's again.
  dialog.addEventListener("close", () => {
    if (dialog.open) return;
    dialog.replaceChildren();
    if (opened !== null) leaveAddress();
    opened = null;
    view.focusCursor();
  });

  function leaveAddress() {
    if (history.state?.isPanel) stepBack();
    else history.replaceState(history.state, "", addressWith(null));
  }

  addEventListener("popstate", () => {
    const key = shownKey();
    if (key !== null) open(key, { isNew: false });
    else {
      opened = null;
      dialog.close();
    }
  });

  dialog.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target === dialog || target.closest("#item-history-close")) {
      event.preventDefault();
      dialog.close();
    }
    const button = /** @type {HTMLElement|null} */ (target.closest("[data-restore]"));
    if (button) restore(button);
  });
  dialog.addEventListener("htmx:afterSwap", () => showClocks(dialog));

  /** @param {HTMLElement} button */
  async function restore({ dataset }) {
    const { key } = document.getElementById("item-history").dataset;
    const version = { key, id: dataset.restore, side: dataset.side, attribute: dataset.attribute ?? null };
    dialog.close();
    await bringing.bring({ versions: [version] });
  }

  addCommands({ "open-history": ({ key }) => open(key) });
  return {
    /** What the address asks for. */
    openAsked() {
      const key = shownKey();
      if (key !== null) open(key, { isNew: false });
    },
  };
}
