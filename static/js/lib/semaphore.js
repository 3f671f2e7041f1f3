/** So many at once and no more; who comes later waits in line. */

export class Slots {
  #free;
  #line = [];

  constructor(count) {
    this.#free = count;
  }

  /** @returns {boolean} whether there was one free */
  tryTake() {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** Wait for one. Rejects when the signal aborts first. */
  async take(signal) {
    signal?.throwIfAborted();
    if (this.tryTake()) return;
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

  giveBack() {
    const first = this.#line.shift();
    if (first === undefined) {
      this.#free += 1;
      return;
    }
    first.leave();
    first.resolve();
  }
}
