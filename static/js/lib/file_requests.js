/** Requests with a file as their body. They go by XMLHttpRequest: `fetch` does not tell how far a body is. */

import { commonHeaders, RequestError } from "./requests.js";
import { parseRetryAfter } from "./retries.js";

/** A connection on which nothing moves for so long is given up. */
const SILENCE_MS = 60_000;

/**
 * @param {string} method
 * @param {string} address
 * @param {Blob} blob
 * @param {object} options
 * @param {(sentBytes: number) => void} options.onProgress
 * @param {AbortSignal} options.signal
 * @param {string} [options.type] its Content-Type
 * @param {number} [options.answerMs] how long the server may take over its answer once it has all of the file
 * @returns {Promise<any>} the answer's JSON
 * @throws {RequestError} with status 0 also when it was aborted, or the file cannot be read
 */
export function sendFile(method, address, blob, { onProgress, signal, type = "", answerMs = SILENCE_MS }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let silence;
    const hush = (ms = SILENCE_MS) => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), ms);
    };
    const stop = () => request.abort();
    const done = (settle, value) => {
      clearTimeout(silence);
      signal.removeEventListener("abort", stop);
      settle(value);
    };
    request.open(method, address);
    for (const [name, value] of Object.entries(commonHeaders())) request.setRequestHeader(name, value);
    if (type) request.setRequestHeader("Content-Type", type);
    request.upload.addEventListener("progress", (event) => {
      hush();
      onProgress(event.loaded);
    });
    request.upload.addEventListener("load", () => hush(answerMs));
    request.addEventListener("load", () =>
      isStored(request) ? done(resolve, bodyOf(request)) : done(reject, errorOf(request)),
    );
    request.addEventListener("error", () => done(reject, new RequestError(0)));
    request.addEventListener("abort", () => done(reject, new RequestError(0)));
    signal.addEventListener("abort", stop, { once: true });
    hush();
    request.send(blob);
  });
}

/** Whether a chosen file is still there as it was chosen. @param {Blob} blob */
export async function isReadable(blob) {
  try {
    await blob.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** Nothing but an answer in JSON says that something is stored: a page to sign in on has a good status, too. */
function isStored(request) {
  return (request.status === 200 || request.status === 201) && bodyOf(request) !== null;
}

function errorOf(request) {
  const status = request.status === 200 ? 401 : request.status;
  return new RequestError(status, {
    text: request.responseText,
    retryAfterMs: parseRetryAfter(request.getResponseHeader("Retry-After")),
  });
}

function bodyOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null;
  }
}
