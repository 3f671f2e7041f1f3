/** Which Drive this page is about, how its parts reach the server, and what they tell each other and the person. */

import { createEventBus } from "../../lib/event_bus.js";
import { requestJson } from "../../lib/requests.js";

const root = document.getElementById("drive");
const live = document.getElementById("drive-live");

export const { base, drive } = root.dataset;
export const canWrite = "writable" in root.dataset;

/**
 * Ask the server something about this Drive.
 * @param {string} method
 * @param {string} path below the Drive's address
 * @param {object} [json] sent as the body
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the answer's JSON
 */
export function askServer(method, path, json, options) {
  return requestJson(base + path, { method, json, ...options });
}

/** The part of the page that another folder's takes the place of. */
export function viewElement() {
  return document.getElementById("drive-view");
}

/** What a folder is called in a sentence: the Drive's name for the top. */
export function nameOfFolder(folder) {
  return folder === "" ? drive : folder;
}

/** For those who do not see what happened. */
export function announce(text) {
  live.textContent = text;
}

/**
 * How the parts hear of each other: "route" (the page shows something else), "shown" (another list), "more" (rows were added), "sized"
 * (it is known how much is in folders), "changed" (a name is there or gone), "transfer" and "transfers" (uploads go on, or there are others).
 */
export const { emit, on } = createEventBus();
