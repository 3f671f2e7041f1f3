/** A row that could not be saved: what was loaded, mine and theirs for each attribute, by whom and when, and what to do. */

import { findFault } from "../../lib/json_text.js";
import { inWords, typeOf } from "../../lib/json_values.js";
import { resolveClash } from "../../lib/save_requests.js";
import { revertRow, settle } from "../../lib/staged_changes.js";
import { addCommands, runCommand } from "../commands.js";
import { problemWords } from "./cells.js";
import { make } from "./dom.js";

export function createClashDialog(table, { loader, view }) {
  const dialog = document.getElementById("clash");
  let rowOpen = null;

  function show(row) {
    const change = table.change(row.id);
    if (!change?.problem) return;
    rowOpen = row.id;
    const { outcome } = change.problem;
    const content =
      outcome === "clash" && change.kind === "edit"
        ? clashForm(change)
        : outcome === "clash"
          ? deletionForm(change)
          : outcome === "gone"
            ? goneForm(change)
            : reasonForm(row, change);
    dialog.replaceChildren(content);
    dialog.showModal();
    // On the choice, not on the button: a hasty Enter overwrites nobody.
    dialog.querySelector("input:checked, [data-close]")?.focus();
  }

  dialog.addEventListener("close", () => view.focusCursor());

  function frame(title, body, buttons) {
    const close = make("button", { type: "button", class: "button", "data-close": true }, ["Later"]);
    return make("div", { class: "dialog-content" }, [
      make("h2", { id: "clash-title" }, [title]),
      ...body,
      make("div", { class: "actions" }, [close, ...buttons.toReversed()]),
    ]);
  }

  function button(label, action, style = "button") {
    const element = make("button", { type: "button", class: style }, [label]);
    element.addEventListener("click", () => {
      const id = rowOpen;
      dialog.close();
      action(id);
    });
    return element;
  }

  function who({ changedBy, changedAt }) {
    if (!changedBy && !changedAt) return "by somebody else";
    const moment = changedAt ? new Date(changedAt) : null;
    const when =
      moment && !Number.isNaN(moment.getTime())
        ? `on ${moment.toLocaleString("en-GB", { timeZone: "UTC", dateStyle: "medium", timeStyle: "medium" })} UTC`
        : "";
    return [changedBy ? `by ${changedBy}` : "", when].filter(Boolean).join(" ");
  }

  function clashForm(change) {
    const names = Object.keys(change.problem.theirs);
    const table_ = make("table", { class: "clash-table" }, [
      make("thead", {}, [
        make(
          "tr",
          {},
          ["Attribute", "As loaded", "Theirs", "Mine"].map((label) => make("th", { scope: "col" }, [label])),
        ),
      ]),
      make(
        "tbody",
        {},
        names.map((name) =>
          clashLine(name, change.cells[name] ?? { loaded: null, mine: null }, change.problem.theirs[name]),
        ),
      ),
    ]);
    const frameElement = make(
      "div",
      { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Attributes in conflict" },
      [table_],
    );
    const rest = Object.keys(change.cells).length - names.length;
    const body = [
      make("p", {}, [
        `${change.key} was changed ${who(change.problem)}, in the same attributes as your edit. Choose what to keep.`,
      ]),
      frameElement,
    ];
    if (rest > 0)
      body.push(
        make("p", { class: "quiet" }, [
          `Your other ${rest === 1 ? "edit" : `${rest} edits`} of this item ${rest === 1 ? "does" : "do"} not conflict and will be saved with it.`,
        ]),
      );
    const fault = make("p", { class: "field-errors", role: "alert" });
    body.push(fault);
    const saveButton = make("button", { type: "button", class: "button button-accent" }, ["Save my choice"]);
    saveButton.addEventListener("click", () => {
      const choices = readChoices(fault);
      if (!choices) return;
      const id = rowOpen;
      dialog.close();
      takeTheirs(id, change, choices);
      table.setStaged(resolveClash(table.staged, id, choices), { why: "resolved" });
      runCommand("save");
    });
    return frame("Somebody else changed this item", body, [
      saveButton,
      button("Use all of theirs", (id) => {
        takeTheirs(id, change, Object.fromEntries(names.map((name) => [name, "theirs"])));
        table.setStaged(resolveClash(table.staged, id, Object.fromEntries(names.map((name) => [name, "theirs"]))), {
          why: "resolved",
        });
      }),
    ]);
  }

  function clashLine(name, cell, theirs) {
    const group = `choice-${name}`;
    const radio = (value, label, json, isChecked) => {
      const input = make("input", { type: "radio", name: group, value, class: "check" });
      input.checked = isChecked;
      return make("label", { class: "clash-choice" }, [
        input,
        make("span", { class: "visually-hidden" }, [`${label}: `]),
        make("span", { class: ["data", `is-${typeOf(json)}`], dir: "auto" }, [shown(json)]),
      ]);
    };
    const own = make("input", {
      class: "input data clash-own",
      "aria-label": `Another value for ${name}, as JSON`,
      placeholder: "another value, as JSON",
    });
    own.addEventListener("input", () => (other.querySelector("input").checked = own.value !== ""));
    const other = make("label", { class: "clash-choice" }, [
      make("input", {
        type: "radio",
        name: group,
        value: "other",
        class: "check",
        "aria-label": `Another value for ${name}`,
      }),
    ]);
    return make("tr", { "data-name": name }, [
      make("th", { scope: "row", class: "data" }, [name]),
      make("td", { class: "data quiet", dir: "auto" }, [shown(cell.loaded)]),
      make("td", {}, [radio("theirs", "Theirs", theirs, false)]),
      make("td", {}, [radio("mine", "Mine", cell.mine, true), make("div", { class: "clash-other" }, [other, own])]),
    ]);
  }

  function shown(json) {
    if (json === null || json === undefined) return "missing";
    const text = typeOf(json) === "object" || typeOf(json) === "array" ? json : inWords(json);
    return text.length > 120 ? `${text.slice(0, 120)}…` : text;
  }

  function readChoices(fault) {
    const choices = {};
    for (const line of dialog.querySelectorAll("tr[data-name]")) {
      const name = line.dataset.name;
      const chosen = line.querySelector("input[type=radio]:checked").value;
      const text = line.querySelector(".clash-own").value.trim();
      if (chosen !== "other") {
        Object.defineProperty(choices, name, { value: chosen, enumerable: true });
        continue;
      }
      const wrong = findFault(text);
      if (wrong) {
        fault.textContent = `${name}: ${wrong.message}`;
        return null;
      }
      Object.defineProperty(choices, name, { value: { json: text }, enumerable: true });
    }
    return choices;
  }

  /** What is theirs is what the table shows from now on. */
  function takeTheirs(id, change, choices) {
    const rows = table.rows.map((row) => {
      if (row.id !== id) return row;
      const values = new Map(row.values);
      for (const name of Object.keys(choices)) {
        const json = change.problem.theirs[name];
        if (json === null) values.delete(name);
        else values.set(name, json);
      }
      return { ...row, values, revision: change.problem.revision ?? row.revision };
    });
    table.setRows(rows);
  }

  function deletionForm(change) {
    const body = [
      make("p", {}, [`${change.key} was changed ${who(change.problem)} after you loaded it, so it was not deleted.`]),
    ];
    return frame("Changed by somebody else", body, [
      button(
        "Delete anyway",
        (id) => {
          table.setStaged(resolveClash(table.staged, id, {}), { why: "resolved" });
          runCommand("delete");
        },
        "button button-danger",
      ),
      button("Keep it", async (id) => {
        table.setStaged(settle(table.staged, [[id, undefined]]), { why: "resolved" });
        await refresh(id, change.key);
      }),
    ]);
  }

  async function refresh(id, key) {
    const item = await loader.fetchItem(key).catch(() => null);
    if (item) loader.replaceRow(id, key, item.revision, item.json);
  }

  function goneForm(change) {
    const body = [make("p", {}, [`${change.key} was deleted or has expired. Your edits are still here.`])];
    return frame("This item no longer exists", body, [
      button(
        "Add it again with my edits",
        (id) => {
          const values = new Map(table.rows.find((row) => row.id === id)?.values ?? []);
          for (const [name, cell] of Object.entries(change.cells)) {
            if (cell.mine === null) values.delete(name);
            else values.set(name, cell.mine);
          }
          const item = Object.fromEntries([...values].filter(([, json]) => typeof json === "string"));
          table.setRows(table.rows.filter((row) => row.id !== id));
          table.setStaged(
            settle(table.staged, [
              [id, undefined],
              [`new:${change.key}`, { kind: "add", key: change.key, item }],
            ]),
            { why: "resolved" },
          );
        },
        "button button-accent",
      ),
      button("Discard my edits", (id) => {
        table.setRows(table.rows.filter((row) => row.id !== id));
        table.setStaged(settle(table.staged, [[id, undefined]]), { why: "resolved" });
      }),
    ]);
  }

  function reasonForm(row, change) {
    const isOutdated = change.problem.outcome === "outdated";
    const body = [make("p", {}, [problemWords(change.problem)])];
    if (isOutdated)
      body.push(
        make("p", { class: "quiet" }, [
          "Saving keeps both changes where they are in different attributes, and asks where they are in the same one.",
        ]),
      );
    else body.push(make("p", { class: "quiet" }, ["Change the row and save again, or undo your change."]));
    const back = button("Undo my change", (id) => table.setStaged(revertRow(table.staged, id)));
    return frame(isOutdated ? "Changed by somebody else" : `${row.key ?? "The new row"} was not saved`, body, [back]);
  }

  addCommands({ "show-problem": ({ row }) => show(row) });
}
