/** The bar: search or query, what was understood of it, what is wrong with it, and what was asked before. */

import { nextIndex } from "../../lib/listbox.js";
import { fetchDocument, isInvalid, RequestError, requestJson, withQuery } from "../../lib/requests.js";
import { addCommands, runCommand } from "../commands.js";
import { icon, make, withCode } from "./dom.js";

const RECENT_KEPT = 12;
const LOOK_AFTER_MS = 500;

export function createQueryBar(table, { loader, frame }) {
  const { understandUrl, operatorsUrl, pageUrl, collection, base, asOf } = table.root.dataset;
  const form = document.getElementById("base-bar");
  const field = document.getElementById("bar");
  const clear = document.getElementById("bar-clear");
  const message = document.getElementById("bar-message");
  const recent = document.getElementById("bar-recent");
  const storageKey = `homeport:recent:${collection}/${base}`;
  let lookTimer = null;
  let asked = 0;
  let runs = 0;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    hideRecent();
    run(field.value.trim());
  });

  field.addEventListener("input", () => {
    clear.hidden = field.value === "";
    hideRecent();
    clearTimeout(lookTimer);
    lookTimer = setTimeout(look, LOOK_AFTER_MS);
  });

  clear.addEventListener("click", () => {
    field.value = "";
    clear.hidden = true;
    run("");
    field.focus();
  });

  /** While a query is being written: say what is wrong with it, and what is understood. */
  async function look() {
    const text = field.value.trim();
    if (text === table.q) return say(null);
    if (!/^[[{]/.test(text)) return say(null);
    return explain(text);
  }

  /** @returns {Promise<object|null>} what the server makes of the text; null when it did not answer, or somebody typed on */
  async function explain(text) {
    asked += 1;
    const mine = asked;
    try {
      const found = await requestJson(withQuery(understandUrl, { q: text }));
      if (mine !== asked) return null;
      say(found);
      return found;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return null;
    }
  }

  function say(found) {
    const isWrong = Boolean(found?.error);
    frame.classList.toggle("is-outdated", isWrong);
    field.toggleAttribute("aria-invalid", isWrong);
    message.classList.toggle("is-fault", isWrong);
    if (isWrong) {
      const { message: text, at } = found.error;
      const place =
        at && at.line > 1
          ? `Line ${at.line}, column ${at.column}: `
          : at?.column > 1
            ? `At character ${at.column}: `
            : "";
      message.replaceChildren(icon("warning"), make("span", {}, [place, ...withCode(text)]));
    } else if (found?.kind === "query" && found.changed) {
      message.replaceChildren(
        make("span", { class: "quiet" }, ["Understood as "]),
        make("code", { class: "data" }, [found.query]),
      );
    } else {
      message.replaceChildren();
    }
  }

  async function run(text, { sort = table.sort, push = true } = {}) {
    clearTimeout(lookTimer);
    runs += 1;
    const mine = runs;
    const before = { q: table.q, sort: table.sort };
    Object.assign(table, { q: text, sort });
    field.value = text;
    clear.hidden = text === "";
    const looking = /^[[{]/.test(text) ? explain(text) : say(null);
    const error = await loader.restart();
    if (mine !== runs) return;
    if (error) {
      Object.assign(table, before);
      if (!isInvalid(error)) return table.emit("request-failed", error);
      await looking;
      return showServerMessage(error.text);
    }
    frame.classList.remove("is-outdated");
    if (push && (before.q !== text || before.sort !== sort))
      history.pushState({ q: text, sort }, "", addressOf(text, sort));
    frame.scrollTop = 0;
    if (text !== "") remember(text);
    table.emit("ran");
  }

  /** The server's own words for a bad query, where `understand` had none. */
  function showServerMessage(html) {
    frame.classList.add("is-outdated");
    field.toggleAttribute("aria-invalid", true);
    message.classList.add("is-fault");
    if (message.textContent.trim() !== "") return;
    const text = new DOMParser().parseFromString(html, "text/html").body.textContent.trim();
    message.replaceChildren(icon("warning"), make("span", {}, [text]));
  }

  function addressOf(q, sort) {
    const query = new URLSearchParams(Object.entries({ q, sort, as_of: asOf }).filter(([, value]) => value !== ""));
    return query.size > 0 ? `${pageUrl}?${query}` : pageUrl;
  }

  addEventListener("popstate", () => {
    const query = new URLSearchParams(location.search);
    const [q, sort] = [query.get("q") ?? "", query.get("sort") ?? ""];
    // A panel that was opened or closed is a step too, and leaves the rows as they are.
    if (q !== table.q || sort !== table.sort) run(q, { sort, push: false });
  });

  // What was asked before, on this computer.
  function readRecent() {
    try {
      const kept = JSON.parse(localStorage.getItem(storageKey));
      return Array.isArray(kept) ? kept.filter((text) => typeof text === "string") : [];
    } catch {
      return [];
    }
  }

  function remember(text) {
    try {
      localStorage.setItem(
        storageKey,
        JSON.stringify([text, ...readRecent().filter((other) => other !== text)].slice(0, RECENT_KEPT)),
      );
    } catch {
      // Without room nothing is remembered.
    }
  }

  function showRecent() {
    const texts = readRecent();
    if (field.value !== "" || texts.length === 0) return;
    recent.replaceChildren(
      ...texts.map((text, index) => {
        const option = make(
          "li",
          { role: "option", id: `bar-recent-${index}`, "aria-selected": "false", class: "bar-recent-option data" },
          [icon("history"), make("span", { dir: "auto" }, [text])],
        );
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          hideRecent();
          run(text);
        });
        return option;
      }),
    );
    recent.hidden = false;
    field.setAttribute("aria-expanded", "true");
  }

  function hideRecent() {
    recent.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  field.addEventListener("focus", showRecent);
  field.addEventListener("click", showRecent);
  field.addEventListener("blur", hideRecent);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (!recent.hidden) hideRecent();
      else runCommand("focus-grid");
      return event.preventDefault();
    }
    if (event.key === "ArrowDown" && recent.hidden && field.value !== "") {
      event.preventDefault();
      return runCommand("focus-grid");
    }
    if (recent.hidden) return undefined;
    const options = [...recent.children];
    const chosen = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "Enter" && chosen !== -1) {
      event.preventDefault();
      hideRecent();
      return run(options[chosen].querySelector("span").textContent);
    }
    const next = nextIndex(event.key, chosen, options.length);
    if (next === null) return undefined;
    event.preventDefault();
    for (const [index, option] of options.entries()) option.setAttribute("aria-selected", String(index === next));
    field.setAttribute("aria-activedescendant", options[next].id);
    return options[next].scrollIntoView({ block: "nearest" });
  });

  const operators = document.getElementById("operators-menu");
  operators.addEventListener("beforetoggle", async (event) => {
    if (event.newState !== "open") return;
    try {
      const page = await fetchDocument(operatorsUrl);
      operators.replaceChildren(...page.body.childNodes);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      operators.replaceChildren(make("p", {}, ["The server does not answer. Try again in a moment."]));
    }
  });
  // An example of an operator goes into the bar, to be changed there.
  operators.addEventListener("click", (event) => {
    const example = event.target.closest("[data-query]")?.dataset.query;
    if (example === undefined) return;
    operators.hidePopover();
    field.value = example;
    clear.hidden = false;
    field.focus();
    look();
  });

  const code = document.getElementById("code-dialog");
  const LANGUAGES = [
    ["python", "Python"],
    ["javascript", "JavaScript"],
    ["go", "Go"],
    ["curl", "curl"],
  ];

  async function showCode() {
    const found = await requestJson(withQuery(understandUrl, { q: field.value.trim() })).catch(() => null);
    if (!found?.code) return;
    const blocks = LANGUAGES.filter(([name]) => found.code[name]).map(([name, label]) => {
      const id = `query-${name}`;
      const copy = make(
        "button",
        {
          type: "button",
          class: "button-icon",
          "data-copy": id,
          "aria-label": `Copy the ${label} lines`,
          title: "Copy",
        },
        [icon("copy")],
      );
      const lines = make("pre", { tabindex: 0, role: "region", "aria-label": `In ${label}` }, [
        make("code", { id }, [found.code[name]]),
      ]);
      return make("section", { class: "stack" }, [
        make("h3", {}, [label]),
        make("div", { class: "code" }, [lines, copy]),
      ]);
    });
    const close = make("button", { type: "button", class: "button", "data-close": true, autofocus: true }, ["Close"]);
    code.firstElementChild.replaceChildren(
      make("h2", { id: "code-title" }, ["This query as code"]),
      ...blocks,
      make("div", { class: "actions" }, [close]),
      make("div", { class: "toasts", role: "status" }),
    );
    code.showModal();
  }

  clear.hidden = field.value === "";
  addCommands({
    refresh: () => run(table.q, { push: false }),
    sort: ({ sort }) => run(table.q, { sort }),
    "run-query": ({ q, sort }) => run(q, { sort }),
    "show-code": showCode,
    "focus-bar": () => {
      field.focus();
      field.select();
    },
  });
}
