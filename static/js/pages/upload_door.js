/**
 * The door “Upload files”: files are chosen or dropped first, then the form is sent, and its answer, the page of a Drive, takes
 * this page's place without a reload, which the files would not survive.
 */

import { fetchDocument } from "../lib/requests.js";
import { showToast } from "./toasts.js";

const door = document.querySelector("[data-chooses-files]");
const { form } = door;
const field = Object.assign(document.createElement("input"), { type: "file", multiple: true });

door.addEventListener("click", (event) => {
  event.preventDefault();
  if (form.reportValidity()) field.click();
});
field.addEventListener("change", () => go([...field.files]));

door.addEventListener("dragover", (event) => event.preventDefault());
door.addEventListener("drop", (event) => {
  event.preventDefault();
  if (form.reportValidity()) go([...event.dataTransfer.files]);
});

async function go(files) {
  if (files.length === 0) return;
  const body = new FormData(form);
  body.set(door.name, door.value);
  try {
    const page = await fetchDocument(form.action, { method: "POST", body });
    const { upload } = await open(page, page.querySelector("#drive").dataset.base);
    upload({ files: files.map((file) => ({ file, path: file.name })) });
  } catch (error) {
    showToast(error.message, { isError: true });
  }
}

/** The scripts of a Drive's page find their elements when they are loaded. Back leads to the page before this one. */
async function open(page, address) {
  document.title = page.title;
  document.getElementById("content").replaceWith(document.adoptNode(page.getElementById("content")));
  history.replaceState(null, "", address);
  return import("./drive.js");
}
