/** The fields of an item, or of an object or list inside it: typed, folded where they hold more, with a line for one more. */

import { guessType, joinFields, typeForColumn } from "../../lib/item_fields.js";
import { splitList, splitObject } from "../../lib/json_text.js";
import { chipText, readAs, textForType, textOf, typeOf } from "../../lib/json_values.js";
import { icon, make } from "./dom.js";
import { createExpiryField } from "./expiry_field.js";
import { EXPIRES } from "./table_state.js";

/** @type {[string, string][]} */
const TYPES = [
  ["string", "String"],
  ["number", "Number"],
  ["boolean", "Boolean"],
  ["object", "Object"],
  ["array", "Array"],
  ["null", "Null"],
];
const NESTED = new Set(["object", "array"]);
let made = 0;

/**
 * @typedef {{isReadOnly: boolean, isList?: boolean, isItem?: boolean, typesOf?: (name: string) => Record<string, number>, suggestions?: string}} Options
 *   `isItem`: the attributes of an item itself; `suggestions`: the id of a list of names
 * @typedef {{element: HTMLElement, read: () => import("../../lib/item_fields.js").ReadField, focus: () => void,
 *   complain: (message: string|null) => void}} Field
 */

/**
 * @param {{name: string, json: string|null, type?: string}[]} members `json` is null for a field that is empty so far, of that type
 * @param {Options} options
 */
export function createItemFields(members, options) {
  const list = make("div", { class: "item-fields" });
  const element = make("div", { class: "item-level" }, [list]);
  /** @type {Field[]} */
  let fields = [];

  function add(member, before = null) {
    const field = createField(member, options, { onRemove: () => remove(field), onWrite: () => keepBlank(field) });
    fields.splice(before === null ? fields.length : fields.indexOf(before), 0, field);
    list.insertBefore(field.element, before?.element ?? null);
    return field;
  }

  function remove(field) {
    const index = fields.indexOf(field);
    fields = fields.filter((other) => other !== field);
    field.element.remove();
    (fields[index] ?? fields[index - 1])?.focus();
    renumber();
  }

  function renumber() {
    if (!options.isList) return;
    for (const [index, field] of fields.entries()) field.element.querySelector(".item-name").textContent = `${index}`;
  }

  /** A list of names and values ends with an empty line, and with another one as soon as that is written in. */
  function keepBlank(field) {
    if (!options.isReadOnly && !options.isList && field === fields.at(-1)) add({ name: null, json: null });
  }

  for (const member of members) add(member);
  if (!options.isReadOnly && options.isList) {
    const button = make("button", { type: "button", class: "link-button" }, [icon("plus"), "Add an element"]);
    button.addEventListener("click", () => add({ name: String(fields.length), json: null, type: "string" }).focus());
    element.append(button);
  } else if (!options.isReadOnly) {
    add({ name: null, json: null });
  }

  /** @returns {{json?: string, entries?: [string, string][], fault?: {message: string}, field?: Field}} */
  function read() {
    for (const field of fields) field.complain(null);
    const joined = joinFields(
      fields.map((field) => field.read()),
      options.isList ?? false,
    );
    if (!joined.fault) return joined;
    const field = fields[joined.fault.index];
    field.complain(joined.fault.message);
    return { fault: joined.fault, field };
  }

  return { element, read, first: () => fields[0] };
}

