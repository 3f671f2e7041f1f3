/** Sizes, counts and times in words, as the server's templates write them. */

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Bytes in the unit that keeps them short, in powers of 1,000: "0 B", "4.2 MB". */
export function formatSize(bytes) {
  let amount = bytes;
  for (const unit of UNITS.slice(0, -1)) {
    if (amount < 1000)
      return unit === "B" || amount >= 100 ? `${amount.toFixed(0)} ${unit}` : `${amount.toFixed(1)} ${unit}`;
    amount /= 1000;
  }
  return `${amount.toFixed(1)} TB`;
}

/** "1.2 of 5.0 GB": both in the unit of the whole. */
export function formatProgress(done, size) {
  const power = Math.min(Math.floor(Math.log10(Math.max(size, 1)) / 3), UNITS.length - 1);
  const amount = (bytes) => (bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1);
  return `${amount(done)} of ${amount(size)} ${UNITS[power]}`;
}

/** "1 file", "1,204 files". */
export function formatCount(count, noun, plural = `${noun}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}

/** How long something will take, as roughly as people want it: "a few seconds", "40 s", "3 min", "2 h 10 min". */
export function formatWait(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 5) return "a few seconds";
  if (seconds < 90) return `${Math.ceil(seconds / 5) * 5} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
