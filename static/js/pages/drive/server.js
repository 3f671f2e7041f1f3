/** Asking the server: JSON there and back, with the session and the token against forged requests. */

import { describeFault } from "../../lib/faults.js";
import { base } from "./context.js";

/** An answer that is none, or not the one hoped for. `status` is 0 when there was none; `body` what came, if it was JSON. */
export class ServerFault extends Error {
  constructor(status, body = null, retryAfterMs = 0) {
    super(body?.errors?.[0] ?? (status === 401 ? "You are signed out. Sign in again in another tab, then try again." : describeFault(status)));
    this.status = status;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Headers of every request. The token is read each time: signing in again changes it. */
export function headers() {
  return { "X-CSRFToken": token(), "X-Requested-With": "drive" };
}

/**
 * @param {string} method
 * @param {string} path below the Drive's address
 * @param {object} [body] sent as JSON
 * @returns {Promise<any>} the answer's JSON
 */
export async function ask(method, path, body, { signal } = {}) {
  const response = await reach(base + path, {
    method,
    signal,
    headers: { ...headers(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return response.json();
}

/** A page or a part of one, as a document. */
export async function fetchPage(address, { signal } = {}) {
  const response = await reach(address, { signal, headers: headers() });
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** A partial: one element, such as a row group, which a document would not keep outside its table. */
export async function fetchPart(address, { signal } = {}) {
  const response = await reach(address, { signal, headers: headers() });
  const template = document.createElement("template");
  template.innerHTML = (await response.text()).trim();
  return template.content.firstElementChild;
}

async function reach(address, options) {
  let response;
  try {
    response = await fetch(address, { ...options, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerFault(0);
  }
  // A page to sign in on, where data was asked for, has another address.
  if (response.redirected && new URL(response.url).pathname.startsWith("/sign-in")) throw new ServerFault(401);
  if (!response.ok) throw await faultOf(response);
  return response;
}

async function faultOf(response) {
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const body = isJson ? await response.json().catch(() => null) : null;
  return new ServerFault(response.status, body, retryAfterMs(response.headers.get("Retry-After")));
}

/** What a Retry-After asks for; the server writes seconds. */
export function retryAfterMs(text) {
  return (Number(text) || 0) * 1000;
}

function token() {
  const cookie = document.cookie.split("; ").find((each) => each.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
}
