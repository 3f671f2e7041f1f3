/** The recorded requests: new ones appear by themselves, keys move and act, a panel shows one of them. */

import { fetchDocument } from "../lib/requests.js";
import { actionFor, countNew, describeNew, withoutEmpty } from "../lib/visor_list.js";
import { copyText } from "./clipboard.js";
import { createLiveStream } from "./live_stream.js";
import { showClocks } from "./local_times.js";
import { showToast } from "./toasts.js";

const LOOK_MS = 1000; // between two looks at the list
const ROWS = 50;

const panel = document.getElementById("panel");
let isPaused = false;
let waiting = null;
let isAsked = false;
let isFollowing = false;
let selected = panel.querySelector("[data-event]")?.dataset.event ?? "";

const live = () => document.getElementById("visor-live");
const rows = () => [...document.querySelectorAll("#events > tr")];
const ids = (list) => list.map((row) => row.dataset.event);

let timer = 0;
let lookedAt = -LOOK_MS;

/** A stream tells that the list is another one. However often it does, it is asked for once in a while. */
function lookSoon() {
  if (timer) return;
  timer = setTimeout(
    async () => {
      lookedAt = performance.now();
      await look().catch(() => {
        isAsked = isFollowing;
      });
      timer = 0;
      if (isAsked) lookSoon();
    },
    Math.max(0, lookedAt + LOOK_MS - performance.now()),
  );
}

/** Ask for the list, which is answered 204 while the filter shows nothing new. */
async function look() {
  isAsked = false;
  const now = live();
  if (!now || "still" in now.dataset || document.hidden) return;
  const address = new URL(now.dataset.url, location.href);
  address.search = listQuery();
  address.searchParams.set("seen", (waiting ?? now).dataset.fingerprint);
  const came = (await fetchDocument(address)).getElementById("visor-live");
  // The filter may have changed, or the page gone, while the answer was on its way.
  if (!came || live() !== now) return;
  waiting = document.adoptNode(came);
  isPaused ? showState() : takeOver();
}

function listQuery() {
  const given = new URLSearchParams(location.search);
  given.delete("tab");
  given.delete("before");
  return given.toString();
}

function takeOver() {
  if (!waiting) return;
  const focused = document.activeElement?.closest("#events > tr")?.dataset.event;
  const scroller = document.querySelector(".visor-list");
  const left = scroller?.scrollLeft ?? 0;
  live().replaceWith(waiting);
  window.htmx.process(waiting);
  waiting = null;
  prepare();
  const list = document.querySelector(".visor-list");
  if (list) list.scrollLeft = left;
  if (focused) row(focused)?.querySelector("a").focus({ preventScroll: true });
}

function row(id) {
  return rows().find((each) => each.dataset.event === id);
}

function prepare() {
  showClocks(document);
  mark();
  showState();
}

function mark() {
  const open = panel.querySelector("[data-event]")?.dataset.event;
  for (const each of rows()) {
    each.classList.toggle("is-open", each.dataset.event === open);
    each.classList.toggle("is-chosen", each.dataset.event === selected);
  }
}

function showState() {
  const place = document.getElementById("visor-pause-place");
  if (!place || "still" in (live()?.dataset ?? {})) return;
  const count = waiting ? countNew(ids(rows()), ids([...waiting.querySelectorAll("#events > tr")])) : 0;
  const pause = place.querySelector("[data-pause]") ?? button("data-pause");
  pause.textContent = isPaused ? "Resume" : "Pause";
  pause.setAttribute("aria-pressed", String(isPaused));
  pause.title = isPaused ? "Show new requests as they come (Space)" : "Pause the list (Space)";
  const pill = place.querySelector("[data-new]") ?? button("data-new");
  pill.classList.add("button-accent", "visor-new");
  pill.hidden = !isPaused || count === 0;
  pill.textContent = describeNew(count, ROWS);
  if (!pause.isConnected) place.append(pill, pause);
}

function button(kind) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button visor-new";
  made.setAttribute(kind, "");
  return made;
}

function pause(on) {
  isPaused = on;
  if (!isPaused) takeOver();
  showState();
}

