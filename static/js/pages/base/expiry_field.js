/** The field for `__expires`: a date as people type it, the browser's own picker beside it, and what it comes to in UTC. */

import { timeLeft } from "../../lib/json_values.js";
import {
  forPicker,
  isDayFirst,
  later,
  localText,
  momentFrom,
  readMoment,
  utcText,
  zoneText,
} from "../../lib/moments.js";
import { make } from "./dom.js";

/** @type {[string, number, string][]} */
const CHOICES = [
  ["In 1 h", 1, "hour"],
  ["In 1 d", 1, "day"],
  ["In 30 d", 30, "day"],
];

/**
 * @param {string|null} json what is stored, null for an item that never expires
 * @param {{typed?: string|null, isReadOnly?: boolean, onChange?: () => void, onChoose?: () => void}} [options] `typed`: what is there
 *   in place of the value; `onChoose` hears of a choice that needs no more than a press
 */
export function createExpiryField(json, { typed = null, isReadOnly = false, onChange, onChoose } = {}) {
  const moment = momentFrom(json);
  const first = json === null || json === "null" ? "" : moment ? localText(moment) : json;
  const text = make("input", {
    class: "input data",
    "aria-label": "Date and time",
    placeholder: "never",
    autocomplete: "off",
    spellcheck: "false",
  });
  const picker = make("input", { type: "datetime-local", class: "input", "aria-label": "Pick a date and time" });
  const says = make("p", { class: "expiry-says", role: "status" });
  text.readOnly = picker.readOnly = isReadOnly;
  text.value = typed ?? first;

  /** @returns {{json?: string|null, fault?: {message: string}}} null for never */
  function read() {
    const said = text.value.trim();
    if (said === first) return { json };
    if (said === "" || said.toLowerCase() === "never") return { json: null };
    const found = readMoment(said, new Date(), { isDayFirst: isDayFirst(navigator.language) });
    return found === null || momentFrom(found) === null
      ? { fault: { message: "This is no date. Write it like 2026-12-24 18:00, tomorrow 9:00 or in 3 days" } }
      : { json: found };
  }

  function tell({ isPicked = false } = {}) {
    const { json: found, fault } = read();
    const date = momentFrom(found ?? null);
    text.toggleAttribute("aria-invalid", Boolean(fault));
    says.classList.toggle("is-fault", Boolean(fault));
    if (!isPicked) picker.value = date ? forPicker(date) : "";
    if (fault) says.textContent = `${fault.message}.`;
    else if (!date) says.textContent = "It never expires.";
    else says.textContent = `${zoneText(date)}. In UTC: ${utcText(date)}, ${timeLeft(found, Date.now())}.`;
    onChange?.();
  }

  function set(words) {
    text.value = words;
    tell();
    onChoose?.();
  }

  text.addEventListener("input", () => tell());
  picker.addEventListener("input", () => {
    text.value = picker.value.replace("T", " ");
    tell({ isPicked: true });
  });
  const choice = (label, action) => {
    const button = make("button", { type: "button", class: "button" }, [label]);
    button.addEventListener("click", action);
    return button;
  };
  const choices = isReadOnly
    ? []
    : [
        choice("Never", () => set("")),
        ...CHOICES.map(([label, count, unit]) =>
          choice(label, () => set(localText(momentFrom(later(new Date(), count, unit))))),
        ),
      ];
  const element = make("div", { class: "expiry-field" }, [
    make("div", { class: "expiry-inputs" }, [text, picker]),
    says,
    make("div", { class: "expiry-choices", role: "group", "aria-label": "Expires" }, choices),
  ]);
  tell();
  return {
    element,
    read,
    text: () => text.value,
    focus: () => {
      text.focus();
      if (typed === null) text.select();
    },
  };
}
