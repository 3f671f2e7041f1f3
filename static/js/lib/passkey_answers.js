/** Passkeys (WebAuthn) on their way: the server's questions and the browser's answers are JSON with bytes in base64url. */

const BYTES_OF_QUESTION = [["challenge"], ["user", "id"]];
const LISTS_OF_QUESTION = ["allowCredentials", "excludeCredentials"];

/**
 * The options for `navigator.credentials.create` or `get`, out of the server's JSON.
 * @param {{publicKey: Record<string, any>}} question
 * @returns {any}
 */
export function readQuestion({ publicKey }) {
  const read = structuredClone(publicKey);
  for (const path of BYTES_OF_QUESTION) {
    const last = path.at(-1);
    const holder = path.slice(0, -1).reduce((value, name) => value?.[name], read);
    if (holder?.[last] !== undefined) holder[last] = toBytes(holder[last]);
  }
  for (const name of LISTS_OF_QUESTION) {
    if (read[name]) read[name] = read[name].map((each) => ({ ...each, id: toBytes(each.id) }));
  }
  return { publicKey: read };
}

/**
 * A credential that the browser gave, as JSON for the server.
 * @param {any} credential
 * @returns {string}
 */
export function writeAnswer(credential) {
  const { response } = credential;
  const sent = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) sent[name] = toText(response[name]);
  }
  if (response.getTransports) sent.transports = response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: sent,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

/** What to tell a person whose browser gave no passkey. @param {{name: string}} error */
export function describeFault({ name }) {
  switch (name) {
    case "InvalidStateError":
      return "This device has a passkey for your account already.";
    case "NotAllowedError":
    case "AbortError":
      return "The browser gave no passkey: it was cancelled, it took too long, or there is none for this server.";
    case "SecurityError":
      return "Passkeys need https and a host name: the browser offers none at this address.";
    default:
      return "The browser gave no passkey.";
  }
}

/** @param {string} text in base64url @returns {Uint8Array} */
export function toBytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** @param {ArrayBuffer} bytes @returns {string} in base64url */
export function toText(bytes) {
  const letters = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
