/** Uploading what was dropped or chosen: names that are taken are asked about, then the queue sends; the tray shows it. */

import { faultOfLabel, folderOf, labelOf } from "../../lib/drive_paths.js";
import { InterruptedUploads } from "../../lib/interrupted_uploads.js";
import { decideClashes, dropDoubles } from "../../lib/name_clashes.js";
import { fingerprintOf } from "../../lib/upload_parts.js";
import { ACTIVE, Uploader } from "../../lib/uploader.js";
import { showToast } from "../toasts.js";
import { askServer, base, emit, nameOfFolder } from "./context.js";
import { askInDialog, showError } from "./dialogs.js";
import { currentRoute } from "./navigation.js";
import { transport } from "./upload_transport.js";

/** So many names are asked about in one request. */
const NAMES_AT_ONCE = 1000;
/** The list is not fetched again more often than this while files arrive. */
const REFRESH_MS = 1500;

const page = String(Math.random());
const interrupted = new InterruptedUploads(localStorage);
const transfers = [];
let asking = Promise.resolve();
let hurry = [];

export const uploader = new Uploader({ transport, onChange, onClash: askAboutOne, wait });

/** All uploads since the page was opened, in order. */
export function allTransfers() {
  return transfers;
}

/** Uploads that an earlier page began and that nobody goes on with. */
export function interruptedUploads() {
  return interrupted.list(base, page);
}

/**
 * Upload files into a folder.
 * @param {{files: {file: File, path: string}[], folders?: string[], unreadable?: string[]}} found
 */
export function upload(found, folder = currentRoute().folder) {
  // One question after the other: a second drop waits until the first has its answers.
  asking = asking.then(() => plan(found, folder)).catch(showError);
  return asking;
}

async function plan({ files, folders = [], unreadable = [] }, folder) {
  if (unreadable.length > 0)
    showToast(`Could not be read: ${unreadable.slice(0, 3).join(", ")}${unreadable.length > 3 ? " …" : ""}`, {
      isError: true,
    });
  const named = dropDoubles(files.map(({ file, path }) => ({ file, name: folder + path })));
  const good = named.filter(({ name }) => faultOfLabel(labelOf(name), folderOf(name)) === "");
  if (good.length < named.length)
    showToast(
      `${named.length - good.length} of the files cannot be stored: their names are longer than 1,024 bytes, or contain control characters.`,
      { isError: true },
    );
  const known = interrupted.list(base, page);
  const goesOn = (each) => known.find((old) => old.name === each.name && old.fingerprint === fingerprintOf(each.file));
  const fresh = good.filter((each) => !goesOn(each));
  const decided = await decideClashes(fresh, await takenOf(fresh), askAboutClash);
  if (decided === null) return;
  const again = good.filter(goesOn).map((each) => {
    const { id, partBytes, ifExists } = goesOn(each);
    return { ...each, ifExists, uploadId: id, partBytes };
  });
  for (const each of again) interrupted.forget(each.uploadId);
  for (const each of [...again, ...decided]) transfers.push(uploader.add(each));
  emit("transfers");
  for (const name of folders)
    await askServer("POST", "folders/", { name: folder + name }).catch(
      (error) => error.status !== 409 && showError(error),
    );
  if (folders.length > 0) emit("changed");
}

async function takenOf(files) {
  const taken = [];
  for (let at = 0; at < files.length; at += NAMES_AT_ONCE) {
    const names = files.slice(at, at + NAMES_AT_ONCE).map((file) => file.name);
    taken.push(...(await askServer("POST", "clashes/", { names })).taken);
  }
  return taken;
}

async function askAboutClash({ name }, left) {
  const answer = await askInDialog("ask-clash", (slots) => {
    slots.what.textContent = `“${labelOf(name)}” already exists`;
    slots.where.textContent = `In ${nameOfFolder(folderOf(name))}. Replace it, keep both under two names, or skip this file?`;
    slots.count.textContent =
      left === 1
        ? "Do the same for the other existing file"
        : `Do the same for all ${left.toLocaleString("en")} other existing files`;
    if (left === 0) slots.all.remove();
  });
  return answer && { choice: answer.choice, forAll: answer.form.get("all") !== null };
}

/** The name was free when the upload began. */
function askAboutOne(transfer) {
  const choosing = asking.then(async () => (await askAboutClash(transfer, 0))?.choice ?? "skip");
  asking = choosing.then(
    () => {},
    () => {},
  );
  return choosing;
}

// While it goes on

let isRefreshing = false;

function refreshSoon() {
  if (isRefreshing) return;
  isRefreshing = true;
  setTimeout(
    () => {
      isRefreshing = false;
      emit("changed");
    },
    isBusy() ? REFRESH_MS : 0,
  );
}

function onChange(transfer) {
  if (transfer.state === "done" || transfer.state === "skipped" || transfer.state === "cancelled") forget(transfer);
  else if (transfer.uploadId !== null) note(transfer);
  if (transfer.state === "done" && transfer.name.startsWith(currentRoute().folder)) {
    refreshSoon();
  }
  emit("transfer", transfer);
}

/** Often enough to show that this page is there, and no more: the storage is written to as a whole. */
function note(transfer) {
  const now = Date.now();
  if (transfer.notedId === transfer.uploadId && now - transfer.notedAt < 3000) return;
  transfer.notedAt = now;
  transfer.notedId = transfer.uploadId;
  const { uploadId: id, wanted: name, fingerprint, sent, ifExists, partBytes, file } = transfer;
  interrupted.note({ id, base, name, fingerprint, size: file.size, sent, ifExists, partBytes, page });
}

function forget(transfer) {
  if (transfer.notedId) interrupted.forget(transfer.notedId);
}

/** Whether closing the page would break something off. */
export function isBusy() {
  return transfers.some((transfer) => ACTIVE.has(transfer.state));
}

/** Give an upload of an earlier page up for good. */
export async function discard(old) {
  interrupted.forget(old.id);
  emit("transfers");
  await transport.abort(old.id).catch((error) => error.status !== 404 && showError(error));
}

/** Forget what has come to its end, so that the tray is empty. */
export function clearEnded() {
  transfers.splice(0, transfers.length, ...transfers.filter((transfer) => ACTIVE.has(transfer.state)));
  emit("transfers");
}

/** Wait for a server that does not answer; less when the network says that it is back. */
function wait(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    hurry.push(resolve);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });
}

addEventListener("online", () => {
  for (const resolve of hurry) resolve();
  hurry = [];
});
addEventListener("beforeunload", (event) => {
  if (isBusy()) event.preventDefault();
});
addEventListener("pagehide", () => interrupted.leave(page));
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const transfer of transfers) if (ACTIVE.has(transfer.state)) transfer.notedAt = 0;
});
