/** A link to a file: its form is a page of the server's, which comes into the dialog. */

import { isFolder } from "../../lib/drive_paths.js";
import { fileUrl } from "../../lib/drive_urls.js";
import { addCommands } from "../commands.js";
import { base, canWrite } from "./context.js";
import { selection } from "./selection.js";

if (canWrite) addCommands({ share: () => share(selection()) });

function share(names) {
  if (names.length !== 1 || isFolder(names[0])) return;
  window.htmx.ajax("GET", fileUrl(base, "links/new", names[0]), { target: "#dialog", swap: "innerHTML" });
}
