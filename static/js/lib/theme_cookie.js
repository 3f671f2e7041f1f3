/** The cookie of the chosen theme, which the server reads under the names of `console/cookies.py`. */

const YEAR_SECONDS = 31_536_000;

/**
 * @param {string} theme "light", "dark", or "" for the system's, which takes the cookie away
 * @param {{below: string, isSecure: boolean}} page `below`: the path below which all of the server is, "" for a host of its own
 * @returns {string} as `document.cookie` takes it
 */
export function themeCookie(theme, { below, isSecure }) {
  const prefix = below ? "__Secure-" : "__Host-";
  const name = `${isSecure ? prefix : ""}theme`;
  const rest = `path=${below || "/"}; samesite=lax${isSecure ? "; secure" : ""}`;
  return `${name}=${theme}; max-age=${theme ? YEAR_SECONDS : 0}; ${rest}`;
}
