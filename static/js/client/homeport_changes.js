/** Follows the changes of a Base, for ever: through broken connections and restarts of the server.
 *
 *     import { changes } from "https://home.example.org/static/js/client/homeport_changes.js";
 *     for await (const change of changes(`${server}/v1/${id}/${base}`, { key })) console.log(change.key, change.value);
 *
 * A change is { key, revision, at, by, value, cursor }, its value null for a deletion. `since` is the cursor of a change, "now", or ""
 * for all that the server still has; `query` is that of /query. Ends by an error with `status`: 401 for a key that is no longer good,
 * 410 with the `cursor` to go on from after the Base was read anew; and when `signal` is aborted.
 */
export async function* changes(base, { key = "", since = "", query = undefined, signal = undefined } = {}) {
  const rest = new URLSearchParams(query === undefined ? {} : { query: JSON.stringify(query) });
  const headers = { "X-API-Key": key, Accept: "text/event-stream" };
  for (let cursor = since; ; await pause(signal)) {
    rest.set("since", cursor);
    const answer = await fetch(`${base}/changes?${rest}`, { headers, signal, cache: "no-store" }).catch(() => null);
    signal?.throwIfAborted();
    if (answer && !answer.ok && answer.status < 500)
      throw refusal(await answer.json().catch(() => ({})), answer.status);
    if (!answer?.ok) continue;
    for await (const event of events(answer.body.getReader())) {
      cursor = event.id ?? cursor;
      if (event.event === "end") throw refusal(JSON.parse(event.data));
      if (event.data) yield { ...JSON.parse(event.data), cursor };
    }
    signal?.throwIfAborted();
  }
}

async function* events(reader) {
  const text = new TextDecoder();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true }));
      if (done) return;
      const whole = (buffer + text.decode(value, { stream: true })).split("\n\n");
      buffer = whole.pop();
      for (const event of whole) yield Object.fromEntries(event.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

const refusal = (said, status = said.status) =>
  Object.assign(new Error(said.errors?.join(": ") ?? `HTTP ${status}`), { status, cursor: said.cursor });

const pause = (signal) => new Promise((done) => setTimeout(done, signal?.aborted ? 0 : 500 + Math.random() * 1500));
