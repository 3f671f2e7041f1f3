/**
 * Follows a stream of the server for as long as the page is seen: a browser has six connections to one server, which pages in other
 * tabs must not take. Whoever comes back goes on from where they were, and so does who lost the connection.
 */

import { createEventReader } from "../lib/event_stream.js";
import { RequestError, sendRequest } from "../lib/requests.js";
import { isTemporary, retryDelay } from "../lib/retries.js";

// The server gives a sign of life every 15 s.
const SILENT_MS = 50_000;

/**
 * @param {object} stream
 * @param {(place: string|null) => string} stream.address where to go on from a place; null at first
 * @param {(data: any) => void} stream.onMessage
 * @param {(error: RequestError) => string|null|void} stream.onRefused it was refused for good; a place to go on from opens it again
 * @param {(state: "opening"|"live"|"lost"|"asleep"|"over", error?: RequestError) => void} stream.onState
 */
export function createLiveStream({ address, onMessage, onRefused, onState }) {
  let place = null;
  let tries = 0;
  let abort = null;
  let timer = 0;
  let isWanted = false;

  async function follow() {
    abort = new AbortController();
    const mine = abort;
    try {
      await listen(mine);
      throw new RequestError(0);
    } catch (error) {
      if (mine === abort && !mine.signal.aborted) comeAgain(asRequestError(error));
      mine.abort();
    }
  }

  /** An error of reading is a connection that broke off. */
  function asRequestError(error) {
    return error instanceof RequestError ? error : new RequestError(0);
  }

  async function listen(mine) {
    const headers = { Accept: "text/event-stream" };
    const response = await sendRequest(address(place), { headers, signal: mine.signal });
    const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const events = createEventReader();
    onState("live");
    for (;;) {
      const { done, value } = await beforeLong(chunks.read());
      if (mine.signal.aborted || done) return;
      tries = 0;
      const found = events.read(value);
      place = events.place() ?? place;
      for (const { event, data } of found) {
        if (event === "end") throw refusal(JSON.parse(data));
        onMessage(JSON.parse(data));
      }
    }
  }

  /** A connection may be gone without anybody having said so. */
  function beforeLong(reading) {
    let alarm = 0;
    const silence = new Promise((_, refuse) => {
      alarm = setTimeout(() => refuse(new RequestError(0)), SILENT_MS);
    });
    return Promise.race([reading, silence]).finally(() => clearTimeout(alarm));
  }

  function refusal({ status, errors, cursor }) {
    return new RequestError(status, { text: JSON.stringify({ errors, cursor }) });
  }

  function comeAgain(error) {
    if (!isTemporary(error)) {
      place = onRefused(error) ?? null;
      if (place === null) {
        isWanted = false;
        abort = null;
        return onState("over", error);
      }
    }
    onState("lost", error);
    timer = setTimeout(follow, retryDelay(tries, error.retryAfterMs));
    tries += 1;
    return undefined;
  }

  /** Open where it is wanted and seen, closed where not. */
  function settle() {
    const isOpen = abort !== null;
    if (isWanted && !document.hidden && !isOpen) {
      onState("opening");
      follow();
    } else if (isOpen && (!isWanted || document.hidden)) {
      clearTimeout(timer);
      abort.abort();
      abort = null;
      tries = 0;
      onState("asleep");
    }
  }

  document.addEventListener("visibilitychange", settle);
  // Kept for Back, a page is not seen either.
  addEventListener("pagehide", () => {
    abort?.abort();
    abort = null;
    clearTimeout(timer);
  });
  addEventListener("pageshow", (event) => event.persisted && settle());

  return {
    open() {
      isWanted = true;
      settle();
    },
    close() {
      isWanted = false;
      settle();
    },
  };
}
