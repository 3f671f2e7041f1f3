/** The tray: a bar for each upload, with how fast it is, and what can be done about it. */

import { folderOf, labelOf, unturned } from "../../lib/drive_paths.js";
import { listFiles } from "../../lib/dropped_files.js";
import { formatCount, formatSize, formatWait } from "../../lib/formatting.js";
import { fingerprintOf } from "../../lib/upload_parts.js";
import { ACTIVE } from "../../lib/uploader.js";
import { addCommands } from "../commands.js";
import { showToast } from "../toasts.js";
import { canWrite, on } from "./context.js";
import { clone } from "./dialogs.js";
import { show } from "./navigation.js";
import { allTransfers, clearEnded, discard, interruptedUploads, isBusy, upload, uploader } from "./uploads.js";

/** More rows than a person reads; those that matter come first. */
const ROWS = 200;
const PAINT_MS = 250;
const RANK = {
  failed: 0,
  paused: 1,
  sending: 2,
  ending: 2,
  interrupted: 3,
  waiting: 4,
  done: 5,
  skipped: 6,
  cancelled: 6,
};
const SAYS = { waiting: "waiting", ending: "storing …", done: "", cancelled: "cancelled", skipped: "skipped" };

const tray = document.getElementById("tray");
const parts = Object.fromEntries(
  ["title", "rest", "list", "more", "bar", "said"].map((name) => [name, document.getElementById(`tray-${name}`)]),
);
const icons = document.getElementById("tray-icons").content;
const chooser = Object.assign(document.createElement("input"), { type: "file" });
const rows = new Map();
let isPainting = false;
let isFolded = false;
let isDone = false;
/** Where it would cover the list, it stays a line unless somebody looks into it. */
const narrow = matchMedia("(max-width: 40rem)");

/** What a row shows: a transfer of this page, or an upload that an earlier page began. */
function entries() {
  const old = canWrite
    ? interruptedUploads().map((each) => ({
        key: `old-${each.id}`,
        state: "interrupted",
        name: each.name,
        sent: each.sent,
        size: each.size,
        old: each,
      }))
    : [];
  const own = allTransfers().map((transfer) => ({
    key: transfer.key,
    state: transfer.state,
    name: transfer.name,
    sent: transfer.sent,
    size: transfer.file.size,
    transfer,
  }));
  return [...old, ...own];
}

/** Some times a second: a fast upload tells of itself hundreds of times, and of thousands of files each would sort all. */
function paintSoon() {
  if (isPainting) return;
  isPainting = true;
  setTimeout(() => {
    isPainting = false;
    paint();
  }, PAINT_MS);
}

function paint() {
  const all = entries();
  tray.hidden = all.length === 0;
  if (all.length === 0) return;
  // The order changes only when a row changes its group: rows do not jump under the pointer.
  const shown = [...all].sort((one, other) => RANK[one.state] - RANK[other.state]).slice(0, ROWS);
  const keep = new Set(shown.map((entry) => entry.key));
  for (const [key, row] of rows) if (!keep.has(key)) row.remove() ?? rows.delete(key);
  shown.forEach((entry, at) => {
    const row = rows.get(entry.key) ?? makeRow(entry);
    paintRow(row, entry);
    if (parts.list.children[at] !== row) parts.list.insertBefore(row, parts.list.children[at] ?? null);
  });
  parts.more.hidden = all.length <= ROWS;
  parts.more.textContent = `and ${formatCount(all.length - ROWS, "more file")}`;
  paintHead(all);
}

function makeRow(entry) {
  const row = clone("tray-row");
  row.querySelector("bdi").textContent = unturned(labelOf(entry.name));
  row.querySelector("progress").setAttribute("aria-label", `Progress of ${labelOf(entry.name)}`);
  row.dataset.key = entry.key;
  rows.set(entry.key, row);
  return row;
}

function paintRow(row, entry) {
  if (row.dataset.state !== entry.state) {
    row.dataset.state = entry.state;
    row
      .querySelector(".tray-state")
      .replaceChildren(icons.querySelector(`[data-state=${entry.state}]`).firstElementChild.cloneNode(true));
    const can = {
      "show-upload": entry.state === "done",
      "retry-upload": ["failed", "cancelled"].includes(entry.state),
      "choose-upload": entry.state === "interrupted",
      "cancel-upload": ACTIVE.has(entry.state) || ["interrupted", "failed"].includes(entry.state),
    };
    for (const button of row.querySelectorAll("[data-command]")) {
      button.hidden = !can[button.dataset.command];
      button.setAttribute("aria-label", `${button.title}: ${labelOf(entry.name)}`);
    }
    row.querySelector("bdi").textContent = unturned(labelOf(entry.name));
  }
  row.title = entry.name;
  row.querySelector(".tray-fact").textContent = factOf(entry);
  const bar = row.querySelector("progress");
  bar.hidden = !ACTIVE.has(entry.state) && entry.state !== "interrupted";
  bar.value = entry.size === 0 ? 0 : entry.sent / entry.size;
}

