/** How the parts of a page hear of each other without knowing each other. */

/**
 * @returns {{on: (types: string, listener: (detail: any) => void) => void, emit: (type: string, detail?: any) => void}}
 *   `on` takes several types, separated by spaces; a listener that fails keeps no other from hearing
 */
export function createEventBus() {
  const target = new EventTarget();
  return {
    on(types, listener) {
      for (const type of types.split(" ")) {
        target.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
      }
    },
    emit(type, detail = {}) {
      target.dispatchEvent(new CustomEvent(type, { detail }));
    },
  };
}
