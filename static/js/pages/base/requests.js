/** The page's requests to its own endpoints, and what their failures mean. */

/** A request that did not come through: `status` 0 when nothing answered, `isSignedOut` when the session is over. */
export class RequestFault extends Error {
  constructor(status, { isSignedOut = false, body = "", messages = [] } = {}) {
    super(messages[0] ?? `status ${status}`);
    this.status = status;
    this.isSignedOut = isSignedOut;
    this.body = body;
    this.messages = messages;
  }
}

/** @param {string} url @param {Record<string, string|string[]>} [parameters] */
export function address(url, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one !== "" && one !== null && one !== undefined) query.append(name, one);
  }
  const text = query.toString();
  return text ? `${url}?${text}` : url;
}

export async function getText(url, parameters, options) {
  return (await send(address(url, parameters), { ...options, headers: { Accept: "text/html, application/json;q=0.5" } })).text();
}

export async function getJson(url, parameters, options) {
  return (await send(address(url, parameters), { ...options, headers: { Accept: "application/json" } })).json();
}

/** POST a body; the answer's JSON. The token is read at this moment: a sign-in in another tab has changed it. */
export async function postJson(url, body, contentType = "application/json") {
  const headers = { Accept: "application/json", "Content-Type": contentType, "X-CSRFToken": cookie("csrftoken") };
  return (await send(url, { method: "POST", body, headers })).json();
}

async function send(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new RequestFault(0);
  }
  if (response.redirected && new URL(response.url).pathname.startsWith("/sign-in")) throw new RequestFault(401, { isSignedOut: true });
  if (response.ok) return response;
  const body = await response.text().catch(() => "");
  throw new RequestFault(response.status, { isSignedOut: response.status === 401, body, messages: messagesIn(body) });
}

function messagesIn(body) {
  try {
    return JSON.parse(body).errors ?? [];
  } catch {
    return [];
  }
}

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found?.slice(name.length + 1) ?? "";
}
