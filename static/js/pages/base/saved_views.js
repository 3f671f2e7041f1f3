/** Saved views: a query, an order and an arrangement of columns under a name, which everybody in the collection has. */

import { RequestError, requestJson } from "../../lib/requests.js";
import { isArrangement } from "../../lib/table_columns.js";
import { addCommands, runCommand } from "../commands.js";
import { showToast } from "../toasts.js";
import { icon, make } from "./dom.js";

export function createSavedViews(table) {
  const { viewsUrl, pageUrl } = table.root.dataset;
  const menu = document.getElementById("views-menu");
  const dialog = /** @type {HTMLDialogElement|null} */ (document.getElementById("save-view"));
  const form = dialog?.querySelector("form");
  const fault = document.getElementById("save-view-fault");
  let views = [];

  async function load() {
    ({ views } = await requestJson(viewsUrl));
  }

  function draw() {
    const lines = views.map((view) => {
      const open = make("a", { class: "menu-item view-open", href: `${pageUrl}?view=${view.id}`, title: view.q }, [
        icon(isShown(view) ? "check" : "view"),
        make("span", { class: "menu-label", dir: "auto" }, [view.name]),
      ]);
      if (isShown(view)) open.setAttribute("aria-current", "true");
      open.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        menu.hidePopover();
        show(view);
      });
      const line = make("div", { class: "view-line" }, [open]);
      if (table.canWrite) line.append(deleteButton(view));
      return line;
    });
    const save = make("button", { type: "button", class: "menu-item", "data-command": "save-view" }, [
      icon("plus"),
      "Save this view …",
    ]);
    menu.replaceChildren(
      ...(lines.length > 0 ? lines : [make("p", { class: "menu-title" }, ["No saved views yet."])]),
      ...(table.canWrite ? [make("hr"), save] : []),
    );
  }

  function deleteButton(view) {
    const button = make(
      "button",
      { type: "button", class: "button-icon", "aria-label": `Delete the view ${view.name}`, title: "Delete" },
      [icon("trash")],
    );
    button.addEventListener("click", () => remove(view));
    return button;
  }

  /** Asks nothing: it can be put back. */
  async function remove(view) {
    menu.hidePopover();
    if (
      !(await tried(async () => ({ views } = await requestJson(`${viewsUrl}${view.id}/delete/`, { method: "POST" }))))
    )
      return;
    showToast(`View “${view.name}” deleted.`, { action: "Undo", onAction: () => tried(() => keep(view)) });
  }

  async function keep({ name, q, sort, columns, replace = false }) {
    ({ views } = await requestJson(viewsUrl, { method: "POST", json: { name, q, sort, columns, replace } }));
  }

  /** Whether it went well; if not, it is said. */
  async function tried(action) {
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      table.emit("request-failed", error);
      return false;
    }
  }

  function isShown(view) {
    return view.q === table.q && view.sort === table.sort && view.columns === JSON.stringify(table.arrangement);
  }

  function show(view) {
    const arrangement = readArrangement(view.columns);
    if (arrangement) table.setArrangement(arrangement);
    runCommand("run-query", { q: view.q, sort: view.sort });
  }

  function readArrangement(text) {
    try {
      const arrangement = JSON.parse(text);
      return isArrangement(arrangement) ? arrangement : null;
    } catch {
      return null;
    }
  }

  menu.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "open") return;
    draw();
    load().then(draw, (error) => {
      if (!(error instanceof RequestError)) throw error;
      if (views.length === 0) menu.replaceChildren(make("p", { class: "menu-title" }, [error.message]));
    });
  });

  if (form) {
    const field = form.querySelector("input[name=name]");
    const submit = form.querySelector("[type=submit]");
    const setReplacing = (isReplacing) => {
      submit.dataset.replaces = String(isReplacing);
      submit.textContent = isReplacing ? "Replace it" : "Save view";
    };
    addCommands({
      "save-view": () => {
        form.reset();
        fault.textContent = "";
        setReplacing(false);
        dialog.showModal();
      },
    });
    field.addEventListener("input", () => {
      fault.textContent = "";
      setReplacing(false);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const { q, sort } = table;
      const replace = submit.dataset.replaces === "true";
      try {
        await keep({ name: field.value, q, sort, columns: JSON.stringify(table.arrangement), replace });
        dialog.close();
        showToast(`View “${field.value.trim()}” saved. Everybody in the collection has it under “Views”.`);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        fault.textContent = `${error.message.replace(/\.$/, "")}.`;
        setReplacing(error.status === 409);
      }
    });
  }

  // A link to a view shows it.
  const wanted = new URLSearchParams(location.search).get("view");
  if (wanted)
    tried(async () => {
      await load();
      const view = views.find(({ id }) => String(id) === wanted);
      if (view) show(view);
      else showToast("This view does not exist any more.", { isError: true });
    });
}
