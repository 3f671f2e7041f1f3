/** The fields of an item, or of an object or list inside it: typed, folded where they hold more, with a line for one more. */

import { guessType, joinFields, typeForColumn } from "../../lib/item_fields.js";
import { splitList, splitObject } from "../../lib/json_text.js";
import { chipText, readAs, textForType, typeOf } from "../../lib/json_values.js";
import { icon, make } from "./dom.js";
import { createExpiryField } from "./expiry_field.js";
import {
  booleanControl,
  complainOf,
  drawName,
  drawRemove,
  drawType,
  nullControl,
  textControl,
} from "./item_controls.js";
import { EXPIRES } from "./table_state.js";

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
  const nameField = drawName(name, options.suggestions);
  const select = drawType(name, state.type, options.isReadOnly);
  const place = make("div", { class: "item-value" });
  const fault = make("p", { class: "item-fault", id: `item-fault-${made}`, hidden: true });
  const remove = options.isReadOnly ? [] : [drawRemove(name, onRemove)];
  const element = make("div", { class: "item-field" }, [nameField, place, select, ...remove, fault]);
  const complain = (message) => complainOf(element, fault, message);
  const nameNow = () => name ?? nameField.value.trim();

  function put(value, isChosen = false) {
    state.control = controlFor(value, state, nameNow(), { ...options, isChosen });
    state.control.element.addEventListener("input", written);
    place.replaceChildren(state.control.element);
  }

  function written() {
    complain(null);
    if (!state.isChosen && state.control.text) select.value = state.type = guessType(state.control.text());
    onWrite();
  }

  /** What is there is kept as far as the new type can say it. */
  function choose(type) {
    const before = state.control.read().json ?? (state.control.text ? JSON.stringify(state.control.text()) : null);
    state.isChosen = true;
    state.type = select.value = type;
    if (before === null || before === '""') put(null, true);
    else put(readAs(textForType(before, type), type).json ?? null);
    state.control.focus();
  }

  select.addEventListener("change", () => choose(select.value));
  if (isBlank) {
    nameField.addEventListener("input", () => {
      place.querySelector("[aria-label]")?.setAttribute("aria-label", nameNow() || "Value");
      written();
    });
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
  put(json);

  return {
    element,
    complain,
    focus: () => (isBlank && nameField.value === "" ? nameField.focus() : state.control.focus()),
    read() {
      const read = state.control.read();
      const isUnwritten = isBlank && nameNow() === "" && state.control.text?.() === "";
      // Who names an attribute wants it, if with an empty text.
      if (isBlank && read.json === null && state.type === "string") read.json = '""';
      return { name: nameNow(), ...read, isBlank: isUnwritten };
    },
  };
}

/** What holds a value of the state's type. */
function controlFor(json, state, name, options) {
  const label = name || "Value";
  if (options.isItem && name === EXPIRES && (state.type === "number" || json === null))
    return createExpiryField(json, { isReadOnly: options.isReadOnly });
  if (state.type === "object" || state.type === "array") return nestedControl(json, state.type, label, options);
  if (state.type === "boolean") return booleanControl(json, label, options);
  return state.type === "null" ? nullControl() : textControl(json, () => state.type, label, options);
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
