/** The page of one Base: the parts of the table, put together. Each part says at its top what it does. */

import { formatCount } from "../lib/formatting.js";
import { RequestError, withQuery } from "../lib/requests.js";
import { markDeleted, nextStepRows, redo, revertAll, rowId, undo } from "../lib/staged_changes.js";
import { toLocal } from "../lib/utc_fields.js";
import { createBringingBack } from "./base/bringing_back.js";
import { createCellFilters } from "./base/cell_filters.js";
import { createCellMenu } from "./base/cell_menu.js";
import { createCellPaste } from "./base/cell_paste.js";
import { createColumnHeaders } from "./base/column_headers.js";
import { createColumnsMenu } from "./base/columns_menu.js";
import { createCopyPasteImport } from "./base/copy_paste_import.js";
import { announce } from "./base/dom.js";
import { createDrafts } from "./base/drafts.js";
import { createExpiryPopover } from "./base/expiry_popover.js";
import { createGridView } from "./base/grid_view.js";
import { createHeaderFilters } from "./base/header_filters.js";
import { createInlineEditing } from "./base/inline_editing.js";
import { createItemHistory } from "./base/item_history.js";
import { createKeyboardAndPointer } from "./base/keyboard_and_pointer.js";
import { createLiveRows } from "./base/live_rows.js";
import { createManyAtOnce } from "./base/many_at_once.js";
import { createQueryBar } from "./base/query_bar.js";
import { createRowLoader } from "./base/row_loader.js";
import { createSavedViews } from "./base/saved_views.js";
import { createSaving } from "./base/saving.js";
import { createSearchHits } from "./base/search_hits.js";
import { createStagedPanel } from "./base/staged_panel.js";
import { createStatusLine } from "./base/status_line.js";
import { createTableState, KEY } from "./base/table_state.js";
import { addCommands, addLater, runCommand } from "./commands.js";
import { showClocks } from "./local_times.js";
import "./popovers.js";
import "./switcher.js";
import { showToast } from "./toasts.js";
import "./utc_fields.js";

const CHECKED_ROWS = 50; // of the staged ones that are not on the screen, whether they were changed since

const root = document.getElementById("base-page");
const frame = document.getElementById("base-frame");
const table = createTableState(root);
const firstPage = document.getElementById("rows-page");

const loader = createRowLoader(table);
const view = createGridView(table, frame);
const drafts = createDrafts(table);
const saving = createSaving(table, { loader, drafts, view });
const edits = createInlineEditing(table, view);
if (table.canWrite) createExpiryPopover(table, view, { edits });
createQueryBar(table, { loader, frame });
const header = createColumnHeaders(table, view);
createColumnsMenu(table, { header });
const status = createStatusLine(table, { loader, saving, frame });
const keys = createKeyboardAndPointer(table, view, { edits, loader });
const cellMenu = createCellMenu(table, view, { edits, keys, frame });
const filters = createCellFilters(table, { menu: cellMenu, edits, loader });
const bringing = createBringingBack(table);
const itemHistory = createItemHistory(table, view, { bringing });
const headerFilters = createHeaderFilters(table, { filters });
createManyAtOnce(table, { menu: cellMenu });
createSavedViews(table);
createSearchHits(table, view, { frame });
createCopyPasteImport(table, { loader, keys });
if (table.canWrite) createCellPaste(table, view, { loader, menu: cellMenu });
const panel = createStagedPanel(table);
const live = createLiveRows(table, view, { loader, saving, status });

addLater(
  ["open-row", "add-item", "open-cell", "show-problem"],
  () => import("./base/dialogs.js").then(({ createDialogs }) => createDialogs(table, view, { loader, edits })),
  () => showToast("The server does not answer. Try again in a moment.", { isError: true }),
);
addCommands({
  undo: () => step("undo"),
  redo: () => step("redo"),
  "undo-all": () => table.setStaged(revertAll(table.staged)),
  "mark-for-deletion": markForDeletion,
  "remove-values": ({ cells }) => removeValues(cells),
  "load-more": () => loader.goOn(() => view.isFull()),
  "focus-grid": focusGrid,
  "go-to-row": ({ id }) => goTo(id),
  "go-to-problem": ({ id }) => goTo(id) && runCommand("show-problem", { row: table.row(id) }),
  "ask-moment": askMoment,
  "show-keys": () => document.getElementById("keys-dialog").showModal(),
});

function removeValues(cells) {
  const present = cells.filter(({ row, name }) => table.cell(row, name).json !== null);
  if (present.length > 0) edits.stage(present.map(({ row, name }) => ({ row, name, mine: null })));
}

function markForDeletion() {
  const rows = table.meantRows();
  if (rows.length === 0) return;
  table.setStaged(markDeleted(table.staged, rows));
  table.setSelected([]);
}

