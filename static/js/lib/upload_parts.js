/** Cutting a file into the parts of an upload. */

/**
 * The parts that are still to be sent, in order. An empty file has none: ending its upload makes an empty file.
 * @param {number} sizeBytes of the file
 * @param {number} partBytes of every part but the last
 * @param {Iterable<number>} there numbers of the parts that the server has
 * @returns {{number: number, start: number, end: number}[]}
 */
export function planParts(sizeBytes, partBytes, there = []) {
  const stored = new Set(there);
  const parts = [];
  for (let start = 0, number = 1; start < sizeBytes; start += partBytes, number += 1) {
    if (!stored.has(number)) parts.push({ number, start, end: Math.min(start + partBytes, sizeBytes) });
  }
  return parts;
}

/** How many bytes of the file the parts to be sent make up. */
export function bytesOf(parts) {
  return parts.reduce((sum, part) => sum + part.end - part.start, 0);
}

/**
 * What makes a file the same file after a reload: the browser shows no path, and reading it all for a hash takes as long as sending it.
 * @param {{name: string, size: number, lastModified: number}} file
 */
export function fingerprintOf(file) {
  return `${file.size}-${file.lastModified}-${file.name}`;
}

/**
 * The part to send next to a server that takes them in order alone.
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
 * Whether a file that was chosen again is the one that was begun, where the server kept no more than these.
 * @param {{name: string, size: number}} file
 * @param {{name: string, size: number}} begun
 */
export function isSameFile(file, begun) {
  return file.size === begun.size && file.name === begun.name;
}
