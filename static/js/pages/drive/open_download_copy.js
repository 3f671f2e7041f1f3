/** What is done with files and folders that changes nothing: open, download, details, copy. */

import { isFolder, labelOf } from "../../lib/drive_paths.js";
import { fileUrl } from "../../lib/drive_urls.js";
import { formatCount, formatSize } from "../../lib/formatting.js";
import { copyText } from "../clipboard.js";
import { addCommands } from "../commands.js";
import { showToast } from "../toasts.js";
import { askServer, base } from "./context.js";
import { askInDialog, showError } from "./dialogs.js";
import { chosenNames, rowOf, selectNone } from "./file_rows.js";
import { namesByKind, selection } from "./selection.js";

addCommands({
  open: () => rowOf(chosenNames()[0])?.querySelector("[data-open]").click(),
  download: () => download(selection()),
  details: () => showDetails(selection()[0]),
  "copy-name": () =>
    say(
      copyText(selection().join("\n")),
      selection().length === 1 ? "Name copied." : `${selection().length} names copied.`,
    ),
  "copy-curl": () => copyCode("curl"),
  "copy-python": () => copyCode("python"),
  "copy-javascript": () => copyCode("javascript"),
  "select-none": () => selectNone(),
  keys: () => askInDialog("show-keys", () => {}),
});

/** One file as it is; several, or a folder, as a zip that the browser takes as a download of its own. */
function download(names) {
  if (names.length === 0) return;
  if (names.length === 1 && !isFolder(names[0])) {
    const link = document.createElement("a");
    link.href = fileUrl(base, "file", names[0]);
    link.download = "";
    link.click();
    return;
  }
  const form = document.getElementById("zip-form");
  form.action = `${base}zip/`;
  form.elements.chosen.value = JSON.stringify(namesByKind(names));
  form.submit();
  showToast("The browser downloads the zip and shows its progress.");
}

async function showDetails(name) {
  const row = rowOf(name);
  await askInDialog("show-details", async (slots) => {
    slots.title.textContent = labelOf(name);
    const facts = [["Name", name]];
    if (row) facts.push(["Type", row.querySelector(".drive-type").textContent]);
    if (row?.dataset.size) facts.push(["Size", row.querySelector(".drive-size span").title]);
    if (row?.querySelector("time")) facts.push(["Modified", row.querySelector("time").title]);
    if (isFolder(name)) facts.push(["Contains", "Counting …"]);
    slots.details.replaceChildren(...facts.flatMap(makeFact));
    if (!isFolder(name)) return;
    try {
      const counts = await askServer("POST", "counts/", { names: [], folders: [name] });
      slots.details.lastElementChild.textContent = describeCounts(counts);
    } catch (error) {
      slots.details.lastElementChild.textContent = error.message;
    }
  });
}

function makeFact([term, text]) {
  const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
  dt.textContent = term;
  dd.textContent = text;
  return [dt, dd];
}

/** "1,204 files in 3 folders, 3.2 GB". */
export function describeCounts({ files, folders, size_bytes: size }) {
  return `${formatCount(files, "file")}${folders > 0 ? ` in ${formatCount(folders, "folder")}` : ""}, ${formatSize(size)}`;
}

async function copyCode(language) {
  try {
    const lines = await askServer("GET", `copy/?name=${encodeURIComponent(selection()[0])}`);
    await say(copyText(lines[language]), "Copied. The data key is read from the environment.");
  } catch (error) {
    showError(error);
  }
}

async function say(copying, text) {
  showToast((await copying) ? text : "This browser does not allow copying.");
}
