/** A request to the public API, made of what somebody typed on the page that describes it. Pure. */

/** The collection that a data key belongs to: what stands before its underscore. */
export function collectionOf(dataKey) {
  const [id, secret] = dataKey.trim().split("_");
  return secret ? id : "";
}

/**
 * @param {object} asked
 * @param {string} asked.server where all paths begin
 * @param {string} asked.path with `{collection_id}`, `{name}` and others in it
 * @param {Record<string, string>} asked.inPath what stands for these
 * @param {{name: string, place: string, value: string}[]} asked.fields those that are empty are left out
 * @param {string} asked.dataKey "" for none
 * @returns {{url: string, headers: Record<string, string>}}
 * @throws {Error} with a sentence for a person
 */
export function buildRequest({ server, path, inPath, fields, dataKey }) {
  const url = path.replace(/\{(\w+)\}/g, (_, name) => encodeStep(inPath[name] ?? ""));
  const query = fields.filter(({ place, value }) => place === "query" && value !== "");
  const headers = Object.fromEntries(
    fields.filter(({ place, value }) => place === "header" && value !== "").map(({ name, value }) => [name, value]),
  );
  if (dataKey) headers["X-API-Key"] = dataKey.trim();
  const search = query.map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  return { url: `${server}${url}${search ? `?${search}` : ""}`, headers };
}

function encodeStep(value) {
  // A browser takes these for steps of the path, encoded or not.
  if (value === "." || value === "..") throw new Error("A browser cannot send a key of one or two dots.");
  return encodeURIComponent(value);
}

/** Whether an answer of this content type can be shown as text. */
export function isText(contentType) {
  return /^(?:text\/|application\/(?:json|xml|javascript)\b)/.test(contentType);
}
