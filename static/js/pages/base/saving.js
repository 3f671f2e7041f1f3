/**
 * Saving and deleting: one request that is sent again, the same, until the server has answered it, so that a broken
 * connection or a page that was closed loses nothing and applies nothing twice.
 */

import { formatCount } from "../../lib/formatting.js";
import { splitObject } from "../../lib/json_text.js";
import { RequestError, requestJson } from "../../lib/requests.js";
import { isTemporary, retryDelay } from "../../lib/retries.js";
import { placeAmong, placesOf } from "../../lib/row_order.js";
import { applyAnswer, buildRequest, inverse, newSaveId, outcomeWords } from "../../lib/save_requests.js";
import { count, rowId, settle } from "../../lib/staged_changes.js";
import { addCommands } from "../commands.js";
import { showToast } from "../toasts.js";
import { announce, make } from "./dom.js";
import { KEY, LongValue, rowOf } from "./table_state.js";

export function createSaving(table, { loader, drafts, view }) {
  const { saveUrl, signInUrl } = table.root.dataset;
  const notice = document.getElementById("save-notice");
  let isSending = false;
  let wakeUp = null;

  const isEdit = (change) => change.kind !== "delete";
  const isDelete = (change) => change.kind === "delete";

  async function save() {
    if (isSending) return;
    if (count(table.staged).edits === 0) return announce("Nothing is staged");
    const outcome = await sendAll(isEdit);
    if (outcome && outcome.saved.length + outcome.failed.length === 0) return table.emit("failed", unsolved());
    if (outcome) report(outcome, "Saved");
    return undefined;
  }

  /** What is not sent until a person has decided. */
  function unsolved() {
    return [...table.staged.changes].filter(([, { problem }]) => problem).map(([id, change]) => ({ id, change }));
  }

  /** One row alone, as whoever is at its form wants it. */
  async function saveRow(id) {
    const change = table.change(id);
    if (!change) return announce("Nothing to save");
    if (isSending) return undefined;
    const outcome = await sendAll((other) => other === change);
    if (outcome) report(outcome, "Saved");
    return undefined;
  }

  /** Send what belongs, request by request; everything the answers said, or null when it ended without one. */
  async function sendAll(belongs) {
    const all = { saved: [], failed: [] };
    const tried = new Set();
    for (;;) {
      const request = buildRequest(withoutTried(table.staged, tried), newSaveId(), belongs);
      if (request === null) return all;
      for (const [id] of request.sent) tried.add(id);
      const outcome = await send(request);
      if (outcome === null) return null;
      all.saved.push(...outcome.saved);
      all.failed.push(...outcome.failed);
    }
  }

  function withoutTried(staged, tried) {
    return { ...staged, changes: new Map([...staged.changes].filter(([id]) => !tried.has(id))) };
  }

  async function send(request) {
    isSending = true;
    drafts.setSending(request);
    try {
      const answer = await sendUntilAnswered(request);
      if (answer === null) return null;
      const outcome = applyAnswer(table.staged, request.sent, answer.results);
      drafts.setSending(null);
      settleRows(outcome);
      table.setStaged(outcome.staged, { why: "saved" });
      tell(null);
      return outcome;
    } finally {
      isSending = false;
      table.emit("sending");
    }
  }

  async function sendUntilAnswered({ body }) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await requestJson(saveUrl, { method: "POST", body, headers: { "Content-Type": "application/json" } });
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        // A full disk is made room on by somebody else, while the page waits.
        if (!isTemporary(error) && error.status !== 507) return giveUp(error);
        const waitMs = retryDelay(attempt, error.retryAfterMs);
        tell(
          `${error.status === 0 ? "The server does not answer" : "The server cannot save at the moment"}. Nothing is lost: your changes are kept here and sent again. Nothing is saved twice.`,
          "Try now",
          () => wakeUp?.(),
        );
        await new Promise((resolve) => {
          wakeUp = resolve;
          setTimeout(resolve, waitMs);
        });
      }
    }
  }

  /** It was refused as a whole: nothing of it is stored. Everything stays staged. */
  function giveUp(error) {
    const isAuthority = error.isSignedOut || (error.status === 403 && error.messages.length === 0);
    // Whoever is signed out may sign in again and save: the request is kept and then sent as it was.
    if (!error.isSignedOut) drafts.setSending(null);
    if (isAuthority) {
      const link = make(
        "a",
        {
          href: `${signInUrl}?next=${encodeURIComponent(location.pathname + location.search)}`,
          target: "_blank",
          rel: "opener",
        },
        ["Sign in in a new tab"],
      );
      tell(
        error.isSignedOut
          ? "You are signed out. Nothing is lost: your changes are kept here. Sign in, then come back and save again."
          : "The server refused this: your sign-in has changed, or your role does not allow it.",
        null,
        null,
        link,
      );
    } else {
      tell(
        `Not saved: ${error.messages.join(" ") || `the server answered ${error.status}`}. Your changes are still staged.`,
      );
    }
    return null;
  }

  function tell(text, button = null, action = null, link = null) {
    notice.hidden = text === null;
    notice.replaceChildren();
    if (text === null) return;
    notice.append(make("span", {}, [text, " ", ...(link ? [link] : [])]));
    if (button) {
      const element = make("button", { type: "button", class: "button" }, [button]);
      element.addEventListener("click", action);
      notice.append(element);
    }
  }

  /** What was on its way when the page was left is sent again, the same. */
  async function resume() {
    const request = drafts.sending();
    if (request === null || isSending) return;
    const outcome = await send(request);
    if (outcome) report(outcome, request.sent.every(([, change]) => isDelete(change)) ? "Deleted" : "Saved");
  }

  /** The rows of the table as the answers left them. */
  function settleRows({ saved, failed }) {
    let rows = table.rows;
    const fresh = [];
    for (const { id, change, result } of saved) {
      if (change.kind === "delete") {
        rows = rows.filter((row) => row.id !== id);
        continue;
      }
      const row = rowAfter(id, change, result);
      if (rows.some((each) => each.id === id)) rows = rows.map((each) => (each.id === id ? row : each));
      else if (change.kind === "add") fresh.push({ row, place: change.place });
    }
    for (const { id, result } of failed) {
      if (result.outcome !== "clash" || !result.item) continue;
      rows = rows.map((each) =>
        each.id === id ? rowOf(each.key, String(result.item_revision), splitObject(result.item)) : each,
      );
    }
    moveCursor(saved);
    table.setRows(placeAmong(rows, fresh));
  }

  function rowAfter(id, change, result) {
    if (result.item) return rowOf(result.key ?? change.key, String(result.item_revision), splitObject(result.item));
    const before = table.rows.find((row) => row.id === id);
    const values = new Map(before?.values ?? []);
    const changed =
      change.kind === "add"
        ? Object.entries(change.item)
        : Object.entries(change.cells).map(([name, cell]) => [name, cell.mine]);
    for (const [name, json] of changed) {
      if (json === null) values.delete(name);
      else values.set(name, json);
    }
    const key = result.key ?? change.key;
    return { id: rowId(key), key, revision: String(result.revision), values, more: before?.more ?? 0 };
  }

  /** A new row has another id once it is stored; the cursor and the selection stay with it. */
  function moveCursor(saved) {
    for (const { id, change, result } of saved) {
      if (change.kind !== "add") continue;
      const stored = rowId(result.key);
      if (table.cursor?.id === id) table.cursor = { ...table.cursor, id: stored };
      if (table.anchor?.id === id) table.anchor = { ...table.anchor, id: stored };
      if (table.selected.delete(id)) table.selected.add(stored);
    }
  }

  function report({ saved, failed }, verb, { isUndo = false } = {}) {
    const words = isUndo ? "Undone" : outcomeWords(saved.length, failed.length, verb);
    announce(words);
    view.drawSoon();
    table.emit("stored");
    const merged = saved.filter(({ result }) => result.outcome === "merged").length;
    const text = [words, merged > 0 ? `${formatCount(merged, "item")} had other changes too, which were kept` : ""]
      .filter(Boolean)
      .join(". ");
    if (saved.length > 0) offerUndo(`${text}.`, isUndo ? [] : saved);
    if (failed.length > 0) table.emit("failed", failed);
  }

  function offerUndo(text, saved) {
    if (saved.length === 0) return showToast(text);
    const about = saved.map(({ change, result }) => rowId(result.key ?? change.key));
    return showToast(text, { action: "Undo", about, onAction: () => takeBack(saved) });
  }

  /** The inverse of what was saved, as a save of its own; what somebody changed since is not overwritten, but asked about. */
  async function takeBack(saved) {
    const entries = saved.map(({ id, change, result, item, place }) => {
      const back = { ...asOfNow(inverse({ change, result }, item ?? null)), place };
      return [back.kind === "add" ? `new:${newSaveId()}` : rowId(back.key ?? change.key ?? id), back];
    });
    const busy = entries.filter(([id]) => table.staged.changes.has(id));
    if (busy.length > 0) {
      showToast("The item was edited again. Save or revert that first, then undo.", { isError: true });
      return false;
    }
    table.setStaged(settle(table.staged, entries), { why: "undo-save" });
    const changes = new Set(entries.map(([, change]) => change));
    const outcome = await sendAll((change) => changes.has(change));
    if (outcome) report(outcome, "Undone", { isUndo: outcome.failed.length === 0 });
    return outcome !== null && outcome.failed.length === 0;
  }

  /** What was saved since, and undone, has left the item as it was with another revision. */
  function asOfNow(back) {
    const row = back.kind === "edit" ? table.row(rowId(back.key)) : null;
    const isUntouched = row && Object.entries(back.cells).every(([name, cell]) => cellOf(row, name) === cell.loaded);
    return isUntouched ? { ...back, revision: row.revision } : back;
  }

  const cellOf = (row, name) => row.values.get(name) ?? null;

  const question = document.getElementById("ask-delete");

  /** Ask, with the count; then delete the selected rows and the marked ones, and offer to bring them back. */
  async function askAndDelete() {
    const ids = idsToDelete();
    if (ids.length === 0 || isSending) return;
    const stored = ids.filter((id) => table.change(id)?.kind !== "add");
    const words = formatCount(ids.length, "item");
    question.querySelector("h2").textContent = `Delete ${words}?`;
    question.querySelector(".button-danger").textContent = `Delete ${words}`;
    const keys = ids
      .map((id) => table.row(id)?.key ?? table.change(id)?.key)
      .filter((key) => key !== null && key !== undefined);
    const list = make(
      "ul",
      { class: "delete-list data" },
      keys.slice(0, 5).map((key) => make("li", { dir: "auto" }, [key])),
    );
    if (keys.length > 5)
      list.append(make("li", { class: "quiet" }, [`and ${(keys.length - 5).toLocaleString("en")} more`]));
    const edited = stored.filter((id) => table.change(id)?.kind === "edit").length;
    /** @type {HTMLElement[]} */
    const body = [list];
    if (edited > 0)
      body.push(
        make("p", {}, [`${formatCount(edited, "of them has", "of them have")} staged edits, which are lost too.`]),
      );
    document.getElementById("ask-delete-body").replaceChildren(...body);
    for (const id of ids) view.body.querySelector(`[data-id="${CSS.escape(id)}"]`)?.classList.add("is-to-delete");
    question.returnValue = "";
    question.showModal();
    await new Promise((resolve) => question.addEventListener("close", resolve, { once: true }));
    for (const element of view.body.querySelectorAll(".is-to-delete")) element.classList.remove("is-to-delete");
    view.focusCursor();
    if (question.returnValue === "delete") await deleteRows(ids);
  }

  /** Selected and marked rows, by id. */
  function idsToDelete() {
    const marked = [...table.staged.changes].filter(([, change]) => change.kind === "delete").map(([id]) => id);
    return [...new Set([...marked, ...table.selected])];
  }

  async function deleteRows(ids) {
    const items = new Map();
    for (const id of ids) {
      const row = table.row(id);
      if (!row || row.isNew) continue;
      const whole = await loader.wholeRow(row).catch(() => undefined);
      if (whole === undefined)
        return showToast("The server does not answer, so nothing was deleted. Try again in a moment.", {
          isError: true,
        });
      if (whole)
        items.set(
          id,
          Object.fromEntries([...whole.values].filter(([name, json]) => name !== KEY && !(json instanceof LongValue))),
        );
    }
    const entries = ids.map((id) => {
      const change = table.change(id);
      const row = table.row(id);
      if (change?.kind === "add") return [id, undefined];
      if (change?.kind === "delete")
        return [id, { kind: "delete", key: change.key, revision: change.problem?.revision ?? change.revision }];
      return [id, { kind: "delete", key: row.key, revision: row.revision }];
    });
    const position = table.cursor ? table.indexOf(table.cursor.id) : -1;
    table.setStaged(settle(table.staged, entries), { why: "delete" });
    const asked = new Set(ids);
    const places = placesOf(table.rows, asked);
    const outcome = await sendAll(
      (change) => change.kind === "delete" && [...asked].some((id) => table.change(id) === change),
    );
    if (!outcome) return undefined;
    table.setSelected([...table.selected].filter((id) => !asked.has(id)));
    if (table.cursor && table.indexOf(table.cursor.id) === -1 && table.shown.length > 0) {
      table.setCursor({
        id: table.shown[Math.min(Math.max(position, 0), table.shown.length - 1)].id,
        name: table.cursor.name,
      });
    }
    const saved = outcome.saved.map((each) => ({
      ...each,
      item: items.get(each.id) ?? {},
      place: places.get(each.id),
    }));
    return report({ ...outcome, saved }, "Deleted");
  }

  addCommands({ save, delete: askAndDelete, "save-row": ({ id }) => saveRow(id) });
  return { resume, idsToDelete, isSending: () => isSending };
}
