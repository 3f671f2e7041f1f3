/**
 * Forms with data-passkey="create" or "get" ask the browser for a passkey before they are sent: what to ask comes from
 * data-question, what the browser answers goes into the field `answer`. Their buttons are disabled until this script is here.
 */

import { describeFault, readQuestion, writeAnswer } from "../lib/passkey_answers.js";
import { RequestError, requestJson } from "../lib/requests.js";

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("[data-passkey]"))) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const question = readQuestion(await requestJson(form.dataset.question, { method: "POST" }));
      const credential = await navigator.credentials[form.dataset.passkey](question);
      form.querySelector("[name=answer]").value = writeAnswer(credential);
      form.submit();
    } catch (error) {
      showFault(form, error instanceof RequestError ? error.message : describeFault(error));
      button.disabled = false;
    }
  });
  button.disabled = false;
}

function showFault(form, text) {
  const fault = form.querySelector("[data-fault]");
  fault.textContent = text;
  fault.hidden = false;
}
