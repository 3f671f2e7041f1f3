/** The list as a grid of tiles with thumbnails: each person's own choice, kept in the browser. The rows stay what they are. */

import { fileUrl } from "../../lib/drive_urls.js";
import { addCommands } from "../commands.js";
import { announce, askServer, base, on, viewElement } from "./context.js";

const KEPT = "homeport.drive.grid";
/** As many as one request may ask about: a page of the list. */
const AT_ONCE = 100;
/** Thumbnails are made in the background: it is asked again after these, then given up until the list is shown again. */
const AGAIN_MS = [500, 1000, 2000, 4000, 8000, 8000, 15_000, 15_000, 30_000];

const root = document.getElementById("drive");
/** The files whose thumbnails were there when they were last asked for: a list that is shown again has them at once. */
const made = new Set();
let asking = new AbortController();

/** Whether tiles are shown, and how many stand beside each other. */
export function columnsShown() {
  const list = isGrid() && document.getElementById("drive-list");
  return list ? getComputedStyle(list).gridTemplateColumns.split(" ").length : 1;
}

function isGrid() {
  return root.classList.contains("drive-grid");
}

function turn(on) {
  root.classList.toggle("drive-grid", on);
  paintButton();
  if (on) ask();
  else asking.abort();
}

function paintButton() {
  const button = viewElement().querySelector("[data-command=toggle-grid]");
  button?.setAttribute("aria-pressed", String(isGrid()));
}

async function ask() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  for (const row of viewElement().querySelectorAll(".drive-row[data-picture]"))
    if (made.has(row.dataset.name)) showThumbnail(row);
  for (const pause of [0, ...AGAIN_MS]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const names = [...viewElement().querySelectorAll(".drive-row[data-picture]:not([data-thumbnail])")].map(
      (row) => row.dataset.name,
    );
    for (let start = 0; start < names.length; start += AT_ONCE) {
      if (signal.aborted) return;
      await askFor(names.slice(start, start + AT_ONCE), signal);
    }
    if (signal.aborted || names.length === 0) return;
  }
}

async function askFor(names, signal) {
  try {
    const { states } = await askServer("POST", "thumbnails/", { names }, { signal });
    for (const row of viewElement().querySelectorAll(".drive-row[data-picture]:not([data-thumbnail])")) {
      const state = states[row.dataset.name];
      if (!names.includes(row.dataset.name) || state === "wanted") continue;
      row.dataset.thumbnail = state ?? "none";
      if (state !== "made") continue;
      made.add(row.dataset.name);
      showThumbnail(row);
    }
  } catch {
    // The icons are there as before; it is asked again.
  }
}

function showThumbnail(row) {
  if (row.querySelector(".drive-thumbnail")) return;
  const image = Object.assign(document.createElement("img"), {
    className: "drive-thumbnail",
    alt: "",
    loading: "lazy",
    draggable: false,
    src: fileUrl(base, "thumbnail", row.dataset.name),
  });
  image.addEventListener("error", () => image.remove(), { once: true });
  row.querySelector(".drive-name").prepend(image);
}

addCommands({
  "toggle-grid": () => {
    turn(!isGrid());
    localStorage.setItem(KEPT, isGrid() ? "1" : "");
    announce(isGrid() ? "Shown as tiles" : "Shown as a list");
  },
});
on("shown", () => {
  paintButton();
  if (isGrid()) ask();
});
on("more", () => isGrid() && ask());
turn(localStorage.getItem(KEPT) === "1");