function move(step) {
  const list = rows();
  if (list.length === 0) return;
  const place = list.findIndex((each) => each.dataset.event === selected);
  const next = list[Math.max(0, Math.min(list.length - 1, place === -1 ? 0 : place + step))];
  selected = next.dataset.event;
  mark();
  const link = next.querySelector("a");
  link.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  if (panel.firstElementChild) link.click();
}

function close() {
  const link = document.getElementById("panel-close");
  if (!link) return;
  panel.replaceChildren();
  history.pushState(null, "", link.href);
  mark();
  row(selected)?.querySelector("a").focus({ preventScroll: true });
}

async function copyAsCurl() {
  const open = panel.querySelector("[data-event]")?.dataset.event ?? selected;
  const link = open && (row(open)?.querySelector("a").href ?? location.href);
  if (!link) return;
  const address = new URL(link, location.href);
  address.searchParams.set("tab", "code");
  const found = (
    await fetchDocument(address, { headers: { "HX-Request": "true", "HX-Target": "panel" } })
  ).getElementById("code-curl");
  if (!found) showToast("Its body was recorded only in part, so it cannot be copied as a request.", { isError: true });
  else
    showToast(
      (await copyText(found.textContent))
        ? "Copied as curl."
        : "This browser does not allow copying. Copy from the tab Code.",
    );
}

const ACTIONS = {
  next: () => move(1),
  previous: () => move(-1),
  open: () => row(selected)?.querySelector("a").click(),
  close,
  pause: () => pause(!isPaused),
  filter: () => document.getElementById("filter-path")?.focus(),
  copy: () => copyAsCurl().catch((error) => showToast(error.message, { isError: true })),
  redo: () => press("r"),
  redoAtOnce: () => press("R", "r"),
  keys: () => document.getElementById("visor-keys").showModal(),
  edit: () => press("e"),
  pin: () => press("p"),
};

/** An action on one request, the first of these keys that it has: its panel is opened for a row that is only chosen. */
function press(...keys) {
  const find = () => keys.map((key) => panel.querySelector(`[data-key=${key}]`)).find(Boolean);
  if (panel.firstElementChild) {
    find()?.click();
    return;
  }
  const link = row(selected)?.querySelector("a");
  if (!link) return;
  panel.addEventListener("htmx:afterSettle", () => find()?.click(), { once: true });
  link.click();
}

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]") || event.defaultPrevented) return;
  const at = document.activeElement;
  const action = actionFor(event, {
    isTyping: at.matches("input, textarea, select"),
    isOpen: panel.firstElementChild !== null,
    isOnControl: at.matches("a, button, summary, pre"),
  });
  if (!action) return;
  event.preventDefault();
  ACTIONS[action]();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-shows-keys]")) ACTIONS.keys();
  else if (event.target.closest("[data-pause]")) pause(!isPaused);
  else if (event.target.closest("[data-new]")) takeOver();
  else if (event.target.closest("#panel-close")) {
    event.preventDefault();
    close();
  } else if (event.target.closest("#events") && !event.target.closest("a, button") && !String(getSelection())) {
    event.target.closest("tr").querySelector("a").click();
  }
  const chosen = event.target.closest("#events > tr");
  if (chosen) {
    selected = chosen.dataset.event;
    mark();
  }
});

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt.id !== "filter") return;
  // Only what is asked for stands in the address.
  event.detail.parameters = withoutEmpty(Object.fromEntries(new FormData(event.detail.elt)));
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target === panel) selected = panel.querySelector("[data-event]")?.dataset.event ?? selected;
  waiting = null;
  prepare();
});
window.addEventListener("popstate", (event) => {
  if (!event.state?.htmx) location.reload();
});

prepare();
const { liveUrl } = live()?.dataset ?? {};
if (liveUrl)
  createLiveStream({
    address: () => liveUrl,
    onMessage() {
      isAsked = true;
      lookSoon();
    },
    onRefused: () => null,
    // What came while nobody followed is not told again.
    onState(state) {
      isFollowing = state === "live";
      isAsked = isFollowing;
      if (isAsked) lookSoon();
    },
  }).open();
