/** Forms whose address has moments in UTC: their fields show the time zone of the browser. `data-without-empty` leaves out empty ones. */

import { zoneText } from "../lib/moments.js";
import { toLocal, toUtc } from "../lib/utc_fields.js";

// A browser takes long to learn of its zone, which is no reason to wait for the page.
const whenIdle = window.requestIdleCallback ?? setTimeout;

for (const form of document.querySelectorAll("form[data-local-times]")) {
  for (const field of form.querySelectorAll("input[type=datetime-local]")) field.value = toLocal(field.defaultValue);
  whenIdle(() => {
    for (const zone of form.querySelectorAll("[data-zone]")) {
      const text = zoneText(new Date());
      zone.textContent = text.split(", ").at(-1);
      zone.title = text;
    }
  });
  form.addEventListener("formdata", ({ formData }) => {
    for (const field of form.querySelectorAll("input[type=datetime-local]"))
      formData.set(field.name, toUtc(formData.get(field.name)));
    if (!("withoutEmpty" in form.dataset)) return;
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
}
