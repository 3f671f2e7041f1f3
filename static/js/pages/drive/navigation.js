/** Which list is shown: another folder, order or search takes its place without a reload, so that uploads go on; the URL says which. */

import { folderOf } from "../../lib/drive_paths.js";
import { isSameList, readRoute, routeUrl } from "../../lib/drive_urls.js";
import { fetchDocument, fetchElement } from "../../lib/requests.js";
import { announce, base, emit, on, viewElement } from "./context.js";
import { showError } from "./dialogs.js";

/** A search waits for a pause in the typing. */
const TYPING_MS = 250;
/** After something changed, so many pages of a long list are fetched again at most. */
const PAGES_AGAIN = 10;
/** A name that is being typed, or a menu, is not taken from under the person's hands. */
const IN_HAND = ".rename-field, .drive-menu:popover-open, .drop-target";
const LATER_MS = 1000;
/** The next page is fetched when the end comes this near. */
const AHEAD = "1200px";

let shown = readRoute(location.search);
let loading = new AbortController();
let nextPage = null;

/** What the URL shows. */
export function currentRoute() {
  return shown;
}

/**
 * Show something else.
 * @param {object} change what differs from now
 * @param {{how?: "push" | "replace", focus?: string | null}} [options] `how`: whether Back leads to what is shown now; `focus`: the entry to go to
 */
export async function show(change, { how = "push", focus = null } = {}) {
  const route = { ...shown, ...change };
  if (how === "push") {
    history.replaceState({ ...history.state, top: scrollY }, "");
    history.pushState({ ours: true }, "", routeUrl(base, route));
  } else {
    history.replaceState(history.state, "", routeUrl(base, route));
  }
  await turnTo(route, { focus, top: 0 });
}

/** The list again, as long as it was, with what is selected and focused; `focus` is the entry to go to instead. */
export async function refresh({ focus = null } = {}) {
  if (focus === null && document.querySelector(IN_HAND)) {
    setTimeout(refresh, LATER_MS);
    return;
  }
  const pages = Math.min(Math.max(document.querySelectorAll(".drive-rows").length, 1), PAGES_AGAIN);
  await load(shown, { pages, focus, isAgain: true });
}

async function turnTo(route, { focus, top }) {
  const isOther = !isSameList(route, shown);
  const left = shown;
  shown = route;
  emit("route", route);
  if (isOther) await load(route, { focus: focus ?? childTowards(left.folder, route.folder), top });
}

/** Going up, the focus goes to the folder that one comes from. */
function childTowards(from, to) {
  if (!from.startsWith(to) || from === to) return null;
  return from.slice(0, from.indexOf("/", to.length) + 1);
}

async function load(route, { pages = 1, focus = null, top = 0, isAgain = false }) {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const typing = document.activeElement?.closest("#drive-search input");
  const hadFocus = viewElement().contains(document.activeElement) && document.activeElement !== document.body;
  const busy = setTimeout(() => viewElement().setAttribute("aria-busy", "true"), 150);
  try {
    const page = await fetchDocument(routeUrl(base, { ...route, file: "" }), { signal });
    const view = page.getElementById("drive-view");
    for (let more = 1; more < pages; more += 1) await appendNext(view, route, signal);
    // Typed meanwhile: what stands in the field is newer than what was asked for.
    const text = typing?.isConnected ? { value: typing.value, at: typing.selectionStart } : null;
    const stays = isAgain ? scrollY : top;
    viewElement().replaceWith(view);
    document.title = page.title;
    if (text) continueTyping(view, text);
    emit("shown", { focus, hadFocus: hadFocus && !typing, isAgain });
    scrollTo({ top: stays, behavior: "instant" });
    if (!isAgain)
      announce(view.querySelector("#drive-shown")?.textContent ?? view.querySelector(".empty h2")?.textContent ?? "");
    watchEnd();
  } catch (error) {
    if (!signal.aborted) showError(error);
  } finally {
    clearTimeout(busy);
    viewElement().removeAttribute("aria-busy");
  }
}

function continueTyping(view, text) {
  const field = view.querySelector("#drive-search [type=search]");
  field.value = text.value;
  field.focus({ preventScroll: true });
  field.setSelectionRange(text.at, text.at);
}

// Long lists: the next page comes when the end is near.

function lastOf(view) {
  return [...view.querySelectorAll(".drive-rows")].at(-1)?.dataset.last ?? "";
}

async function appendNext(view, route, signal) {
  const last = lastOf(view);
  if (last === "") return;
  const rows = await fetchElement(routeUrl(`${base}rows/`, { ...route, file: "" }, { last }), { signal });
  view.querySelector("#drive-list").append(rows);
}

/** Fetch the next page now. @returns {Promise<boolean>} whether there was one */
export function showMore() {
  if (lastOf(viewElement()) === "") return Promise.resolve(false);
  nextPage ??= appendNext(viewElement(), shown, loading.signal)
    .then(() => {
      emit("more");
      watchEnd();
      return true;
    })
    .catch((error) => {
      if (!loading.signal.aborted) showError(error);
      return false;
    })
    .finally(() => (nextPage = null));
  return nextPage;
}

const watcher = new IntersectionObserver(
  (entries) => {
    if (entries.some((entry) => entry.isIntersecting)) showMore();
  },
  { rootMargin: AHEAD },
);

/** Watch the end of the list anew: one that is still in sight would not be reported again. */
function watchEnd() {
  watcher.disconnect();
  const more = document.getElementById("drive-more");
  if (!more) return;
  if (lastOf(viewElement()) === "") more.remove();
  else watcher.observe(more);
}

// Links, the search field, Back

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-open], #drive-more");
  if (
    !link ||
    event.defaultPrevented ||
    event.button !== 0 ||
    event.ctrlKey ||
    event.metaKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  event.preventDefault();
  if (link.id === "drive-more") showMore();
  else show(readRoute(new URL(link.href).search));
});

let typed;
document.addEventListener("input", (event) => {
  const field = event.target.closest("#drive-search [type=search]");
  if (!field) return;
  clearTimeout(typed);
  typed = setTimeout(() => search(field.value), TYPING_MS);
});
document.addEventListener("submit", (event) => {
  if (event.target.id !== "drive-search") return;
  event.preventDefault();
  clearTimeout(typed);
  search(event.target.elements.q.value);
});

function search(text) {
  const q = text.trim();
  if (q !== shown.q) show({ q }, { how: shown.q === "" ? "push" : "replace" });
}

addEventListener("popstate", (event) =>
  turnTo(readRoute(location.search), { focus: null, top: event.state?.top ?? 0 }),
);

/** The folder above the one that is shown; out of a search, the folder itself. */
export function goUp() {
  if (shown.q) show({ q: "" });
  else if (shown.folder) show({ folder: folderOf(shown.folder) });
}

on("changed", refresh);
history.scrollRestoration = "manual";
watchEnd();
