/** Short messages in the corner: what was done, and what failed on the way to the server. */

import { describeStatus } from "../lib/requests.js";
import { UndoOffers } from "../lib/undo_offers.js";

const toasts = document.getElementById("toasts");
const SHOWN_MS = 8000;
// More of them would cover the page: when one more comes, the oldest goes, and what offers something only after what does not.
// What failed stays, and so does what is not over yet or has somebody at it.
const MOST_SHOWN = 3;
const PASSING = ".toast:not(.toast-danger, :has(progress), :hover, :focus-within)";

const offers = new UndoOffers(({ button }, isWaiting) => {
  button.disabled = isWaiting;
  button.title = isWaiting ? "Changed again since: undo that first" : "";
  button.textContent = isWaiting ? "Changed since" : button.dataset.label;
});

/**
 * Say something for a while; `isError` marks it as a failure, which stays until it is dismissed. `action` is what the toast
 * offers to do, which takes it away as well; it stays twice as long then, and longer while somebody is at it. An offer to undo says
 * in `about` what was changed: while something else was done to that since, it can't be taken, and says so. A failure that is said
 * again is shown once.
 * Returns the element.
 */
export function showToast(
  text,
  { isError = false, action = null, onAction = null, about = [], shownMs = (action ? 2 : 1) * SHOWN_MS } = {},
) {
  const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  toast.querySelector("span").textContent = text;
  if (!isError) {
    toast.classList.remove("toast-danger");
    toast.querySelector("svg").remove();
    removeLater(toast, shownMs);
  }
  if (action) toast.querySelector("[data-dismiss]").before(makeAction(toast, { action, onAction, about }));
  // In a modal dialog's top layer the page behind cannot be seen nor heard.
  const place = document.querySelector("dialog[open] .toasts") ?? toasts;
  makeRoom(place, toast);
  place.append(toast);
  return toast;
}

function makeRoom(place, toast) {
  const said = (one) => one.querySelector("span").textContent;
  const offersSomething = (one) => one.querySelector(".toast-action") !== null;
  if (toast.matches(".toast-danger")) {
    for (const error of place.querySelectorAll(".toast-danger"))
      if (said(error) === said(toast) && !offersSomething(error)) error.remove();
    return;
  }
  const passing = [...place.querySelectorAll(PASSING)];
  const inOrder = [...passing.filter((one) => !offersSomething(one)), ...passing.filter(offersSomething)];
  for (const one of inOrder.slice(0, Math.max(0, passing.length + 1 - MOST_SHOWN))) one.remove();
}

function removeLater(toast, afterMs) {
  setTimeout(() => (toast.matches(":hover, :focus-within") ? removeLater(toast, SHOWN_MS) : toast.remove()), afterMs);
}

function makeAction(toast, { action, onAction, about }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toast-action";
  button.textContent = action;
  button.dataset.label = action;
  const offer = { button };
  offers.add(offer, about);
  button.addEventListener("click", async () => {
    toast.remove();
    // What could not be undone stays in the way of what was done before it.
    if ((await onAction()) !== false) offers.take(offer);
  });
  return button;
}

document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".toast").remove());
document.addEventListener("htmx:responseError", (event) =>
  showToast(describeStatus(event.detail.xhr.status, event.detail.xhr.getResponseHeader("X-Request-ID") ?? ""), {
    isError: true,
  }),
);
document.addEventListener("htmx:sendError", () => {
  // A page that asks again and again says it once.
  if (!document.querySelector(".toast-danger")) showToast(describeStatus(0), { isError: true });
});
