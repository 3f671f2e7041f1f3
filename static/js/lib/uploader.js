/**
 * The queue of uploads: which file goes next, in which parts, and what happens when one fails.
 *
 * It knows neither the page nor the network: a transport sends, `onChange` hears of every step. A few files are under way at
 * once, each by a few parts; a broken connection is waited out, and only what the server has not got is sent again.
 */

import { isInvalid } from "./requests.js";
import { isTemporary, retryDelay } from "./retries.js";
import { Semaphore } from "./semaphore.js";
import { SpeedMeter } from "./speed_meter.js";
import { bytesOf, fingerprintOf, planParts } from "./upload_parts.js";

export const FILES_AT_ONCE = 3;
/** A browser opens six connections to a server at most; the page itself needs some of them. */
export const PARTS_AT_ONCE = 4;
const PARTS_OF_A_FILE = 3;
/** A file no longer than a part goes in one request: there is nothing of it to resume, and folders of small files go up three times as fast. */
const WHOLE_BYTES = 10 * 1024 * 1024;

/** What can still happen to a transfer in such a state. */
export const ACTIVE = new Set(["waiting", "sending", "paused", "ending"]);

/** One file on its way. */
class Transfer {
  static #count = 0;

  /** `uploadId` and `partBytes` are those of an upload that an earlier page began, if there is one. */
  constructor({ file, name, ifExists, uploadId = null, partBytes = null }) {
    Transfer.#count += 1;
    this.key = `transfer-${Transfer.#count}`;
    this.file = file;
    this.wanted = name;
    /** The name it gets: another one when both are kept. */
    this.name = name;
    this.ifExists = ifExists;
    this.fingerprint = fingerprintOf(file);
    /** waiting, sending, paused (the server does not answer), ending, done, failed, cancelled, skipped */
    this.state = "waiting";
    this.uploadId = uploadId;
    this.partBytes = partBytes;
    this.message = "";
    this.resumesAt = null;
    this.meter = new SpeedMeter();
    this.stored = 0;
    this.flying = new Map();
    this.controller = new AbortController();
  }

  /** Bytes that the server has, or that are on the wire. */
  get sent() {
    let sent = this.stored;
    for (const loaded of this.flying.values()) sent += loaded;
    return Math.min(sent, this.file.size);
  }
}

export class Uploader {
  #transport;
  #onChange;
  #onClash;
  #wait;
  #now;
  #wholeBytes;
  #waiting = [];
  #files = new Semaphore(FILES_AT_ONCE);
  #parts = new Semaphore(PARTS_AT_ONCE);

  /**
   * @param {object} options
   * @param {any} options.transport `sendWhole`, `start`, `sendPart`, `inspect`, `end`, `abort` (see pages/drive/upload_transport.js); they throw
   *   errors with `status`, 0 when no answer came
   * @param {(transfer: Transfer) => void} options.onChange
   * @param {(transfer: Transfer) => Promise<string>} options.onClash the name was taken in the meantime: "replace", "keep-both" or "skip"
   * @param {(ms: number, signal: AbortSignal) => Promise<void>} options.wait ends early when aborted, or when there is hope
   * @param {() => number} [options.now] milliseconds
   * @param {number} [options.wholeBytes]
   */
  constructor({ transport, onChange, onClash, wait, now = () => performance.now(), wholeBytes = WHOLE_BYTES }) {
    this.#transport = transport;
    this.#onChange = onChange;
    this.#onClash = onClash;
    this.#wait = wait;
    this.#now = now;
    this.#wholeBytes = wholeBytes;
  }

  /** Put a file into the queue. */
  add(plan) {
    const transfer = new Transfer(plan);
    this.#enqueue(transfer);
    return transfer;
  }

  /** Once more, after it failed or was cancelled; parts that the server still has are not sent again. */
  retry(transfer) {
    if (ACTIVE.has(transfer.state) || transfer.state === "done") return;
    transfer.controller = new AbortController();
    transfer.flying.clear();
    this.#enqueue(transfer);
  }

  /** Stop it and let the server forget what it has got. */
  async cancel(transfer) {
    if (!ACTIVE.has(transfer.state) && transfer.state !== "failed") return;
    const { uploadId } = transfer;
    transfer.uploadId = null;
    transfer.controller.abort();
    transfer.stored = 0;
    transfer.flying.clear();
    this.#set(transfer, "cancelled");
    if (uploadId === null) return;
    try {
      await this.#transport.abort(uploadId);
    } catch {
      // It is gone already, or the server does not answer: what nobody touches for a day is swept away there.
    }
  }

