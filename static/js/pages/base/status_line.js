/** What is said around the table: when it was fetched, how much there is, how much is staged, and what to do when there is nothing. */

import { formatCount } from "../../lib/formatting.js";
import { timeLeft } from "../../lib/json_values.js";
import { requestJson, withQuery } from "../../lib/requests.js";
import { countAllRows } from "../../lib/row_totals.js";
import { count } from "../../lib/staged_changes.js";
import { runCommand } from "../commands.js";
import { announce, icon, make, withCode } from "./dom.js";

const COUNTED_EXACTLY = 10_000;
// What fewer items than this hold is found soon enough without an index.
const LOOKED_AT_IN_VAIN = 1_000;
const TICK_MS = 15_000;
const QUIET_AFTER_MS = 1_000;

export function createStatusLine(table, { loader, saving, frame }) {
  const facts = document.getElementById("base-facts");
  const counted = document.getElementById("base-count");
  const empty = document.getElementById("base-empty");
  const stop = document.getElementById("stop");
  let totals = null;
  let asked = 0;
  let quietTimer = 0;
  let stagedBefore = null;
  let live = null; // what is said of following others' changes: `{words, isLive}`

  function drawFacts() {
    const { state } = loader;
    stop.hidden = !(state.isLoading && state.last !== null);
    if (state.isLoading) {
      const scanned =
        state.scanned > table.rows.length
          ? `${formatCount(state.scanned, "item")} scanned, found ${table.rows.length.toLocaleString("en")}`
          : `${formatCount(table.rows.length, "item")} so far`;
      return facts.replaceChildren(
        make("span", { class: "spinner", "aria-hidden": "true" }),
        table.rows.length > 0 || state.scanned > 0 ? ` Scanning … ${scanned}` : " Loading …",
      );
    }
    const parts = [
      ...sayWhen(),
      ", ",
      ...sayHowMany(),
      ", took ",
      strong(`${Math.round(state.durationMs).toLocaleString("en")} ms`),
    ];
    if (state.isStopped) parts.push(", ", strong("stopped"), " ", goOn("Continue"));
    else if (state.isFailed) parts.push(", ", strong("the server does not answer"), " ", goOn("Try again"));
    else if (state.last !== null) parts.push(", ", strong("more follow"));
    if (state.sortedBy) parts.push(", sorted by the index of ", make("code", {}, [state.sortedBy]));
    if (state.note) parts.push(`, ${state.note}`);
    parts.push(...describeIndex());
    return facts.replaceChildren(...parts);
  }

  function sayWhen() {
    const { refreshedAt } = loader.state;
    if (live?.isLive) return [make("span", { class: "live-dot", "aria-hidden": "true" }), strong(live.words)];
    return [...(live ? [strong(live.words), ", "] : []), "refreshed ", strong(ago(refreshedAt))];
  }

  /** What was saved here, or came by itself, was not fetched. */
  function sayHowMany() {
    const { fetched } = loader.state;
    if (fetched === table.rows.length) return ["fetched ", strong(formatCount(fetched, "item"))];
    return [strong(formatCount(table.rows.length, "item")), " shown"];
  }

  /** Which index answered; or how much was looked at for want of one. */
  function describeIndex() {
    if (!totals || table.q === "") return [];
    if (totals.index) return [", ", ...withCode(totals.index)];
    if (!totals.wants_index || loader.state.scanned < LOOKED_AT_IN_VAIN) return [];
    const size = totals.held ?? totals.total;
    const all = `${totals.exact || totals.held ? "" : "more than "}${formatCount(size, "item")}`;
    const looked = Math.min(loader.state.scanned, size).toLocaleString("en");
    return [`, looked at ${looked} of ${all}; asked for often, this gets an index`];
  }

  function strong(text) {
    return make("strong", {}, [text]);
  }

  function goOn(label) {
    return make("button", { type: "button", class: "link-button", "data-command": "load-more" }, [label]);
  }

  function ago(moment) {
    const seconds = Math.round((Date.now() - moment) / 1000);
    if (seconds < 10) return "just now";
    if (seconds < 60) return `${seconds} s ago`;
    const minutes = Math.floor(seconds / 60);
    return minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
  }

  /** Who has asked for something hears how much there is; what others do is told to nobody who listens. */
  async function askCount() {
    clearTimeout(quietTimer);
    counted.removeAttribute("aria-live");
    totals = null;
    drawCount();
    // Of an earlier moment nobody keeps a count.
    if (table.root.dataset.asOf) return drawEmpty();
    await recount();
    clearTimeout(quietTimer);
    quietTimer = setTimeout(() => counted.setAttribute("aria-live", "off"), QUIET_AFTER_MS);
    return undefined;
  }

  /** Count again; until that is done the figures stay as they are. */
  async function recount() {
    asked += 1;
    const mine = asked;
    const found = await requestJson(withQuery(table.root.dataset.countUrl, { q: table.q })).catch(() => null);
    if (mine !== asked) return;
    totals = found ?? totals;
    drawFacts();
    drawCount();
    drawSize();
    drawEmpty();
  }

  function amount(total, isExact) {
    return isExact ? total.toLocaleString("en") : `>${COUNTED_EXACTLY.toLocaleString("en")}`;
  }

  function drawCount() {
    if (!totals) return counted.replaceChildren(formatCount(table.rows.length, "row"));
    const total = amount(totals.total, totals.exact);
    if (table.q === "") return counted.replaceChildren(strong(total), totals.total === 1 ? " item" : " items");
    return counted.replaceChildren(
      strong(
        totals.whole
          ? totals.matched.toLocaleString("en")
          : `${table.rows.length.toLocaleString("en")}${loader.state.last === null ? "" : "+"}`,
      ),
      ` of ${total} match`,
    );
  }

  function drawEmpty() {
    const isDone = !loader.state.isLoading && loader.state.last === null && !loader.state.isFailed;
    const isEmpty = isDone && table.shown.length === 0;
    empty.hidden = !isEmpty;
    frame.classList.toggle("is-empty", isEmpty);
    if (!isEmpty) return;
    if (table.q === "") {
      if (empty.querySelector(".code")) return;
      const [title, said] = wordsForNone();
      const lines = [make("h2", {}, [title]), make("p", {}, [said])];
      const snippet = document.getElementById("base-snippet").content.cloneNode(true);
      empty.replaceChildren(
        make("section", { class: "empty" }, [icon("empty"), ...lines, ...(table.canWrite ? [snippet] : [])]),
      );
      return;
    }
    const clauses = (totals?.clauses ?? []).map(({ text }) => make("li", {}, withCode(text)));
    if (totals?.whole === false && clauses.length > 0)
      clauses.push(make("li", { class: "quiet" }, [`Counted in the first ${formatCount(totals.scanned, "item")}.`]));
    if (totals?.index) clauses.push(make("li", { class: "quiet" }, withCode(`${totals.index.replace(/^a/, "A")}.`)));
    const total = totals ? `0 of ${amount(totals.total, totals.exact)} match` : "Nothing matches";
    empty.replaceChildren(
      make("section", { class: "empty" }, [
        icon("search"),
        make("h2", {}, [total]),
        ...(clauses.length > 0 ? [make("ul", { class: "clauses" }, clauses)] : []),
      ]),
    );
  }

  function wordsForNone() {
    const { asOf, asOfFault } = table.root.dataset;
    if (asOfFault !== "") return ["Not known", `${asOfFault}.`];
    if (asOf !== "") return ["No items then", "The Base was empty at that moment."];
    const said = table.canWrite
      ? "Add one here, drop in a CSV or JSON file, or write one from your app:"
      : "Nobody has written an item here yet.";
    return ["No items yet", said];
  }

  function drawButtons() {
    if (!table.canWrite) return;
    const { edits, deletes, changes } = count(table.staged);
    const deleting = saving.idsToDelete().length;
    button(
      "save",
      edits > 0,
      saving.isSending() ? "Saving …" : `Save ${formatCount(edits, "edit")}`,
      saving.isSending(),
    );
    button("undo-all", changes > 0, `Undo ${formatCount(changes, "change")}`, saving.isSending());
    // Marked rows are about to go; selected ones may be meant for something else.
    document.getElementById("delete").className = `button ${deletes > 0 ? "button-danger" : "button-danger-quiet"}`;
    button("delete", deleting > 0, `Delete ${formatCount(deleting, "item")}`, saving.isSending());
    document.title = `${changes > 0 ? "● " : ""}${document.title.replace(/^● /, "")}`;
    const now = `${edits}/${deletes}`;
    if (stagedBefore !== null && stagedBefore !== now && !saving.isSending()) {
      announce(
        [
          edits > 0 ? `${formatCount(edits, "edit")} staged` : "",
          deletes > 0 ? `${formatCount(deletes, "item")} marked for deletion` : "",
        ]
          .filter(Boolean)
          .join(", ") || "Nothing staged",
      );
    }
    stagedBefore = now;
  }

  function button(id, isShown, label, isBusy) {
    const element = document.getElementById(id);
    if (element.hidden === isShown && element.hidden === false && element.contains(document.activeElement))
      runCommand("focus-grid");
    element.hidden = !isShown;
    // A disabled button would lose the focus; a busy one only does nothing.
    element.setAttribute("aria-disabled", String(isBusy));
    element.querySelector("span").textContent = label;
  }

  /** Of all rows, those not loaded yet included; -1 says that nobody has counted them. */
  function drawSize() {
    const rows = countAllRows(totals, {
      hasQuery: table.q !== "",
      isAllLoaded: loader.state.last === null,
      isCut: loader.state.note !== "",
      loaded: table.rows.length,
      shown: table.shown.length,
    });
    table.grid.setAttribute("aria-rowcount", rows === null ? -1 : rows + 1);
  }

  table.on("loading rows", () => {
    drawFacts();
    drawCount();
    drawEmpty();
    drawSize();
  });
  table.on("live", (said) => {
    live = said;
    if (!loader.state.isLoading) drawFacts();
  });
  table.on("staged selection sending", () => {
    table.root.setAttribute("aria-busy", String(saving.isSending()));
    drawButtons();
    drawEmpty();
    drawSize();
  });
  setInterval(() => {
    if (!loader.state.isLoading) drawFacts();
    for (const countdown of table.grid.querySelectorAll("[data-expires]"))
      countdown.textContent = timeLeft(countdown.dataset.expires, Date.now());
  }, TICK_MS);
  stop.addEventListener("click", () => {
    loader.stop();
    drawFacts();
  });

  return { askCount, recount, drawFacts, drawButtons };
}
