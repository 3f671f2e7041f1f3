/**
 * Runs before a page's own scripts, and clicks every control inside its `main` when it is asked to.
 *
 * Nothing that is clicked leads away: links and forms that would are held back at the window, after all of the page's own
 * listeners. What htmx asks for is asked for, and has to come in. What a page does by itself after a second or more, such as
 * polling, waits until it is let go.
 */
(() => {
  const CONTROLS = "a[href], button, summary, [role=button], [role=menuitem], input[type=checkbox], input[type=radio]";
  const LIST = "tr, li, [role=row], .card";
  // Nothing has answered by now, and no request is on its way.
  const PATIENCE_MS = 5000;
  // A request that has not come in by now never will.
  const REQUEST_MS = 60000;

  const held = [];
  const wait = window.setTimeout;
  const isLater = (ms) => ms >= 1000 && ms <= 3000;
  window.setTimeout = (run, ms, ...more) => (isLater(ms) ? -held.push(run) : wait(run, ms, ...more));
  const repeat = window.setInterval;
  window.setInterval = (run, ms, ...more) => (isLater(ms) ? -held.push(run) : repeat(run, ms, ...more));
  const next = () => new Promise((resolve) => wait(resolve, 5));

  const hrefs = new Set();
  let happened = "";
  let asked = 0;
  const requests = new Set();
  let isOfHtmx = false;
  const note = (what) => {
    happened ||= what;
  };
  const listen = (type, act, isCapturing = false) => window.addEventListener(type, act, isCapturing);
  // A link that a script takes over is prevented by now; one that is not leads where it says.
  listen("click", (event) => {
    if (event.target.matches?.("input[type=file]")) {
      note("a file is asked for");
      event.preventDefault();
    }
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented) return;
    hrefs.add(link.href);
    note("the link is followed");
    event.preventDefault();
  });
  listen("submit", (event) => {
    if (event.defaultPrevented) return;
    note("the form is sent");
    event.preventDefault();
  });
  for (const type of ["beforetoggle", "toggle", "change", "focusin", "invalid", "close"])
    listen(type, () => note(type), true);
  listen("htmx:beforeSend", ({ detail: { xhr, pathInfo } }) => {
    asked += 1;
    requests.add(pathInfo.requestPath);
    isOfHtmx = true;
    // Of an element that is gone meanwhile htmx tells nobody how its request ended.
    xhr.addEventListener("loadend", () => {
      asked -= 1;
      requests.delete(pathInfo.requestPath);
    });
  });
  listen("htmx:afterRequest", (event) => {
    const { target, successful, xhr } = event.detail;
    const shown = target.isConnected ? target : document.getElementById(target.id);
    const isShown = shown?.childElementCount > 0 && (shown.id !== "dialog" || shown.open);
    if (successful && (xhr.status === 204 || isShown)) note("it was swapped in");
  });
  const fetchReally = window.fetch;
  window.fetch = (...given) => {
    note("the server is asked");
    return fetchReally(...given);
  };
  const clickReally = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function () {
    if (this.isConnected) clickReally.call(this);
    else note("a file is saved");
  };
  new MutationObserver(() => isOfHtmx || note("the page changed")).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });

  function nameOf(control) {
    const text = control.getAttribute("aria-label") || control.textContent || control.value || "";
    return `${control.tagName.toLowerCase()} “${text.trim().replace(/\s+/g, " ").slice(0, 60)}”`;
  }

  /** Of rows that are alike, the first has its controls clicked. */
  function kindOf(control) {
    const row = control.closest(LIST);
    if (!row || row.closest("[popover]")) return nameOf(control);
    const place = [...row.querySelectorAll(CONTROLS)].indexOf(control);
    return `${row.parentElement.id || row.parentElement.className} ${control.className} ${place}`;
  }

  const canBeClicked = (control) =>
    control.checkVisibility({ visibilityProperty: true }) &&
    !control.matches(":disabled, [aria-disabled=true], [type=radio]:checked") &&
    // What is dragged answers to a pointer that goes down on it, and to arrow keys.
    !control.closest("[inert], .ace_editor, .column-handle");

  async function settled(started = performance.now()) {
    while (asked > 0) {
      if (performance.now() - started > REQUEST_MS) throw new Error(`never answered: ${[...requests].join(", ")}`);
      await next();
    }
  }

  async function press(control) {
    happened = "";
    isOfHtmx = false;
    const started = performance.now();
    control.click();
    await settled(started);
    while (!(happened || performance.now() - started > PATIENCE_MS)) await next();
    return happened !== "";
  }

  async function walk(root, state, isInMenu = false) {
    for (;;) {
      const control = [...root.querySelectorAll(CONTROLS)].find(
        (each) => canBeClicked(each) && !state.done.has(kindOf(each)),
      );
      if (!control) return;
      state.done.add(kindOf(control));
      const name = nameOf(control);
      if (!(await press(control))) state.dead.push(name);
      await leave(name, state, isInMenu);
      if (isInMenu && !root.matches(":popover-open")) root.showPopover();
    }
  }

  function isInSight(shown) {
    const { left, top, right, bottom } = shown.getBoundingClientRect();
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  }

  /** What has opened has its own way out clicked, and a menu each of its items; all of it has to be in the window. */
  async function leave(name, state, isInMenu) {
    const menu = document.querySelector("[popover]:popover-open");
    if (menu && !isInMenu) {
      await next();
      if (!isInSight(menu)) state.dead.push(`${name} opens out of sight`);
      await walk(menu, state, true);
      if (menu.matches(":popover-open")) menu.hidePopover();
    }
    const dialog = document.querySelector("dialog[open]");
    if (!dialog) return;
    if (!isInSight(dialog)) state.dead.push(`${name} opens a dialog that is out of sight`);
    const way = [...dialog.querySelectorAll("[data-close]")].find(canBeClicked);
    if (way) {
      await press(way);
      if (dialog.open) state.dead.push(`${nameOf(way)}, in the dialog of ${name}`);
    }
    if (dialog.open) dialog.close();
  }

  window.clickEverything = async () => {
    const state = { dead: [], done: new Set() };
    await walk(document.querySelector("main"), state);
    return { dead: state.dead, clicked: state.done.size, hrefs: [...hrefs] };
  };

  /** Let the page do what it does by itself, once. Says whether there was anything. */
  window.letGo = async () => {
    const due = held.splice(0);
    for (const run of due) run();
    await next();
    await settled();
    return due.length > 0;
  };
})();
