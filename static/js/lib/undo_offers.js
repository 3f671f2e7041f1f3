/**
 * Offers to undo what was done, one after another. What was done to a thing last is undone first: an offer waits while a later one
 * is about the same thing, and is good again once that was taken.
 */

/** Whether two names are of the same thing: a folder, whose name ends with a slash, is what is in it too. */
export function isSame(one, other) {
  return (
    one === other || (one.endsWith("/") && other.startsWith(one)) || (other.endsWith("/") && one.startsWith(other))
  );
}

export class UndoOffers {
  #offers = [];
  #onChange;

  /** @param {(offer: any, isWaiting: boolean) => void} onChange hears of each offer that has to wait, or no longer */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @param {any} offer @param {string[]} names of what was changed, as they were and as they are */
  add(offer, names) {
    this.#offers.push({ offer, names, isWaiting: false });
    this.#tell();
  }

  /** It was taken, and what it was about is as it was before. */
  take(offer) {
    this.#offers = this.#offers.filter((each) => each.offer !== offer);
    this.#tell();
  }

  #tell() {
    this.#offers.forEach((each, at) => {
      const isWaiting = this.#offers
        .slice(at + 1)
        .some((later) => later.names.some((name) => each.names.some((own) => isSame(own, name))));
      if (isWaiting === each.isWaiting) return;
      each.isWaiting = isWaiting;
      this.#onChange(each.offer, isWaiting);
    });
  }
}
