/** A file above the list. The URL names it, so Back closes it; the arrow keys go to its neighbours in the list. */

import { isFolder, labelOf, unturned } from "../../lib/drive_paths.js";
import { fileUrl } from "../../lib/drive_urls.js";
import { fetchElement } from "../../lib/requests.js";
import { stepBack } from "../../lib/step_back.js";
import { addCommands, runCommand } from "../commands.js";
import { base, on } from "./context.js";
import { focusRow, order, rowOf } from "./file_rows.js";
import { currentRoute, show, showMore } from "./navigation.js";
import { adoptPicture, moveZoomed } from "./picture.js";

const dialog = document.getElementById("preview-dialog");
const place = document.getElementById("preview-place");
const title = document.querySelector("#preview-title bdi");
const download = document.getElementById("preview-download");
const previous = dialog.querySelector("[data-command=previous-file]");
const next = dialog.querySelector("[data-command=next-file]");

let opened = "";
let loading = new AbortController();

/** The file in the preview, "" for none. */
export function openedName() {
  return opened;
}

/** These files have gone: if one of them is in the preview, its neighbour takes its place. */
export function leaveOpened(names) {
  if (!names.some((name) => name === opened || (isFolder(name) && opened.startsWith(name)))) return;
  const name = neighbour(1) ?? neighbour(-1);
  if (name) show({ file: name }, { how: "replace" });
  else close();
}

/** A file got another name. */
export function followOpened(from, to) {
  if (opened === "" || !(opened === from || (isFolder(from) && opened.startsWith(from)))) return;
  show({ file: to + opened.slice(from.length) }, { how: "replace" });
}

on("route", ({ file }) => follow(file));

function follow(file, ready = null) {
  if (file === opened) return;
  if (file === "") {
    const left = opened;
    opened = "";
    shut();
    focusRow(left, { scroll: true });
    return;
  }
  opened = file;
  fill(file, ready);
}

async function fill(name, ready) {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  title.textContent = unturned(labelOf(name));
  download.href = fileUrl(base, "file", name);
  empty();
  paintNeighbours();
  if (!dialog.open) {
    dialog.showModal();
    place.focus();
  }
  const busy = setTimeout(() => place.setAttribute("aria-busy", "true"), 150);
  try {
    const article = ready ?? (await fetchElement(fileUrl(base, "preview", name), { signal }));
    if (signal.aborted) return;
    adoptPicture(article);
    place.replaceChildren(article);
    paintNeighbours();
  } catch (error) {
    if (!signal.aborted) place.replaceChildren(makeFault(error));
  } finally {
    clearTimeout(busy);
    if (!signal.aborted) place.removeAttribute("aria-busy");
  }
}

function makeFault(error) {
  const text = error.status === 404 ? "This file no longer exists." : error.message;
  return Object.assign(document.createElement("p"), {
    className: "notice notice-danger",
    role: "alert",
    textContent: text,
  });
}

function shut() {
  loading.abort();
  empty();
  dialog.close();
  // What was said above the preview is still worth reading below it.
  document.getElementById("toasts").append(...dialog.querySelector(".toasts").children);
}

/** A sound that is taken off the page plays on until somebody stops it. */
function empty() {
  for (const media of place.querySelectorAll("audio, video")) {
    media.pause();
    media.removeAttribute("src");
    media.load();
  }
  place.replaceChildren();
}

function close() {
  // An address of our own making has the list behind it; one that was followed from elsewhere does not.
  if (history.state?.ours) stepBack();
  else show({ file: "" }, { how: "replace" });
}

// Neighbours

/** In the list as it is sorted and searched, if the file stands in it; else in its folder, as the server says. */
function neighbour(step) {
  const names = order().filter((name) => !isFolder(name));
  const at = names.indexOf(opened);
  if (at >= 0) return names[at + step] ?? null;
  const article = place.querySelector("#preview");
  return (step > 0 ? article?.dataset.next : article?.dataset.previous) || null;
}

function paintNeighbours() {
  previous.disabled = neighbour(-1) === null;
  next.disabled = neighbour(1) === null;
}

function go(step) {
  const name = neighbour(step);
  if (name === null) return;
  show({ file: name }, { how: "replace" });
  place.focus();
  // The list goes along, so that there is a next one at its loaded end, too.
  if (rowOf(name) === rowOf(order().at(-1))) showMore();
}

on("more", paintNeighbours);
on("shown", paintNeighbours);

// By hand

addCommands({ "previous-file": () => go(-1), "next-file": () => go(1), "close-preview": close });
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) close();
});

dialog.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (!event.target.closest("[role=menu], input") && moveZoomed(place, event.key)) {
    event.preventDefault();
    return;
  }
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  // In a player the arrows seek, in a wide table or text they scroll.
  const inside = event.target.closest("audio, video, input, [role=menu]");
  const scrolls = event.target !== place && event.target.scrollWidth > event.target.clientWidth;
  if (inside || scrolls) return;
  event.preventDefault();
  go(step);
});
dialog.addEventListener("keydown", (event) => {
  if (event.target.closest("[role=menu], input")) return;
  const command = { Delete: "delete", F2: "rename", "?": "keys" }[event.key];
  if (!command) return;
  event.preventDefault();
  runCommand(command);
});

// The page was opened on a file: the server has sent what is in it along.
const { file } = currentRoute();
const sent = document.getElementById("drive-preview-page");
if (file) follow(file, sent?.firstElementChild ?? null);
sent?.remove();