/** One field: its name, its type, and what holds its value. @returns {Field} */
function createField({ name, json, type: given }, options, { onRemove, onWrite }) {
  const isBlank = name === null;
  const state = { type: given ?? (json === null ? "string" : typeOf(json)), isChosen: !isBlank, control: null };
  made += 1;
  const faultId = `item-fault-${made}`;
  const nameField = isBlank
    ? make("input", {
        class: "input data item-name",
        "aria-label": "Attribute",
        placeholder: "attribute",
        autocomplete: "off",
        spellcheck: "false",
        list: options.suggestions,
      })
    : make("span", { class: "item-name data", dir: "auto" }, [name]);
  const nameNow = () => (isBlank ? nameField.value.trim() : name);
  const place = make("div", { class: "item-value" });
  const fault = make("p", { class: "item-fault", id: faultId, hidden: true });
  const select = make(
    "select",
    { class: "input item-type", "aria-label": isBlank ? "Its type" : `Type of ${name}` },
    TYPES.map(([value, label]) => make("option", { value }, [label])),
  );
  select.value = state.type;
  select.disabled = options.isReadOnly;
  const drop = make(
    "button",
    { type: "button", class: "button-icon", "aria-label": `Remove ${isBlank ? "the line" : name}`, title: "Remove" },
    [icon("x")],
  );
  drop.addEventListener("click", onRemove);
  const element = make("div", { class: "item-field" }, [
    nameField,
    place,
    select,
    ...(options.isReadOnly ? [] : [drop]),
    fault,
  ]);

  function put(value, isChosen = false) {
    const label = nameNow() || "Value";
    const control =
      options.isItem && nameNow() === EXPIRES && (state.type === "number" || value === null)
        ? createExpiryField(value, { isReadOnly: options.isReadOnly })
        : NESTED.has(state.type)
          ? nestedControl(value, state.type, label, { ...options, isChosen })
          : state.type === "boolean"
            ? booleanControl(value, label, options)
            : state.type === "null"
              ? nullControl()
              : textControl(value, () => state.type, label, options);
    state.control = control;
    control.element.addEventListener("input", written);
    place.replaceChildren(control.element);
  }

  function written() {
    complain(null);
    if (isBlank && !state.isChosen && state.control.text) {
      state.type = guessType(state.control.text());
      select.value = state.type;
    }
    onWrite();
  }

  if (isBlank) {
    nameField.addEventListener("input", written);
    nameField.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
      event.preventDefault();
      state.control.focus();
    });
    // An attribute that others have is of their type.
    nameField.addEventListener("change", () => {
      const types = options.typesOf?.(nameNow()) ?? {};
      if (state.isChosen || state.control.text?.() !== "") return;
      if (options.isItem && nameNow() === EXPIRES) choose("number");
      else if (Object.keys(types).length > 0) choose(typeForColumn(types));
    });
  }
  select.addEventListener("change", () => choose(select.value));

  function choose(type) {
    const read = state.control.read();
    const before = read.json ?? (state.control.text ? JSON.stringify(state.control.text()) : null);
    state.isChosen = true;
    state.type = select.value = type;
    const text = before === null ? "" : textForType(before, type);
    const isEmpty = before === null || before === '""';
    if (isEmpty) put(null, true);
    else put(type === "null" ? "null" : (readAs(text, type).json ?? (type === "string" ? JSON.stringify(text) : null)));
    state.control.focus();
  }

  function complain(message) {
    fault.hidden = message === null;
    fault.textContent = message ?? "";
    for (const input of element.querySelectorAll(":scope > .item-name, :scope > .item-value > :is(input, textarea)")) {
      input.toggleAttribute("aria-invalid", message !== null);
      if (message === null) input.removeAttribute("aria-describedby");
      else input.setAttribute("aria-describedby", faultId);
    }
  }

  put(json);
  return {
    element,
    complain,
    focus: () => (isBlank && nameField.value === "" ? nameField.focus() : state.control.focus()),
    read() {
      const text = state.control.text?.() ?? "";
      const isUnwritten = isBlank && nameNow() === "" && text === "" && !NESTED.has(state.type);
      return { name: nameNow(), ...state.control.read(), isBlank: isUnwritten };
    },
  };
}

function textControl(json, typeNow, label, { isReadOnly }) {
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

function booleanControl(json, label, { isReadOnly }) {
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

function nullControl() {
  const element = make("span", { class: "cell-null", tabindex: -1 }, ["null"]);
  return { element, text: null, focus: () => element.focus(), read: () => ({ json: "null" }) };
}

/** An object or a list, folded: what it holds is laid out when it is opened, and is as it was until then. */
function nestedControl(json, type, label, { isReadOnly, isChosen }) {
  const text = json ?? (type === "object" ? "{}" : "[]");
  const summary = make("summary", { class: "item-summary data" }, [chipText(text)]);
  const element = make("details", { class: "item-nested", "aria-label": label }, [summary]);
  let fields = null;
  function open() {
    if (fields) return;
    const members =
      type === "object"
        ? splitObject(text).map(([name, value]) => ({ name, json: value }))
        : splitList(text).map((value, index) => ({ name: String(index), json: value }));
    fields = createItemFields(members, { isReadOnly, isList: type === "array" });
    element.append(fields.element);
  }
  element.addEventListener("toggle", () => element.open && open());
  if (isChosen || json === "{}" || json === "[]") {
    open();
    element.open = true;
  }
  return {
    element,
    text: null,
    focus: () => summary.focus(),
    read() {
      if (!fields) return { json };
      const read = fields.read();
      if (read.fault) element.open = true;
      if (read.fault) return { fault: { message: `In ${label}: ${read.fault.message}` } };
      return { json: json === null && !isChosen && read.entries.length === 0 ? null : read.json };
    },
  };
}
