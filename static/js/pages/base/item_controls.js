/**
 * What a field of an item is made of: its name, its type, and what holds its value. What holds a value is
 * `{element, text, focus, read}`; `text` is null where nothing is typed, `read` gives `json` (null for no value) or a fault.
 */

import { readAs, textOf, typeOf } from "../../lib/json_values.js";
import { icon, make } from "./dom.js";

/** @type {[string, string][]} */
const TYPES = [
  ["string", "String"],
  ["number", "Number"],
  ["boolean", "Boolean"],
  ["object", "Object"],
  ["array", "Array"],
  ["null", "Null"],
];

/** The name: fixed, or to be written, for a line that has none yet. @param {string|null} name @param {string} [suggestions] the id of a list of names */
export function drawName(name, suggestions) {
  if (name !== null) return make("span", { class: "item-name data", dir: "auto" }, [name]);
  return make("input", {
    class: "input data item-name",
    "aria-label": "Attribute",
    placeholder: "attribute",
    autocomplete: "off",
    spellcheck: "false",
    list: suggestions,
  });
}

/** @param {string|null} name @param {string} type @param {boolean} isReadOnly */
export function drawType(name, type, isReadOnly) {
  const select = make(
    "select",
    { class: "input item-type", "aria-label": name === null ? "Its type" : `Type of ${name}` },
    TYPES.map(([value, label]) => make("option", { value }, [label])),
  );
  select.value = type;
  select.disabled = isReadOnly;
  return select;
}

/** @param {string|null} name */
export function drawRemove(name, onRemove) {
  const label = name === null ? "Remove the line" : `Remove ${name}`;
  const button = make("button", { type: "button", class: "button-icon", "aria-label": label, title: "Remove" }, [
    icon("x"),
  ]);
  button.addEventListener("click", onRemove);
  return button;
}

/** Say below a field what is wrong with it; nothing for null. */
export function complainOf(element, fault, message) {
  fault.hidden = message === null;
  fault.textContent = message ?? "";
  for (const input of element.querySelectorAll(":scope > .item-name, :scope > .item-value > :is(input, textarea)")) {
    input.toggleAttribute("aria-invalid", message !== null);
    if (message === null) input.removeAttribute("aria-describedby");
    else input.setAttribute("aria-describedby", fault.id);
  }
}

/** @param {string|null} json @param {() => string} typeNow the type that is chosen for it */
export function textControl(json, typeNow, label, { isReadOnly }) {
  const first = json === null ? "" : textOf(json);
  const field = make("textarea", {
    class: "input data",
    rows: 1,
    "aria-label": label,
    dir: "auto",
    spellcheck: "false",
  });
  field.value = first;
  field.readOnly = isReadOnly;
  // Enter goes on to the next field, as in any form; a text may still have several lines.
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (field.value.includes("\n")) return;
    event.preventDefault();
    const fields = [
      ...field.closest("form").querySelectorAll(".item-name:is(input), .item-value :is(input, textarea, select)"),
    ];
    fields[fields.indexOf(field) + 1]?.focus();
  });
  return {
    element: field,
    text: () => field.value,
    focus: () => field.focus(),
    read() {
      if (json !== null && field.value === first && typeOf(json) === typeNow()) return { json };
      return json === null && field.value === "" ? { json: null } : readAs(field.value, typeNow());
    },
  };
}

export function booleanControl(json, label, { isReadOnly }) {
  const choices = json === null ? ["", "true", "false"] : ["true", "false"];
  const field = make(
    "select",
    { class: "input", "aria-label": label },
    choices.map((value) => make("option", { value }, [value || "–"])),
  );
  field.value = json ?? "";
  field.disabled = isReadOnly;
  return { element: field, text: null, focus: () => field.focus(), read: () => ({ json: field.value || null }) };
}

export function nullControl() {
  const element = make("span", { class: "cell-null", tabindex: -1 }, ["null"]);
  return { element, text: null, focus: () => element.focus(), read: () => ({ json: "null" }) };
}
