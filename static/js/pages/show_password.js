/** A password that is chosen can be looked at: each such field gets a box to tick below it. */

for (const field of document.querySelectorAll("input[type=password][autocomplete=new-password]")) {
  const box = Object.assign(document.createElement("input"), { type: "checkbox" });
  const label = document.createElement("label");
  label.className = "show-password";
  label.append(box, " Show the password");
  box.addEventListener("change", () => {
    field.type = box.checked ? "text" : "password";
  });
  field.form.addEventListener("submit", () => {
    field.type = "password";
  });
  field.after(label);
}
