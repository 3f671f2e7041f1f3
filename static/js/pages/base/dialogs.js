/** What opens over the table, and is loaded when somebody first touches the page: an item, a value, a row that was not saved. */

import { createClashDialog } from "./clash_dialog.js";
import { createEditorDialog } from "./editor_dialog.js";
import { createItemPanel } from "./item_panel.js";

export function createDialogs(table, view, { loader, edits }) {
  createEditorDialog(table, view, { loader, edits });
  createClashDialog(table, { loader, view });
  createItemPanel(table, view, { loader });
}
