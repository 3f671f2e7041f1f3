/** The list of everything staged, old and new, where one cell, one row or all can be taken back. */

import { formatCount } from "../../lib/formatting.js";
import { inWords } from "../../lib/json_values.js";
import { count, revertAll, revertCell, revertRow } from "../../lib/staged_changes.js";
import { runCommand } from "../commands.js";
import { problemWords } from "./cells.js";
import { icon, make } from "./dom.js";

const SHOWN_ROWS = 200;

export function createStagedPanel(table) {
  const panel = document.getElementById("staged-panel");
  const opener = document.getElementById("show-staged");

  function draw() {
    const { changes, problems } = count(table.staged);
    opener.hidden = changes === 0;
    opener.querySelector("span").textContent =
      problems > 0 ? `${formatCount(changes, "change")}, ${problems} not saved` : formatCount(changes, "change");
    opener.setAttribute("aria-expanded", String(!panel.hidden));
    if (changes === 0) panel.hidden = true;
    if (panel.hidden) return;
    const entries = [...table.staged.changes];
    const close = make("button", { type: "button", class: "button-icon", "aria-label": "Close the list" }, [icon("x")]);
    close.addEventListener("click", toggle);
    const all = make("button", { type: "button", class: "button" }, [`Undo ${formatCount(changes, "change")}`]);
    all.addEventListener("click", () => table.setStaged(revertAll(table.staged)));
    const list = make("ul", { class: "staged-list" }, entries.slice(0, SHOWN_ROWS).map(drawRow));
    if (entries.length > SHOWN_ROWS)
      list.append(
        make("li", { class: "quiet" }, [`and ${(entries.length - SHOWN_ROWS).toLocaleString("en")} more rows`]),
      );
    const scrolled = panel.querySelector(".staged-list")?.scrollTop ?? 0;
    panel.replaceChildren(
      make("header", { class: "staged-head" }, [make("h3", {}, ["Staged changes"]), close]),
      list,
      make("footer", { class: "staged-foot" }, [all]),
    );
    list.scrollTop = scrolled;
  }

  function drawRow([id, change]) {
    const words = { edit: "edited", add: "new", delete: "to be deleted" }[change.kind];
    const key = change.key ?? "new item";
    const open = make("button", { type: "button", class: "link-button data staged-key" }, [key]);
    open.addEventListener("click", () => runCommand("go-to-row", { id }));
    const head = make("div", { class: "staged-row-head" }, [
      open,
      make("span", { class: ["chip", `chip-${change.kind}`] }, [words]),
      revertButton(`Revert ${key}`, () => revertRow(table.staged, id)),
    ]);
    const lines =
      change.kind === "delete"
        ? []
        : change.kind === "add"
          ? Object.entries(change.item).map(([name, json]) => drawCell(id, name, null, json, true))
          : Object.entries(change.cells).map(([name, cell]) => drawCell(id, name, cell.loaded, cell.mine, false));
    const item = make("li", { class: [`staged-row`, `is-${change.kind}`] }, [head, ...lines]);
    if (change.problem) {
      const problem = make("button", { type: "button", class: "link-button staged-problem" }, [
        icon("warning"),
        problemWords(change.problem),
      ]);
      problem.addEventListener("click", () => runCommand("go-to-problem", { id }));
      item.append(problem);
    }
    return item;
  }

  function drawCell(id, name, loaded, mine, isNew) {
    const values = [make("bdi", { class: "staged-new" }, [short(mine, name)])];
    if (!isNew)
      values.unshift(
        make("bdi", { class: "staged-old" }, [short(loaded, name)]),
        make("span", { "aria-hidden": "true" }, [" → "]),
        make("span", { class: "visually-hidden" }, [" becomes "]),
      );
    return make("div", { class: "staged-cell" }, [
      make("span", { class: "staged-name data" }, [name]),
      make("span", { class: "staged-values data" }, values),
      revertButton(`Revert ${name}`, () => revertCell(table.staged, id, name)),
    ]);
  }

  function short(json, name) {
    const text = inWords(json, name);
    return text.length > 60 ? `${text.slice(0, 60)}…` : text;
  }

  function revertButton(label, revert) {
    const button = make("button", { type: "button", class: "button-icon", "aria-label": label, title: label }, [
      icon("undo"),
    ]);
    button.addEventListener("click", () => table.setStaged(revert()));
    return button;
  }

  function toggle() {
    panel.hidden = !panel.hidden;
    document.body.classList.toggle("has-staged-panel", !panel.hidden);
    draw();
    if (panel.hidden) opener.focus();
    else panel.querySelector("button")?.focus();
  }

  opener.addEventListener("click", toggle);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && toggle());
  table.on("staged", draw);
  return { draw };
}
