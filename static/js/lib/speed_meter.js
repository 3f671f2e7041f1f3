/** How fast something goes. */

/** Bytes a second over the last few seconds. Time stands still while nothing runs: call `pause` then. */
export class SpeedMeter {
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
