/** Sizes, counts and times in words, as the server's templates write them; and how fast something goes. */

const UNITS = ["B", "kB", "MB", "GB"];

/** Bytes in the unit that keeps them short, in powers of 1,000: "0 B", "4.2 MB". */
export function formatSize(bytes) {
  let amount = bytes;
  for (const unit of UNITS) {
    if (amount < 1000) return unit === "B" || amount >= 100 ? `${amount.toFixed(0)} ${unit}` : `${amount.toFixed(1)} ${unit}`;
    amount /= 1000;
  }
  return `${amount.toFixed(1)} TB`;
}

/** "1 file", "1,204 files". */
export function formatCount(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** How long something will take, as roughly as people want it: "a few seconds", "40 s", "3 min", "2 h 10 min". */
export function formatWait(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 5) return "a few seconds";
  if (seconds < 90) return `${Math.ceil(seconds / 5) * 5} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Bytes a second over the last few seconds. Time stands still while nothing runs: call `pause` then. */
export class Meter {
  #windowMs;
  #samples = [];
  #total = 0;

  constructor(windowMs = 5000) {
    this.#windowMs = windowMs;
  }

  /** So many more bytes have gone by now. */
  add(bytes, nowMs) {
    this.#total += bytes;
    this.#samples.push({ at: nowMs, total: this.#total });
    // The sample before the window stays: it is where the window's first byte is counted from.
    while (this.#samples.length > 2 && this.#samples[1].at <= nowMs - this.#windowMs) this.#samples.shift();
  }

  /** @returns {number} bytes a second, 0 while too little is known */
  rate(nowMs) {
    if (this.#samples.length === 0) return 0;
    const first = this.#samples[0];
    const seconds = (nowMs - first.at) / 1000;
    return seconds >= 0.25 ? (this.#total - first.total) / seconds : 0;
  }

  pause() {
    this.#samples = [];
  }
}
