/** The hits of a search, marked where they stand: in texts, inside objects and lists, and by name where their column is out of sight. */

import { cutAround, findHit, splitAtHits } from "../../lib/search_hits.js";
import { runCommand } from "../commands.js";
import { make } from "./dom.js";
import { KEY, LongValue, SELECT } from "./table_state.js";

export function createSearchHits(table, view, { frame }) {
  /** The attributes of each drawn row that hold the words. @type {WeakMap<Element, string[]>} */
  const hits = new WeakMap();
  let isAsked = false;

  const words = () => (table.q === "" || /^[[{]/.test(table.q) ? null : table.q.trim());

  function mark() {
    const searched = words();
    if (searched === null) return;
    for (const element of view.body.children) {
      if (hits.has(element)) continue;
      const row = table.row(element.dataset.id);
      if (row) hits.set(element, markRow(element, row, searched));
    }
    tellHidden();
  }

  function markRow(element, row, searched) {
    const found = [];
    for (const cell of element.children) {
      const { name } = cell.dataset;
      if (name === SELECT || (table.isEditing && cell.querySelector(".cell-input"))) continue;
      if (name === KEY) markText(cell.querySelector(".cell-text"), searched);
    }
    const names = new Set([...row.values.keys(), ...Object.keys(table.change(row.id)?.cells ?? {})]);
    for (const name of names) {
      const { json } = table.cell(row, name);
      const hit = json === null ? null : json instanceof LongValue ? null : findHit(json, searched);
      const cell = [...element.children].find((each) => each.dataset.name === name);
      if (json instanceof LongValue && cell) markText(cell.querySelector(".cell-text"), searched);
      if (!hit) continue;
      found.push(name);
      if (cell) markCell(cell, hit, searched);
    }
    return found;
  }

  function markCell(cell, hit, searched) {
    cell.classList.add("is-hit");
    const preview = cell.querySelector(".cell-preview");
    if (!preview) return markText(cell.querySelector(".cell-text"), searched, hit);
    preview.replaceChildren(`${hit.path}: `, ...pieces(cutAround(hit.text, searched)));
    if (!preview.querySelector("mark")) preview.append(make("mark", {}, [hit.text]));
    cell.append(make("span", { class: "visually-hidden" }, [`, found in ${hit.path}`]));
    return undefined;
  }

  /** A number or boolean that is the words is marked whole. */
  function markText(place, searched, hit = null) {
    if (!place) return;
    const split = splitAtHits(place.textContent, searched);
    if (split.some(({ isHit }) => isHit)) place.replaceChildren(...pieces(split));
    else if (hit) place.replaceChildren(make("mark", {}, [place.textContent]));
  }

  function pieces(split) {
    return split.map(({ text, isHit }) => (isHit ? make("mark", {}, [text]) : text));
  }

  /** Beside the key: in which attributes the words are whose columns are hidden, or scrolled out of sight. */
  function tellHidden() {
    const seen = columnsInSight();
    for (const element of view.body.children) {
      const found = hits.get(element) ?? [];
      const away = found.filter((name) => !seen.has(name));
      const known = element.querySelector(".hit-elsewhere");
      if (away.length === 0) known?.remove();
      else if (known?.dataset.hits !== away.join("\n")) {
        known?.remove();
        element.querySelector(".cell-key .row-open")?.before(elsewhere(element.dataset.id, away));
      }
    }
  }

  function elsewhere(id, away) {
    const more = away.length > 1 ? ` +${away.length - 1}` : "";
    const button = make(
      "button",
      {
        type: "button",
        class: "hit-elsewhere",
        tabindex: -1,
        "data-hits": away.join("\n"),
        title: `Found in ${away.join(", ")}`,
        "aria-label": `Also found in ${away.join(", ")}`,
      },
      [`in ${away[0]}${more}`],
    );
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      if (table.names.includes(away[0])) table.setCursor({ id, name: away[0] });
      else runCommand("open-row", { row: table.row(id) });
    });
    return button;
  }

  function columnsInSight() {
    const cells = [...document.querySelectorAll("#grid-head [role=columnheader]")];
    const left = frame.getBoundingClientRect().left;
    const right = left + frame.clientWidth;
    const seen = cells.filter((cell) => {
      const box = cell.getBoundingClientRect();
      return box.left + box.width / 2 > left && box.left + box.width / 2 < right;
    });
    return new Set(seen.map((cell) => cell.dataset.name));
  }

  table.on("drawn", mark);
  table.on("scrolled arranged", () => {
    if (isAsked || words() === null) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      tellHidden();
    });
  });
}
