/** Many items changed at once: what and which is asked in a dialog, how far it is stands above the table, and there it is undone. */

import { formatCount } from "../../lib/formatting.js";
import { actLabel, isUnfinished, outcomeWords, progressWords, readAct } from "../../lib/item_changes.js";
import { RequestError, requestJson } from "../../lib/requests.js";
import { addCommands, runCommand } from "../commands.js";
import { make } from "./dom.js";
import { KEY, SELECT } from "./table_state.js";

const ASK_AGAIN_MS = 700;

export function createManyAtOnce(table, { menu }) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("many"));
  if (!dialog) return;
  const { changesUrl } = table.root.dataset;
  const form = dialog.querySelector("form");
  const fault = document.getElementById("many-fault");
  const submit = document.getElementById("many-submit");
  const strip = document.getElementById("change-notice");
  /** How many items each scope has; null while it is counted. @type {Record<string, {items: number, exact: boolean}|null>} */
  let counts = {};
  let asked = 0;
  let shown = 0;

  const field = (name) => form.elements.namedItem(name);
  const value = (name) => field(name).value;
  const selectedKeys = () =>
    table.shown.filter(({ id, isNew }) => table.selected.has(id) && !isNew).map(({ key }) => key);

  function open({ attribute = "" } = {}) {
    form.reset();
    fault.textContent = "";
    dialog.returnValue = "";
    const keys = selectedKeys();
    field("attribute").value = attribute;
    document
      .getElementById("many-attributes")
      .replaceChildren(...table.columns.map(({ name }) => make("option", { value: name })));
    document.getElementById("many-scope-selection").hidden = keys.length === 0;
    document.getElementById("many-selection").textContent =
      keys.length === 1 ? "The selected item" : `The ${formatCount(keys.length, "selected item")}`;
    document.getElementById("many-all").textContent = table.q === "" ? "All items of the Base:" : "All that match:";
    document.getElementById("many-query").textContent = table.q;
    field("scope").value = keys.length > 0 ? "selection" : "all";
    document.getElementById("many-staged").hidden = table.staged.changes.size === 0;
    draw();
    dialog.showModal();
    countBoth(keys);
  }

  async function countBoth(keys) {
    asked += 1;
    const mine = asked;
    counts = { selection: { items: keys.length, exact: true }, all: null };
    draw();
    try {
      const all = await requestJson(`${changesUrl}count/`, { method: "POST", json: { q: table.q } });
      if (mine === asked) counts.all = all;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (mine === asked) fault.textContent = error.message;
    }
    if (mine === asked) draw();
  }

  function draw() {
    const kind = value("kind");
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(kind);
    const count = counts[value("scope")];
    const all = counts.all;
    document.getElementById("many-count").textContent = all
      ? `${all.exact ? "" : "more than "}${formatCount(all.items, "item")}`
      : "being counted …";
    submit.textContent = count?.exact ? actLabel(kind, count.items) : kind === "delete" ? "Delete all" : "Change all";
    submit.className = `button ${kind === "delete" ? "button-danger" : "button-accent"}`;
    submit.setAttribute("aria-disabled", String(!count || count.items === 0));
    field("value").closest(".field").hidden = kind !== "set" || value("type") === "null";
  }

  form.addEventListener("input", () => {
    fault.textContent = "";
    draw();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.getAttribute("aria-disabled") === "true") return;
    const scope = value("scope");
    const read = readAct({
      kind: value("kind"),
      attribute: value("attribute").trim(),
      value: value("value"),
      type: value("type"),
      newName: value("new_name").trim(),
      to: value("to"),
      base: value("base").trim(),
      replace: field("replace").checked,
    });
    if (read.fault) {
      fault.textContent = `${read.fault}.`;
      return;
    }
    submit.setAttribute("aria-disabled", "true");
    try {
      const json = { act: read.act, q: table.q, ...(scope === "selection" ? { keys: selectedKeys() } : {}) };
      const change = await requestJson(changesUrl, { method: "POST", json });
      dialog.close();
      follow(change);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      fault.textContent = `${(error.messages.at(-1) ?? error.message).replace(/\.$/, "")}.`;
      submit.setAttribute("aria-disabled", "false");
    }
  });

  /** Say how far it is until it is done, then what has come of it; the table shows the items as they are then. */
  async function follow(change) {
    shown += 1;
    const mine = shown;
    let now = change;
    drawStrip(now);
    while (isUnfinished(now)) {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      try {
        now = await requestJson(`${changesUrl}${change.id}/`);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (error.status !== 0 && error.status !== 503) return;
      }
      if (mine !== shown) return;
      drawStrip(now);
    }
    runCommand("refresh");
  }

  function drawStrip(change) {
    strip.hidden = false;
    if (isUnfinished(change)) {
      const { text, done, all } = progressWords(change);
      const bar = make("progress", { max: Math.max(all, 1), value: done, "aria-label": "Items done" });
      strip.replaceChildren(make("p", {}, [text]), bar);
      return;
    }
    const parts = [make("p", {}, [outcomeWords(change)])];
    const buttons = make("div", { class: "actions" });
    if (change.undo_seconds > 0 && change.changed > 0) buttons.append(button("Undo", () => undo(change)));
    buttons.append(button("Dismiss", dismiss));
    strip.replaceChildren(...parts, buttons);
  }

  function button(label, onClick) {
    const element = make("button", { type: "button", class: "button" }, [label]);
    element.addEventListener("click", onClick);
    return element;
  }

  function dismiss() {
    strip.hidden = true;
    runCommand("focus-grid");
  }

  async function undo(change) {
    try {
      follow(await requestJson(`${changesUrl}${change.id}/undo/`, { method: "POST" }));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      table.emit("request-failed", error);
    }
  }

  /** What was changed lately, with what can still be undone. */
  const lately = document.getElementById("many-lately");
  lately.addEventListener("toggle", async () => {
    if (!lately.open) return;
    const list = lately.querySelector("ul");
    try {
      const { changes } = await requestJson(changesUrl);
      list.replaceChildren(
        ...(changes.length > 0 ? changes.map(drawLine) : [make("li", { class: "quiet" }, ["Nothing yet."])]),
      );
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      list.replaceChildren(make("li", {}, [error.message]));
    }
  });

  function drawLine(change) {
    const when = new Date(change.asked_at).toISOString().slice(0, 16).replace("T", " ");
    const words = isUnfinished(change) ? progressWords(change).text : outcomeWords(change);
    const line = make("li", {}, [make("span", {}, [`${when} UTC. ${words}`])]);
    if (change.undo_seconds > 0 && change.changed > 0) {
      const back = button("Undo", () => {
        dialog.close();
        undo(change);
      });
      line.append(back);
    }
    return line;
  }

  addCommands({ "change-many": () => open() });
  menu.add([
    {
      group: "row",
      icon: "many",
      label: ({ name }) => `Change “${name}” in many …`,
      isFor: ({ name }) => name !== SELECT && name !== KEY,
      run: ({ name }) => open({ attribute: name }),
    },
  ]);

  // One that is on its way, here or from elsewhere, is shown to whoever opens the Base.
  requestJson(changesUrl)
    .then(({ changes }) => {
      const running = changes.find(isUnfinished);
      if (running) follow(running);
    })
    .catch((error) => {
      if (!(error instanceof RequestError)) throw error;
    });
}
