/** How the queue of uploads reaches the server. The parts go by XMLHttpRequest: `fetch` does not tell how far a body is. */

import { fileUrl } from "../../lib/drive_urls.js";
import { commonHeaders, RequestError } from "../../lib/requests.js";
import { parseRetryAfter } from "../../lib/retries.js";
import { askServer, base } from "./context.js";

/** A connection on which nothing moves for so long is given up and tried anew. */
const SILENCE_MS = 60_000;

export const transport = {
  async sendWhole({ file, wanted, ifExists }, options) {
    const address = `${fileUrl(base, "file", wanted)}&if_exists=${ifExists}`;
    try {
      return await put(address, file, { ...options, type: file.type });
    } catch (error) {
      throw markClash(await explain(error, file));
    }
  },

  async start(transfer, signal) {
    const { file, wanted, ifExists, fingerprint } = transfer;
    const body = { name: wanted, size: file.size, content_type: file.type, if_exists: ifExists, fingerprint };
    try {
      const {
        id,
        name,
        part_size: partBytes,
        parts_there: there,
      } = await askServer("POST", "uploads/", body, { signal });
      return { id, name, partBytes, there };
    } catch (error) {
      throw markClash(error);
    }
  },

  async inspect(id, signal) {
    const { parts, ended } = await askServer("GET", `uploads/${id}/`, undefined, { signal });
    return { there: parts.map((part) => part.number), ended };
  },

  async end(id, signal) {
    try {
      return await askServer("POST", `uploads/${id}/end/`, {}, { signal });
    } catch (error) {
      throw markClash(error);
    }
  },

  abort: (id) => askServer("DELETE", `uploads/${id}/`),

  async sendPart(id, number, blob, options) {
    try {
      await put(`${base}uploads/${id}/parts/${number}/`, blob, options);
    } catch (error) {
      throw await explain(error, blob);
    }
  },
};

/** A file that was changed or removed meanwhile breaks the request as a lost connection does, and would do so for ever. */
async function explain(error, blob) {
  if (error.status !== 0 || (await isReadable(blob))) return error;
  return new RequestError(422, { messages: ["The file can no longer be read: it was changed or removed."] });
}

function markClash(error) {
  if (error.status === 409) error.isClash = Boolean(error.body?.exists);
  return error;
}

async function isReadable(blob) {
  try {
    await blob.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** @returns {Promise<object>} the answer's JSON */
function put(address, blob, { onProgress, signal, type = "" }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let silence;
    const hush = () => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), SILENCE_MS);
    };
    const stop = () => request.abort();
    const done = (settle, value) => {
      clearTimeout(silence);
      signal.removeEventListener("abort", stop);
      settle(value);
    };
    request.open("PUT", address);
    for (const [name, value] of Object.entries(commonHeaders())) request.setRequestHeader(name, value);
    // Without a type of its own the file gets one by its name, on the server.
    if (type) request.setRequestHeader("Content-Type", type);
    request.upload.addEventListener("progress", (event) => {
      hush();
      onProgress(event.loaded);
    });
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
