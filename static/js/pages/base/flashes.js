/** A short highlight of cells and rows that have just become others. How it looks, and whether it moves, is the styles' matter. */

import { KEY } from "./table_state.js";

const FLASH_MS = 2_000;

export function createFlashes(table, view) {
  const flashes = new Map(); // id -> {names, until}; names null: the whole row

  function paint() {
    for (const [id, { names, until }] of flashes) {
      if (until < performance.now()) flashes.delete(id);
      else for (const element of elementsOf(id, names)) element.classList.add("is-fresh");
    }
  }

  function elementsOf(id, names) {
    if (names === null) return [view.cellElement(id, KEY)?.parentElement].filter(Boolean);
    return names.map((name) => view.cellElement(id, name)).filter(Boolean);
  }

  function fade() {
    for (const element of view.body.querySelectorAll(".is-fresh")) {
      const flash = flashes.get(element.closest("[data-id]").dataset.id);
      if (!flash || flash.until < performance.now()) element.classList.remove("is-fresh");
    }
  }

  table.on("drawn", paint);

  return {
    /** @param {string} id a row's @param {string[]|null} names of its cells, null for all of it */
    add(id, names) {
      if (names?.length === 0) return;
      flashes.set(id, { names, until: performance.now() + FLASH_MS });
      setTimeout(fade, FLASH_MS + 100);
    },
  };
}