  #enqueue(transfer) {
    this.#set(transfer, "waiting");
    this.#waiting.push(transfer);
    this.#next();
  }

  #next() {
    while (this.#waiting.length > 0 && this.#files.tryAcquire()) {
      const transfer = this.#waiting.shift();
      if (transfer.state !== "waiting") {
        this.#files.release();
        continue;
      }
      this.#run(transfer).finally(() => {
        this.#files.release();
        this.#next();
      });
    }
  }

  /** Try until it is there, is given up, or fails for a reason that waiting does not cure. */
  async #run(transfer) {
    const { signal } = transfer.controller;
    let tries = 0;
    while (!signal.aborted) {
      const before = transfer.stored;
      try {
        await this.#send(transfer, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (transfer.stored > before) tries = 0;
        if (error.status === 409 && error.isClash) {
          if (!(await this.#settleClash(transfer))) return;
        } else if (isTemporary(error)) {
          await this.#pause(transfer, signal, error, tries);
          tries += 1;
        } else {
          // What arrived does not add up to the file: the next try begins with nothing.
          if (isInvalid(error)) transfer.uploadId = null;
          this.#set(transfer, "failed", error.message);
          return;
        }
      }
    }
  }

  async #send(transfer, signal) {
    this.#set(transfer, "sending");
    if (transfer.uploadId === null && transfer.file.size <= this.#wholeBytes) {
      await this.#sendWhole(transfer, signal);
      return;
    }
    const upload = await this.#begin(transfer, signal);
    if (!upload.ended) {
      const parts = planParts(transfer.file.size, upload.partBytes, upload.there);
      transfer.stored = transfer.file.size - bytesOf(parts);
      this.#onChange(transfer);
      await this.#sendParts(transfer, parts, signal);
    }
    this.#set(transfer, "ending");
    this.#finish(transfer, await this.#transport.end(transfer.uploadId, signal));
  }

  async #sendWhole(transfer, signal) {
    await this.#parts.acquire(signal);
    try {
      const onProgress = this.#countsFor(transfer, 1, signal);
      this.#finish(transfer, await this.#transport.sendWhole(transfer, { onProgress, signal }));
    } finally {
      this.#parts.release();
      transfer.flying.clear();
    }
  }

  #finish(transfer, { name }) {
    transfer.name = name;
    transfer.stored = transfer.file.size;
    this.#set(transfer, "done");
  }

  /** The upload as the server knows it: a new one, or the one that was under way. */
  async #begin(transfer, signal) {
    if (transfer.uploadId !== null) {
      try {
        const { there, ended } = await this.#transport.inspect(transfer.uploadId, signal);
        return { there, ended, partBytes: transfer.partBytes };
      } catch (error) {
        if (error.status !== 404) throw error;
        transfer.uploadId = null;
      }
    }
    const started = await this.#transport.start(transfer, signal);
    // A cancel that came while the server was asked could not name the upload yet.
    if (signal.aborted) this.#transport.abort(started.id).catch(() => {});
    signal.throwIfAborted();
    transfer.uploadId = started.id;
    transfer.name = started.name;
    transfer.partBytes = started.partBytes;
    return { there: started.there, ended: false, partBytes: started.partBytes };
  }

  /** A few parts at once; the first that fails stops the others, and what they sent so far counts no more. */
  async #sendParts(transfer, parts, signal) {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const left = [...parts];
    const lane = async () => {
      while (left.length > 0 && !either.aborted) {
        await this.#parts.acquire(either);
        try {
          const part = left.shift();
          if (part !== undefined) await this.#sendPart(transfer, part, either);
        } finally {
          this.#parts.release();
        }
      }
    };
    const lanes = Array.from({ length: Math.min(PARTS_OF_A_FILE, parts.length) }, lane);
    try {
      await Promise.all(lanes);
    } catch (error) {
      stop.abort();
      await Promise.allSettled(lanes);
      throw error;
    } finally {
      transfer.flying.clear();
    }
    signal.throwIfAborted();
  }

  async #sendPart(transfer, part, signal) {
    const onProgress = this.#countsFor(transfer, part.number, signal);
    const blob = transfer.file.slice(part.start, part.end);
    await this.#transport.sendPart(transfer.uploadId, part.number, blob, { onProgress, signal });
    if (signal.aborted) return;
    transfer.flying.delete(part.number);
    transfer.stored += part.end - part.start;
    this.#onChange(transfer);
  }

  /** Hears how many bytes of a part are on the wire. */
  #countsFor(transfer, number, signal) {
    return (loaded) => {
      if (signal.aborted) return;
      transfer.meter.add(loaded - (transfer.flying.get(number) ?? 0), this.#now());
      transfer.flying.set(number, loaded);
      this.#onChange(transfer);
    };
  }

  async #pause(transfer, signal, error, tries) {
    const wait = retryDelay(tries, error.retryAfterMs);
    transfer.meter.pause();
    transfer.resumesAt = this.#now() + wait;
    this.#set(transfer, "paused", error.message);
    await this.#wait(wait, signal);
    transfer.resumesAt = null;
  }

  async #settleClash(transfer) {
    this.#set(transfer, "waiting");
    const choice = await this.#onClash(transfer);
    if (transfer.state === "cancelled") return false;
    if (choice === "skip") {
      this.#set(transfer, "skipped");
      return false;
    }
    transfer.ifExists = choice;
    transfer.uploadId = null;
    return true;
  }

  #set(transfer, state, message = "") {
    transfer.state = state;
    transfer.message = message;
    this.#onChange(transfer);
  }
}
