/**
 * The table is live: what others change, add and delete appears in it. A stream tells which items are others now, and these are read
 * as rows, so that the query decides which belong here. Nothing moves under the cursor, and what is staged stays as it is.
 */

import { formatCount } from "../../lib/formatting.js";
import { createWaiting, letGo, takeOver, waitingWords } from "../../lib/live_changes.js";
import { isInvalid, RequestError, withQuery } from "../../lib/requests.js";
import { isTemporary } from "../../lib/retries.js";
import { rowId, settle } from "../../lib/staged_changes.js";
import { readSort } from "../../lib/table_columns.js";
import { placeInOrder } from "../../lib/value_order.js";
import { addCommands } from "../commands.js";
import { createLiveStream } from "../live_stream.js";
import { isSameValue } from "./cells.js";
import { announce } from "./dom.js";
import { createFlashes } from "./flashes.js";
import { KEY } from "./table_state.js";

const WAITING_MOST = 1_000; // changes; with more of them the rows are read anew
const LOOK_MS = 500; // between two readings of rows
const TROUBLE_MS = 5_000; // after one that failed
const EDITING_MS = 1_000; // between two looks whether an editor is still open
const RELOAD_MS = 5_000; // between two readings of all of them
const LEAVING_MS = 1_800; // that a row is seen to go
const COUNT_MS = 2_000;
const SAY_MS = 10_000;

