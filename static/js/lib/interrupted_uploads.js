/**
 * Uploads that a reload or a crash of the browser cut off, remembered in the browser's storage.
 *
 * The bytes themselves cannot be kept: a page may not open a file again by itself. What is kept is which file it was, so
 * that choosing it again goes on where it stopped; the server knows which parts it has.
 */

const KEY = "homeport-uploads";
/** A page that is there says so this often at least; without a word for so long it is gone. */
export const SILENCE_MS = 15_000;
/** The server sweeps uploads that were not touched for a day. */
export const KEPT_MS = 24 * 3600 * 1000;

/**
 * @typedef {{id: string, base: string, name: string, fingerprint: string, size: number, sent: number, partBytes: number, ifExists: string,
 *   page: string, seenAt: number}} Interrupted `base`: the Drive's address; `page`: which page sends it, "" once that said good-bye
 */
export class InterruptedUploads {
  #storage;
  #now;

  /** @param {Storage} storage localStorage, or what behaves like it */
  constructor(storage, now = Date.now) {
    this.#storage = storage;
    this.#now = now;
  }

  /** Remember one, or that it is still under way. */
  note(upload) {
    const others = this.#read().filter((each) => each.id !== upload.id);
    this.#write([...others, { ...upload, seenAt: this.#now() }]);
  }

  forget(id) {
    this.#write(this.#read().filter((each) => each.id !== id));
  }

  /** This page is being left: what it was sending is free to be taken up by the next. */
  leave(page) {
    this.#write(this.#read().map((each) => (each.page === page ? { ...each, page: "" } : each)));
  }

  /** Those of one Drive that no page is sending. `page` is the one that asks, which knows its own, however long they stall. */
  list(base, page) {
    return this.#read().filter(
      (each) =>
        each.base === base && each.page !== page && (each.page === "" || this.#now() - each.seenAt > SILENCE_MS),
    );
  }

  #read() {
    try {
      const found = JSON.parse(this.#storage.getItem(KEY) ?? "[]");
      return found.filter((each) => this.#now() - each.seenAt < KEPT_MS);
    } catch {
      return [];
    }
  }

  #write(uploads) {
    try {
      if (uploads.length === 0) this.#storage.removeItem(KEY);
      else this.#storage.setItem(KEY, JSON.stringify(uploads));
    } catch {
      // Storage is full or forbidden: the upload itself goes on, only a reload would not know of it.
    }
  }
}
