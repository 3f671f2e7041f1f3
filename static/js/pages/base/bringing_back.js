/** What was, brought back into the table as staged edits: asked of the server, shown on top where it was not among the rows, and staged. */

import { bringBack, broughtBackWords } from "../../lib/brought_back.js";
import { splitObject } from "../../lib/json_text.js";
import { RequestError, requestJson, withQuery } from "../../lib/requests.js";
import { newSaveId } from "../../lib/save_requests.js";
import { rowId } from "../../lib/staged_changes.js";
import { mergeColumns } from "../../lib/table_columns.js";
import { addCommands } from "../commands.js";
import { handOver, takeOver } from "../handed_over.js";
import { showToast } from "../toasts.js";
import { make } from "./dom.js";
import { KEY, rowOf } from "./table_state.js";
import { offerToUndo } from "./undo_offer.js";

const MOST_ROWS = 100; // of an earlier moment at once, as the server has it

export function createBringingBack(table) {
  const { bringBackUrl, undoUrl, asOf } = table.root.dataset;
  const notice = document.getElementById("history-notice");

  /** @param {Record<string, any>} asked as `console/history/bring_back.py` takes it @returns {Promise<boolean>} whether something was staged */
  async function bring(asked) {
    let found;
    try {
      found = await requestJson(bringBackUrl, { method: "POST", json: asked });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const said = error.messages.length > 0 ? `Not brought back: ${error.messages.join(". ")}.` : error.message;
      showToast(said, { isError: true });
      return false;
    }
    const { rows, unchanged, expired, left_alone: leftAlone = 0 } = found;
    tellOfMore(asked.undo, found);
    if (rows.length === 0) {
      showToast(leftAlone > 0 ? "Nothing can be staged: others changed it since." : "It is so already.");
      return false;
    }
    showColumns(rows);
    showRows(rows);
    table.setStaged(bringBack(table.staged, rows, () => `new:${newSaveId()}`));
    const first = rows.find(({ stored }) => stored === null) ?? rows[0];
    const shown = table.shown.find(({ id, key }) => key === first.key && table.change(id));
    if (shown) table.setCursor({ id: shown.id, name: KEY });
    offerToUndo(table, broughtBackWords(rows, { unchanged, expired, leftAlone }));
    return true;
  }

  function showColumns(rows) {
    const known = new Set(table.columns.map(({ name }) => name));
    const names = new Set(rows.flatMap(({ item, json }) => [...Object.keys(item), ...namesIn(json)]));
    const fresh = [...names].filter((name) => name !== KEY && !known.has(name)).map((name) => ({ name, types: {} }));
    if (fresh.length > 0) table.setColumns(mergeColumns(table.columns, fresh));
  }

  function namesIn(json) {
    return json === null ? [] : splitObject(json).map(([name]) => name);
  }

  /** The items as they stand: in place of what is loaded of them, the others on top. */
  function showRows(rows) {
    const now = new Map(
      rows
        .filter(({ stored }) => stored !== null)
        .map(({ key, stored, json }) => [rowId(key), rowOf(key, stored.revision, splitObject(json))]),
    );
    const there = table.rows.map((row) => {
      const found = now.get(row.id);
      now.delete(row.id);
      return found ?? row;
    });
    table.setRows([...now.values(), ...there]);
  }

  /** Undoing goes on batch by batch: where the next one is stays on the page. */
  function tellOfMore(undo, { last }) {
    notice.hidden = !undo || last === null;
    if (notice.hidden) return;
    const next = withQuery(undoUrl, { by: undo.by, since: undo.since, after: last });
    notice.replaceChildren(
      make("span", {}, ["This is a part of what is to be undone. When it is saved: "]),
      make("a", { href: next }, ["look at the next items"]),
    );
  }

  /** From the table as it was: the selected rows, or the one with the cursor, go to the table of today. */
  function bringRows() {
    const keys = table.meantRows().map(({ key }) => key);
    if (keys.length === 0) return void showToast("Select the rows to bring back first.");
    if (keys.length > MOST_ROWS)
      return void showToast(`At most ${MOST_ROWS} rows at a time: select fewer.`, { isError: true });
    return handOver(table.root, { moment: { as_of: asOf, keys } });
  }

  if (asOf) addCommands({ "bring-rows": bringRows });
  return {
    bring,
    /** What another page left to be staged. */
    async takeOver() {
      const asked = table.canWrite ? takeOver(table.root) : null;
      if (asked !== null) await bring(asked);
    },
  };
}
