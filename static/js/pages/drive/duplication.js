/** The strip about a copy of this Drive, or into it: how far it is, until it is over; then what came of it, until it is dismissed. */

import { fetchElement, RequestError } from "../../lib/requests.js";
import { emit } from "./context.js";

const ASK_AGAIN_MS = 1000;
/** The last one that was dismissed in this browser. */
const DISMISSED = "dismissed-copy";

const strip = document.getElementById("duplication");
if (strip) start();

function start() {
  strip.addEventListener("click", (event) => {
    if (!event.target.closest("[data-dismiss-copy]")) return;
    localStorage.setItem(DISMISSED, strip.dataset.id);
    strip.remove();
  });
  if (localStorage.getItem(DISMISSED) === strip.dataset.id) strip.remove();
  else follow();
}

async function follow() {
  while (strip.dataset.url) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    try {
      draw(await fetchElement(strip.dataset.url));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      // An engine that is down comes back; a Drive that was renamed or deleted does not.
      if (error.status !== 0 && error.status !== 503) return;
    }
  }
}

function draw(now) {
  const hasMore = now.dataset.copied !== strip.dataset.copied || !now.dataset.url;
  strip.className = now.className;
  strip.dataset.copied = now.dataset.copied;
  if (!now.dataset.url) delete strip.dataset.url;
  strip.replaceChildren(...now.childNodes);
  if (hasMore) emit("changed");
}