function step(direction) {
  const rows = nextStepRows(table.staged, direction);
  const next = direction === "undo" ? undo(table.staged) : redo(table.staged);
  if (next === table.staged) return announce(`Nothing to ${direction}`);
  table.setStaged(next);
  const shown = rows.find((id) => table.indexOf(id) !== -1);
  if (shown) table.setCursor({ id: shown, name: table.cursor?.name ?? KEY });
  return undefined;
}

/** The moment to look back to; an hour ago is a start. */
function askMoment() {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("ask-moment"));
  const field = /** @type {HTMLInputElement} */ (document.getElementById("ask-moment-at"));
  if (field.value === "") field.value = toLocal(new Date(Date.now() - 3_600_000).toISOString());
  dialog.querySelector("[name=q]").value = table.q;
  dialog.showModal();
}

function focusGrid() {
  if (table.cursor && table.indexOf(table.cursor.id) !== -1) view.focusCursor();
  else if (table.shown.length > 0) table.setCursor({ id: table.shown[0].id, name: KEY });
  else root.focus();
}

/** Bring a row into view; false, said so, when it is not among the loaded ones. */
function goTo(id) {
  if (table.indexOf(id) === -1) {
    showToast("That item is not among the rows shown. Clear the query, or search for its key.");
    return false;
  }
  table.setCursor({ id, name: table.cursor?.name ?? KEY });
  return true;
}

const need = () => !view.isFull() && loader.loadMore(() => view.isFull());
table.on("scrolled drawn", need);
table.on("ran", () => {
  need();
  status.askCount();
  if (!table.cursor || table.indexOf(table.cursor.id) !== -1) return;
  table.cursor = table.anchor = null;
  // The row with the focus went with it: who came by the keyboard goes on in the grid.
  if (view.body.contains(document.activeElement)) focusGrid();
});
table.on("stored", () => status.askCount());
table.on("failed", (failed) => {
  const first = failed.find(({ id }) => table.indexOf(id) !== -1 && table.change(id)?.problem);
  if (failed.length === 1 && first) runCommand("show-problem", { row: table.row(first.id) });
  else
    showToast(`${formatCount(failed.length, "row")} could not be saved. The warning sign in each row says why.`, {
      isError: true,
    });
});
table.on("request-failed", (error) => {
  if (!(error instanceof RequestError)) return;
  showToast(
    error.isSignedOut
      ? "You are signed out. Your staged changes are kept in this browser. Sign in again to see them."
      : error.message,
    { isError: true },
  );
});

const more = document.getElementById("more-menu");
more.addEventListener("click", (event) => event.target.closest("a") && more.hidePopover());
// Exports are of what the table shows.
more.addEventListener("beforetoggle", () => {
  for (const link of more.querySelectorAll("[data-export]")) {
    const { exportUrl, asOf } = root.dataset;
    link.href = withQuery(exportUrl, { format: link.dataset.export, q: table.q, as_of: asOf });
  }
});

showClocks(document);
loader.adopt(firstPage);
header.draw();
headerFilters.draw();
const wasKept = drafts.open();
status.drawFacts();
status.drawButtons();
panel.draw();
status.askCount();
view.draw();
if (wasKept) checkStaged();
saving.resume();
openFocused();
addFirst();
bringing.takeOver();
itemHistory.openAsked();
live.begin();

/** Staged work of an earlier visit: is what it was made from still there? */
async function checkStaged() {
  const checks = [...table.staged.changes]
    .filter(([, change]) => change.kind !== "add" && (!change.problem || change.problem.outcome === "gone"))
    .slice(0, CHECKED_ROWS);
  let found = 0;
  for (const [id, change] of checks) {
    const row = table.rows.find((each) => each.id === id);
    const current = row ?? (await loader.fetchItem(change.key).catch(() => undefined));
    if (current === undefined || table.change(id) !== change) continue;
    if (current !== null && String(current.revision) === change.revision) continue;
    found += 1;
    const problem = {
      outcome: current === null ? "gone" : "outdated",
      theirs: {},
      why: "",
      revision: current === null ? null : change.revision,
    };
    table.setStaged(
      { ...table.staged, changes: new Map(table.staged.changes).set(id, { ...change, problem }) },
      { why: "checked" },
    );
  }
  const words = `${formatCount(table.staged.changes.size, "row")} with staged changes restored`;
  showToast(found > 0 ? `${words}; ${formatCount(found, "item was", "items were")} changed since.` : `${words}.`);
}

/** `#add-item` begins with a new one. */
function addFirst() {
  if (location.hash !== "#add-item") return;
  history.replaceState(history.state, "", location.pathname + location.search);
  runCommand("add-item");
}

/** `?key=` opens an item: in the table when it is there, else in the editor alone. */
async function openFocused() {
  const { key } = root.dataset;
  if (key === "") return;
  if (table.indexOf(rowId(key)) === -1) {
    const item = await loader.fetchItem(key).catch(() => null);
    if (!item) return void showToast(`There is no item with the key ${key}.`, { isError: true });
    loader.replaceRow(rowId(key), key, item.revision, item.json);
  }
  table.setCursor({ id: rowId(key), name: KEY });
}
