/** Drawing one row: its cells, what is staged in them, and what that means in words for who cannot see the colour. */

import { chipText, inWords, isSame, shownText, timeLeft } from "../../lib/json_values.js";
import { localText, momentFrom, utcText, zoneText } from "../../lib/moments.js";
import { own } from "../../lib/staged_changes.js";
import { icon, make } from "./dom.js";
import { EXPIRES, KEY, LongValue, SELECT, typeOfCell } from "./table_state.js";

const PREVIEW_CHARACTERS = 80;
/** What is said of a row that is about to go. */
const LEAVES = {
  gone: ["trash", "deleted by somebody else"],
  unmatched: ["filter-out", "changed by somebody else; the query no longer finds it"],
};
// A text that could be taken for a value of another type is shown in quotes; a date or a version could not.
const LOOKS_LIKE_ANOTHER = /^\s*(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null|[{[].*)\s*$/s;

export function drawRow(table, row, position) {
  const change = table.change(row.id);
  const state = rowState(change);
  const element = make("div", {
    role: "row",
    class: ["grid-row", state && `is-${state}`, change?.problem && "is-problem", row.leaves && "is-leaving"],
    "data-id": row.id,
    "aria-rowindex": position + 2,
  });
  table.names.forEach((name, index) => {
    const cell =
      name === SELECT
        ? drawSelect(row, change)
        : name === KEY
          ? drawKey(table, row, change)
          : drawCell(table, row, name, change);
    cell.dataset.name = name;
    cell.setAttribute("aria-colindex", index + 1);
    element.append(cell);
  });
  return element;
}

function rowState(change) {
  return { edit: "edited", add: "new", delete: "deleted" }[change?.kind] ?? "";
}

function drawSelect(row, change) {
  const label = row.isNew ? "Select the new row" : `Select ${row.key}`;
  const cell = make("div", { role: "gridcell", class: "cell cell-select" }, [
    make("input", { type: "checkbox", class: "check", tabindex: -1, "aria-label": label }),
  ]);
  if (change) {
    const words = { edit: "edited", add: "new, not saved", delete: "marked for deletion" }[change.kind];
    cell.append(make("span", { class: "row-dot", title: words }), hidden(`, ${words}`));
  }
  return cell;
}

function drawKey(table, row, change) {
  const isEditable = row.isNew && table.canWrite;
  const cell = make("div", { role: "rowheader", class: "cell cell-key", "aria-readonly": String(!isEditable) });
  const key = row.isNew ? change?.key : row.key;
  if (key === null || key === undefined) cell.append(make("span", { class: "cell-quiet" }, ["made when saved"]));
  else cell.append(make("span", { class: "cell-text", dir: "auto" }, [shownText(JSON.stringify(key))]));
  if (row.leaves) cell.append(drawLeaving(row));
  if (row.more > 0)
    cell.append(
      make(
        "span",
        { class: "chip cell-size", title: `${row.more} more attributes. Open the item in the editor to see them` },
        [`+${row.more}`],
      ),
    );
  if (change?.problem)
    cell.append(
      make(
        "button",
        {
          type: "button",
          class: "row-problem",
          tabindex: -1,
          "data-command": "show-problem",
          title: problemWords(change.problem),
          "aria-label": `Not saved: ${problemWords(change.problem)}`,
        },
        [icon("warning")],
      ),
    );
  cell.append(
    make(
      "button",
      {
        type: "button",
        class: "row-open button-icon",
        tabindex: -1,
        "data-command": "open-row",
        "aria-label": `Open ${key ?? "the new item"}`,
        title: "Open the item",
      },
      [icon("pencil")],
    ),
  );
  return cell;
}

function drawLeaving({ leaves }) {
  const [sign, words] = LEAVES[leaves];
  return make("span", { class: "row-leaves", title: words }, [icon(sign), hidden(`, ${words}`)]);
}

/** Why a row could not be saved, in one sentence. */
export function problemWords({ outcome, why }) {
  if (why) return why;
  return (
    {
      clash: "Somebody else changed the same value.",
      gone: "The item was deleted or has expired.",
      outdated: "The item was changed after you edited it.",
    }[outcome] ?? "It could not be saved."
  );
}

/** What others have made of a cell that shows something else: their value as `{json}`, null where there is nothing to tell. */
function theirsOf(row, name, change) {
  if (row.theirs?.name === name) return row.theirs;
  const staged = change?.kind === "edit" && row.revision !== change.revision ? own(change.cells, name) : undefined;
  const now = row.values.get(name) ?? null;
  return staged && !isSameValue(staged.loaded, now) && !isSameValue(staged.mine, now) ? { json: now } : null;
}

/** Whether two values are the same, as far as they are here: of a long one the type, the size and how it begins. */
export function isSameValue(one, other) {
  const [isLong, isOtherLong] = [one instanceof LongValue, other instanceof LongValue];
  if (!isLong && !isOtherLong) return isSame(one, other);
  if (isLong && isOtherLong && one.preview !== other.preview) return false;
  return typeOfCell(one) === typeOfCell(other) && sizeOf(one) === sizeOf(other);
}

function sizeOf(value) {
  return value instanceof LongValue ? value.size : new TextEncoder().encode(value ?? "").length;
}

function drawCell(table, row, name, change) {
  const { json, loaded, isStaged } = table.cell(row, name);
  const type = typeOfCell(json);
  const cell = make("div", {
    role: "gridcell",
    class: ["cell", `is-${type}`, isStaged && "is-staged"],
    "data-type": type,
  });
  if (!table.canWrite) cell.setAttribute("aria-readonly", "true");
  cell.append(...drawValue(table, name, json, type));
  const theirs = theirsOf(row, name, change);
  if (theirs) {
    const said = `changed by ${row.by ?? "somebody else"} to ${inWordsShort(theirs.json, name)}`;
    cell.classList.add("is-theirs");
    cell.append(hidden(`, ${said}`));
    cell.title = said;
  }
  if (isStaged) {
    const was = row.isNew ? "new" : `edited, was ${inWordsShort(loaded, name)}`;
    cell.append(hidden(`, ${was}`));
    cell.title = theirs ? `${was}; ${cell.title}` : was;
  } else if (change?.problem?.theirs && Object.hasOwn(change.problem.theirs, name)) {
    cell.append(hidden(`, theirs is ${inWordsShort(change.problem.theirs[name], name)}`));
  }
  return cell;
}

function inWordsShort(json, name) {
  const words = json instanceof LongValue ? `${json.type} of ${json.size} bytes` : inWords(json, name);
  return words.length > PREVIEW_CHARACTERS ? `${words.slice(0, PREVIEW_CHARACTERS)}…` : words;
}

function drawValue(table, name, json, type) {
  if (json instanceof LongValue) return drawLong(json);
  if (type === "missing") return [hidden("missing")];
  if (type === "null") return [make("span", { class: "cell-null" }, ["null"])];
  if (json === '""')
    return [make("span", { class: "cell-empty", "aria-hidden": "true" }, ["“”"]), hidden("empty text")];
  if (type === "boolean") {
    const box = make("input", {
      type: "checkbox",
      class: "check",
      tabindex: -1,
      "aria-label": name,
      "data-command": "toggle-cell",
    });
    box.checked = json === "true";
    box.disabled = !table.canWrite;
    return [box];
  }
  if (type === "object" || type === "array") return [drawChip(type, chipText(json), json)];
  if (name === EXPIRES && type === "number") return drawExpiry(json);
  const text = shownText(json);
  const isDoubtful = type === "string" && LOOKS_LIKE_ANOTHER.test(text);
  return [make("span", { class: ["cell-text", isDoubtful && "is-quoted"], dir: "auto" }, [text])];
}

function drawChip(type, text, preview) {
  const words = `Open the ${type === "object" ? "object" : "list"}`;
  return make("span", { class: "cell-nested" }, [
    make(
      "button",
      {
        type: "button",
        class: "cell-chip",
        tabindex: -1,
        "data-command": "open-cell",
        "aria-label": `${type === "object" ? "object" : "list"} of ${text.replace(/\D/g, "") || "nothing"}`,
        title: words,
      },
      [text],
    ),
    make("span", { class: "cell-preview", "aria-hidden": "true" }, [preview.slice(0, PREVIEW_CHARACTERS)]),
  ]);
}

function drawLong(value) {
  const size = value.size >= 10_000 ? `${Math.round(value.size / 1000)} kB` : `${(value.size / 1000).toFixed(1)} kB`;
  const chip = make("span", { class: "chip cell-size" }, [
    value.type === "string" ? size : `${value.type === "object" ? "{ }" : "[ ]"} ${size}`,
  ]);
  return [chip, make("span", { class: "cell-text", dir: "auto" }, [value.preview])];
}

function drawExpiry(json) {
  const left = timeLeft(json, Date.now());
  if (left === null) return [make("span", { class: "cell-text" }, [json])];
  const moment = momentFrom(json);
  return [
    make("time", { class: "cell-text", title: `${zoneText(moment)}. In UTC: ${utcText(moment)} (${json})` }, [
      localText(moment),
    ]),
    make("span", { class: ["cell-countdown", left === "expired" && "is-over"], "data-expires": json }, [left]),
  ];
}

function hidden(text) {
  return make("span", { class: "visually-hidden" }, [text]);
}