export function createLiveRows(table, view, { loader, saving, status }) {
  const { liveUrl, cursor, person, baseId } = table.root.dataset;
  const pill = document.getElementById("live-pill");
  const hold = document.getElementById("hold-still");
  const storageKey = `homeport:held:${person}:${baseId}`;
  const waiting = createWaiting(WAITING_MOST);
  const flashes = createFlashes(table, view);
  const apart = new Set(); // keys of new items that have no place among the rows, or would move the cursor's
  let state = "asleep";
  let why = null;
  let isHeld = readHeld();
  let isAsking = false;
  let isStale = false;
  let timer = 0;
  let [lookedAt, reloadedAt, saidAt] = [-LOOK_MS, -RELOAD_MS, -SAY_MS];
  let [sweepTimer, countTimer] = [0, 0];
  let countAfterMs = COUNT_MS;
  let sends = 0;

  const stream = createLiveStream({
    address: (place) => withQuery(liveUrl, { since: place ?? cursor }),
    onMessage(notice) {
      waiting.add(notice);
      tell();
      lookSoon();
    },
    /** Too much has happened since: the rows are read anew. */
    onRefused({ status: found, body }) {
      if (found !== 410) return null;
      isStale = true;
      return body?.cursor ?? null;
    },
    onState(next, error) {
      state = next;
      why = error ?? null;
      tell();
      lookSoon();
    },
  });

  // What is said.

  function tell() {
    table.emit("live", isHeld ? heldWords() : liveWords());
    hold.setAttribute("aria-pressed", String(isHeld));
  }

  function heldWords() {
    const count = waiting.isFull || waiting.size > 0 ? `, ${waitingWords(waiting, WAITING_MOST)}` : "";
    return { words: `held still${count}`, isLive: false };
  }

  function liveWords() {
    if (state === "live") return { words: "live", isLive: true };
    if (state === "lost") return { words: "connection lost, trying again", isLive: false };
    if (state === "over") return { words: why?.isSignedOut ? "not live: signed out" : "not live", isLive: false };
    return null;
  }

  function drawPill() {
    const hadFocus = pill === document.activeElement;
    const isNew = pill.hidden && apart.size > 0;
    pill.hidden = apart.size === 0;
    pill.textContent =
      apart.size >= WAITING_MOST
        ? `${WAITING_MOST.toLocaleString("en")}+ new items`
        : formatCount(apart.size, "new item");
    if (hadFocus && pill.hidden) view.focusCursor();
    if (!isNew || performance.now() < saidAt + SAY_MS) return;
    saidAt = performance.now();
    announce(pill.textContent);
  }

  // Looking at what waits.

  function canLook() {
    return !isHeld && state !== "over" && !document.hidden && !loader.state.isLoading && !saving.isSending();
  }

  function lookSoon() {
    if (timer || isAsking || !canLook()) return;
    if (!isBehind() && waiting.size === 0) return;
    const nextAt = isBehind() ? reloadedAt + RELOAD_MS : lookedAt + LOOK_MS;
    timer = setTimeout(look, Math.max(isBehind() && table.isEditing ? EDITING_MS : 0, nextAt - performance.now()));
  }

  /** Whether too much has changed to look at it row by row. */
  function isBehind() {
    return isStale || waiting.isFull;
  }

  async function look() {
    timer = 0;
    if (!canLook()) return;
    isAsking = true;
    try {
      if (!isBehind()) await readWaiting();
      // An open editor is not to lose its row.
      else if (!table.isEditing) await reload();
    } finally {
      isAsking = false;
      lookSoon();
    }
  }

  async function readWaiting() {
    const before = waiting.size;
    const shown = new Map(table.rows.map((row) => [row.key, row]));
    waiting.drop((notice) => isKnown(notice, shown.get(notice.key)));
    if (waiting.size < before) recountSoon();
    const asked = waiting.take();
    if (asked.length === 0) return;
    lookedAt = performance.now();
    const sentBefore = sends;
    try {
      const rows = await loader.fetchRows(asked.map(({ key }) => key));
      // What was saved, or is being loaded, may be newer than what came.
      if (rows !== null && canLook() && sends === sentBefore) take(asked, rows);
      else waiting.putBack(asked);
    } catch (error) {
      const isBrokenOff = error.name === "AbortError";
      if (!isBrokenOff && !(error instanceof RequestError)) throw error;
      if (isBrokenOff || !isInvalid(error)) waiting.putBack(asked);
      if (!isBrokenOff) lookedAt = performance.now() + TROUBLE_MS;
    }
  }

  /** One's own change, or one that a page of rows had in it already. */
  function isKnown({ key, revision, gone }, row) {
    return gone ? !row && !apart.has(key) : row?.revision === revision;
  }

  async function reload() {
    isStale = false;
    reloadedAt = performance.now();
    waiting.clear();
    const error = await loader.restart({ limit: Math.min(Math.max(table.rows.length, 100), WAITING_MOST) });
    if (error === null) table.emit("ran");
    else isStale = isTemporary(error);
  }

  // What rows become.

  const isProtected = (id) => table.selected.has(id) || table.change(id) !== undefined || table.cursor?.id === id;

  function take(asked, found) {
    const byKey = new Map(found.map((row) => [row.key, row]));
    const shown = new Map(table.rows.map((row) => [row.id, row]));
    const next = new Map();
    const fresh = [];
    for (const { key } of asked) {
      const row = shown.get(rowId(key));
      const now = byKey.get(key);
      if (row && row.revision !== now?.revision) next.set(row.id, becomes(row, now));
      else if (now?.matches && !row) fresh.push(now);
      else apart.delete(key);
    }
    loader.addColumnsOf([...fresh, ...next.values()]);
    tellStaged(next);
    view.keepStill(() =>
      table.setRows(
        withFresh(
          table.rows.map((row) => next.get(row.id) ?? row),
          fresh,
        ),
      ),
    );
    drawPill();
    sweepSoon();
    if (table.q !== "" || fresh.length > 0 || [...next.values()].some(({ leaves }) => leaves)) recountSoon();
  }

  function becomes(row, now) {
    if (!now) return { ...letGo(row), leaves: "gone" };
    const { row: taken, changed } = takeOver(row, now, heldIn(row.id), isSameValue);
    const isSeen = (name) => !table.cell(row, name).isStaged;
    flashes.add(row.id, changed.filter(isSeen));
    const sorted = readSort(table.sort).map(({ name }) => name);
    // It may belong behind what is loaded now, and another one here.
    if (changed.some((name) => sorted.includes(name))) loader.shift(-1);
    return now.matches ? taken : { ...taken, leaves: "unmatched" };
  }

  /** The attribute whose cell the cursor is in; what is staged there stands for itself. */
  function heldIn(id) {
    const { cursor: at } = table;
    return at?.id === id && !table.cell(table.row(id), at.name).isStaged ? at.name : null;
  }

  /** What is staged for an item that is gone says so, and no more once it is back. */
  function tellStaged(next) {
    const entries = [];
    for (const [id, { leaves }] of next) {
      const change = table.change(id);
      if (!change) continue;
      const { problem, ...rest } = change;
      const gone = { outcome: "gone", theirs: {}, why: "", revision: null };
      if (leaves === "gone") entries.push([id, change.kind === "delete" ? undefined : { ...rest, problem: gone }]);
      else if (problem?.outcome === "gone") entries.push([id, rest]);
    }
    if (entries.length > 0) table.setStaged(settle(table.staged, entries), { why: "live" });
  }

  /** New rows go where they belong, if that is within what is loaded and moves nothing that one is at. */
  function withFresh(rows, fresh) {
    const put = [...rows];
    for (const row of fresh) {
      const place = placeOf(put, row);
      if (place === null) {
        if (apart.size < WAITING_MOST) apart.add(row.key);
        continue;
      }
      put.splice(place, 0, row);
      apart.delete(row.key);
      flashes.add(row.id, null);
      loader.shift(1);
    }
    return put;
  }

  function placeOf(rows, row) {
    const place = placeInOrder(rows, row, table.sort);
    if (place === null || (place === rows.length && !isWholeLoaded())) return null;
    const position = place === rows.length ? table.shown.length : table.indexOf(rows[place].id);
    return view.staysStill(position, 1) ? place : null;
  }

  const isWholeLoaded = () => loader.state.last === null && loader.state.note === "";

  /** Rows that are about to go do so when they were seen to, and nobody needs them. */
  function sweepSoon() {
    if (sweepTimer === 0 && table.rows.some(({ leaves }) => leaves)) sweepTimer = setTimeout(sweep, LEAVING_MS);
  }

  function sweep() {
    sweepTimer = 0;
    const gone = new Set();
    for (const { id, leaves } of table.rows)
      if (leaves && !isProtected(id) && view.staysStill(table.indexOf(id), -1)) gone.add(id);
    if (gone.size === 0) return;
    loader.shift(-gone.size);
    view.keepStill(() => table.setRows(table.rows.filter(({ id }) => !gone.has(id))));
  }

  /** Nobody is at a cell any more whose value was held: it shows what it has become. */
  function release() {
    const held = table.rows.filter(({ id, theirs }) => theirs && heldIn(id) !== theirs.name);
    if (held.length > 0) {
      for (const { id, theirs } of held) flashes.add(id, [theirs.name]);
      const next = new Map(held.map((row) => [row.id, letGo(row)]));
      table.setRows(table.rows.map((row) => next.get(row.id) ?? row));
    }
    sweepSoon();
  }

  function recountSoon() {
    if (countTimer !== 0) return;
    countTimer = setTimeout(async () => {
      const began = performance.now();
      await status.recount();
      countAfterMs = Math.max(COUNT_MS, 10 * (performance.now() - began));
      countTimer = 0;
    }, countAfterMs);
  }

  // What a person does.

  function readHeld() {
    try {
      return localStorage.getItem(storageKey) !== null;
    } catch {
      return false;
    }
  }

  function toggleHold() {
    isHeld = !isHeld;
    try {
      if (isHeld) localStorage.setItem(storageKey, "");
      else localStorage.removeItem(storageKey);
    } catch {
      // Without storage it is held as long as the page lasts.
    }
    announce(isHeld ? "The table is held still" : "The table is live");
    tell();
    lookSoon();
  }

  /** Load what the pill counts: into its place, or on top where that is not among the rows. */
  async function showNew() {
    const wanted = createWaiting(WAITING_MOST);
    for (const key of apart) wanted.add({ key, revision: "", gone: false });
    const found = [];
    try {
      while (wanted.size > 0) found.push(...((await loader.fetchRows(wanted.take().map(({ key }) => key))) ?? []));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return table.emit("request-failed", error);
    }
    apart.clear();
    const fresh = found.filter(({ id, matches }) => matches && table.indexOf(id) === -1);
    loader.addColumnsOf(fresh);
    const rows = [...table.rows];
    for (const row of fresh) {
      const place = placeInOrder(rows, row, table.sort) ?? rows.length;
      const isWithin = place < rows.length || isWholeLoaded();
      rows.splice(isWithin ? place : 0, 0, row);
      flashes.add(row.id, null);
    }
    loader.shift(fresh.length);
    table.setRows(rows);
    drawPill();
    if (fresh.length > 0) table.setCursor({ id: fresh[0].id, name: KEY });
    return recountSoon();
  }

  table.on("loading sending", lookSoon);
  table.on("sending", () => {
    sends += 1;
  });
  table.on("ran", () => {
    apart.clear();
    drawPill();
  });
  table.on("cursor selection staged", () => {
    release();
    lookSoon();
  });
  table.grid.addEventListener("focusout", sweepSoon);
  document.addEventListener("visibilitychange", lookSoon);
  addCommands({ "hold-still": toggleHold, "show-new-rows": showNew });

  return {
    /** From now on. What is of an earlier moment does not change. */
    begin() {
      if (cursor === "") return;
      hold.hidden = false;
      tell();
      stream.open();
    },
  };
}
