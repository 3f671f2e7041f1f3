/** So many at once and no more; whoever comes later waits in line. */

export class Semaphore {
  #free;
  #line = [];

  constructor(count) {
    this.#free = count;
  }

  /** @returns {boolean} whether a place was free */
  tryAcquire() {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** Wait for a place. Rejects when the signal aborts first. */
  async acquire(signal) {
    signal?.throwIfAborted();
    if (this.tryAcquire()) return;
    await new Promise((resolve, reject) => {
      const place = { resolve, leave: () => {} };
      const onAbort = () => {
        this.#line = this.#line.filter((each) => each !== place);
        reject(signal.reason);
      };
      place.leave = () => signal?.removeEventListener("abort", onAbort);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#line.push(place);
    });
  }

  release() {
    const first = this.#line.shift();
    if (first === undefined) {
      this.#free += 1;
      return;
    }
    first.leave();
    first.resolve();
  }
}
