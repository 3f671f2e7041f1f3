/** How much is in the folders of the list: asked for when they are shown, as counting takes longer than listing. */

import { formatCount, formatSize } from "../../lib/formatting.js";
import { askServer, emit, on, viewElement } from "./context.js";

/** As many as one request may ask about: a page of the list. */
const AT_ONCE = 100;

/** What each folder held when it was last counted, so that a list that is shown again does not flicker. */
const known = new Map();
let asking = new AbortController();

async function measure({ isMore = false } = {}) {
  if (!isMore) asking.abort();
  if (!isMore) asking = new AbortController();
  const { signal } = asking;
  const rows = [...viewElement().querySelectorAll(".drive-row[data-kind=folder]:not([data-held])")];
  for (const row of rows) paint(row, known.get(row.dataset.name));
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const some = rows.slice(start, start + AT_ONCE);
    try {
      const folders = some.map((row) => row.dataset.name);
      const { sizes } = await askServer("POST", "sizes/", { folders }, { signal });
      for (const row of some) {
        known.set(row.dataset.name, sizes[row.dataset.name]);
        paint(row, sizes[row.dataset.name]);
      }
      emit("sized");
    } catch {
      // The list is as good without them; the next one asks again.
      return;
    }
  }
}

function paint(row, size) {
  if (!size) return;
  const cell = document.createElement("span");
  cell.textContent = `${size.all ? "" : "> "}${formatSize(size.size_bytes)}`;
  cell.title = size.all
    ? `${formatCount(size.files, "file")}, ${size.size_bytes.toLocaleString("en")} bytes`
    : `More than ${formatCount(size.files, "file")}. Details counts them all`;
  row.dataset.held = String(size.size_bytes);
  if (!size.all) row.dataset.heldMore = "";
  row.querySelector(".drive-size").replaceChildren(cell);
}

on("shown", () => measure());
on("more", () => measure({ isMore: true }));
measure();
