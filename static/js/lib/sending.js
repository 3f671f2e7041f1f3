/** Sending a large file in parts: what to send next, when to try again, and how to say how far it is. */

const RETRY_MS = [500, 1000, 2000, 5000, 10000];

/**
 * The part to send next.
 * @param {number} received bytes that the server has
 * @param {number} size of the file
 * @param {number} partBytes of a usual part
 * @returns {{start: number, end: number} | null} null when all is sent
 */
export function nextPart(received, size, partBytes) {
  if (received >= size) return null;
  return { start: received, end: Math.min(received + partBytes, size) };
}

/**
 * How long to wait before the next try.
 * @param {number} failures in a row so far
 * @returns {number | null} milliseconds; null to give up and tell the person
 */
export function retryDelay(failures) {
  return failures <= RETRY_MS.length * 2 ? RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] : null;
}

/** Whether a failure may pass by itself: no answer, or a server that is busy or starting. */
export function mayPass(status) {
  return status === 0 || status === 502 || status === 503 || status === 504;
}

/**
 * Whether a file that was chosen again is the one that was begun: the browser tells no more than these.
 * @param {{name: string, size: number}} file
 * @param {{name: string, size: number}} begun
 */
export function isSameFile(file, begun) {
  return file.size === begun.size && file.name === begun.name;
}

/** "1.2 of 5.0 GB": both in the unit of the whole. */
export function describeProgress(received, size) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(size, 1)) / 3), units.length - 1);
  const digits = power === 0 ? 0 : 1;
  const amount = (bytes) => (bytes / 1000 ** power).toFixed(digits);
  return `${amount(received)} of ${amount(size)} ${units[power]}`;
}
