/** Requests of the pages' scripts to the server, and what a failure means. Every page sends its requests through here. */

import { parseRetryAfter } from "./retries.js";

/** A request without the answer that was hoped for. Its message can be shown to a person. */
export class RequestError extends Error {
  /**
   * @param {number} status 0 when no answer came, 401 when the session is over
   * @param {{text?: string, messages?: string[], retryAfterMs?: number}} [answer] `text`: the body as it came
   */
  constructor(status, { text = "", messages, retryAfterMs = 0 } = {}) {
    const body = parseJson(text);
    const told = messages ?? messagesOf(body);
    super(told[0] ?? describeStatus(status));
    this.name = "RequestError";
    this.status = status;
    this.text = text;
    /** The body's JSON; null for any other body. @type {any} */
    this.body = body;
    /** What the server says is wrong; empty when it says nothing. */
    this.messages = told;
    this.retryAfterMs = retryAfterMs;
  }

  get isSignedOut() {
    return this.status === 401;
  }
}

/** Whether the server found fault with what was sent: sending the same again is in vain. @param {{status: number}} error */
export function isInvalid({ status }) {
  return status === 400 || status === 422;
}

/** What happened and what to do, for a status alone. `requestId` is what the log calls the request. */
export function describeStatus(status, requestId = "") {
  switch (status) {
    case 0:
      return "The server does not answer. Try again in a moment.";
    case 401:
      return "You are signed out. Sign in again in another tab, then try again.";
    case 403:
      return "The server refused this: the page is out of date, or your role does not allow it. Reload the page.";
    case 404:
      return "This does not exist any more. Reload the page.";
    case 413:
      return "This is too large for the server.";
    case 503:
      return "The database does not answer. Try again in a moment; what you did last may or may not be saved.";
    case 507:
      return "The server's disk is full.";
    default:
      return `The server answered with an error (${status}). See the server's log${requestId ? `: request ${requestId}` : ""}.`;
  }
}

/** Whether it is the page to sign in on, below whatever path the server is. @param {string} url */
function isSignInPage(url) {
  return /\/sign-in\/?$/.test(new URL(url).pathname);
}

/** @typedef {{method?: string, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} RequestOptions */

/**
 * Send a request. Whoever is signed out gets status 401, not the page to sign in on.
 * @param {string | URL} url
 * @param {RequestOptions} [options]
 * @returns {Promise<Response>} a good answer
 * @throws {RequestError} for any other; an AbortError when it was aborted
 */
export async function sendRequest(url, { headers = {}, ...options } = {}) {
  let response;
  try {
    response = await fetch(url, {
      credentials: "same-origin",
      ...options,
      headers: { ...commonHeaders(), ...headers },
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(0);
  }
  if (response.redirected && isSignInPage(response.url)) throw new RequestError(401);
  if (response.ok) return response;
  const retryAfterMs = parseRetryAfter(response.headers.get("Retry-After"));
  throw new RequestError(response.status, { text: await response.text().catch(() => ""), retryAfterMs });
}

/**
 * The JSON of an answer.
 * @param {string | URL} url
 * @param {RequestOptions & {json?: unknown}} [options] `json` is sent as the body
 * @returns {Promise<any>}
 */
export async function requestJson(url, { json, headers = {}, ...options } = {}) {
  const sent = json === undefined ? {} : { body: JSON.stringify(json) };
  const type = json === undefined ? {} : { "Content-Type": "application/json" };
  const response = await sendRequest(url, {
    ...options,
    ...sent,
    headers: { Accept: "application/json", ...type, ...headers },
  });
  return readBody(response.json());
}

/** A page or a part of one, as a document. @param {string | URL} url @param {RequestOptions} [options] */
export async function fetchDocument(url, options) {
  const response = await sendRequest(url, options);
  return new DOMParser().parseFromString(await readBody(response.text()), "text/html");
}

/**
 * A partial: one element, such as a row group, which a document would not keep outside its table.
 * @param {string | URL} url @param {RequestOptions} [options]
 */
export async function fetchElement(url, options) {
  const response = await sendRequest(url, options);
  const template = document.createElement("template");
  template.innerHTML = (await readBody(response.text())).trim();
  return /** @type {HTMLElement} */ (template.content.firstElementChild);
}

/** A body that breaks off on its way is no answer. */
async function readBody(reading) {
  try {
    return await reading;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(0);
  }
}

/** The headers of every request. The token is read each time: signing in again, in any tab, changes it. */
export function commonHeaders() {
  return { "X-CSRFToken": csrfToken(), "X-Requested-With": "fetch" };
}

/**
 * A URL with a query of what is not empty.
 * @param {string} url
 * @param {Record<string, string | string[] | null | undefined>} parameters
 */
export function withQuery(url, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one !== "" && one !== null && one !== undefined) query.append(name, one);
  }
  return query.size > 0 ? `${url}?${query}` : url;
}

function csrfToken() {
  // Over https the server reads the first alone, which is another one below a path; the last may be there from plain http, which
  // cookies are not kept apart from.
  for (const name of ["__Secure-csrftoken=", "__Host-csrftoken=", "csrftoken="]) {
    const cookie = document.cookie.split("; ").find((each) => each.startsWith(name));
    if (cookie) return cookie.slice(name.length);
  }
  return JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
}

function messagesOf(body) {
  return Array.isArray(body?.errors) ? body.errors : [];
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