function factOf({ state, sent, size, transfer }) {
  if (state === "sending") {
    const rate = transfer.meter.rate(performance.now());
    return `${formatSize(sent)} of ${formatSize(size)}${rate > 0 ? ` · ${formatSize(rate)}/s` : ""}`;
  }
  if (state === "paused") {
    const seconds = Math.max(Math.ceil((transfer.resumesAt - performance.now()) / 1000), 0);
    return `${formatSize(sent)} of ${formatSize(size)} · no answer, trying again in ${seconds} s`;
  }
  if (state === "failed") return transfer.message;
  if (state === "interrupted")
    return `${formatSize(sent)} of ${formatSize(size)} uploaded. Choose the file again to continue`;
  return SAYS[state] || formatSize(size);
}

function paintHead(all) {
  const own = all.filter((entry) => entry.transfer && !["cancelled", "skipped"].includes(entry.state));
  const ended = own.filter((entry) => entry.state === "done").length;
  const failed = own.filter((entry) => entry.state === "failed").length;
  const active = own.filter((entry) => ACTIVE.has(entry.state));
  const bytes = own.reduce((sum, entry) => sum + entry.size, 0);
  const sent = own.reduce((sum, entry) => sum + (entry.state === "done" ? entry.size : entry.sent), 0);
  const rate = active.reduce((sum, entry) => sum + entry.transfer.meter.rate(performance.now()), 0);
  let title = `${formatCount(ended, "file")} uploaded`;
  if (active.length > 0)
    title = `Uploading ${Math.min(ended + failed + 1, own.length)} of ${own.length.toLocaleString("en")}`;
  else if (own.length === 0) title = all.some((entry) => entry.old) ? "Interrupted uploads" : "Nothing uploaded";
  if (active.length === 0 && failed > 0) title = `${ended} uploaded, ${failed} failed`;
  parts.title.textContent = title;
  const left = rate > 0 ? formatWait((bytes - sent) / rate) : "";
  parts.rest.textContent = active.length > 0 && rate > 0 ? `${formatSize(rate)}/s${left ? ` · ${left} left` : ""}` : "";
  parts.bar.value = bytes === 0 ? 0 : sent / bytes;
  parts.bar.hidden = active.length === 0;
  tray.querySelector("[data-command=cancel-all]").hidden = active.length === 0;
  tray.querySelector("[data-command=close-tray]").hidden = active.length > 0;
  if (active.length === 0 && parts.said.textContent !== title) parts.said.textContent = title;
  foldWhenDone(active.length === 0 && ended > 0 && failed === 0 && !all.some((entry) => entry.old));
}

/** What is done needs no room any more; whoever is looking at it goes first. */
function foldWhenDone(isDoneNow) {
  if (isDoneNow && !isDone && !tray.matches(":hover, :focus-within")) fold(true);
  isDone = isDoneNow;
}

function fold(folded) {
  isFolded = folded;
  tray.classList.toggle("tray-folded", folded);
  tray.querySelector("[data-command=fold-tray]").setAttribute("aria-expanded", String(!folded));
}

addCommands({
  "fold-tray": () => fold(!isFolded),
  "close-tray": () => {
    clearEnded();
    if (interruptedUploads().length > 0)
      showToast("Interrupted uploads can be continued for a day: drop the same files here.");
    tray.hidden = true;
  },
  "show-upload": ({ button }) => {
    const { name } = entryOf(button);
    show({ folder: folderOf(name), q: "", file: "" }, { focus: name });
  },
  "retry-upload": ({ button }) => uploader.retry(entryOf(button).transfer),
  "choose-upload": ({ button }) => chooseAgain(entryOf(button).old),
  "cancel-upload": ({ button }) => {
    const { transfer, old } = entryOf(button);
    if (old) discard(old);
    else uploader.cancel(transfer);
  },
  "cancel-all": () => {
    for (const transfer of allTransfers()) uploader.cancel(transfer);
  },
});

function entryOf(button) {
  const { key } = button.closest(".tray-row").dataset;
  return entries().find((each) => each.key === key);
}

function chooseAgain(old) {
  chooser.onchange = () => {
    const [{ file }] = listFiles(chooser.files);
    chooser.value = "";
    if (fingerprintOf(file) === old.fingerprint) upload({ files: [{ file, path: old.name }] }, "");
    else
      showToast(`This is a different file, or it has changed. “${labelOf(old.name)}” has ${formatSize(old.size)}.`, {
        isError: true,
      });
  };
  chooser.click();
}

on("transfer", paintSoon);
tray.addEventListener("pointerleave", () => isDone && fold(true));
on("transfers", () => {
  fold(narrow.matches);
  paintSoon();
});
// Speeds, and how long a pause still takes, change by themselves.
setInterval(() => isBusy() && paintSoon(), 1000);
paintSoon();
