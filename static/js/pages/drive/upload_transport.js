/** How the queue of uploads reaches the server. */

import { fileUrl } from "../../lib/drive_urls.js";
import { isReadable, sendFile } from "../../lib/file_requests.js";
import { RequestError } from "../../lib/requests.js";
import { askServer, base } from "./context.js";

export const transport = {
  async sendWhole({ file, wanted, ifExists }, options) {
    const address = `${fileUrl(base, "file", wanted)}&if_exists=${ifExists}`;
    try {
      return await sendFile("PUT", address, file, { ...options, type: file.type });
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
      await sendFile("PUT", `${base}uploads/${id}/parts/${number}/`, blob, options);
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
