/**
 * A field for JSON: the Ace editor, fetched when it is first needed, and a plain text field until it is there or when it
 * does not come. Ace is told to bring no styles of its own, which the policy of the pages would refuse: they are linked.
 */

import { isDark } from "../theme.js";
import { make } from "./dom.js";

const LONG_CHARACTERS = 30_000;
let loading = null;

export function createJsonField({ aceUrl, aceJsonUrl, aceCssUrl }) {
  function load() {
    loading ??= (async () => {
      const sheet = make("link", { rel: "stylesheet", href: aceCssUrl });
      const styled = new Promise((resolve, reject) => {
        sheet.addEventListener("load", resolve);
        sheet.addEventListener("error", reject);
      });
      // In front of our own sheets, so that these have the last word.
      document.head.prepend(sheet);
      await loadScript(aceUrl);
      globalThis.ace.config.set("useStrictCSP", true);
      globalThis.ace.config.set("loadWorkerFromBlob", false);
      await Promise.all([styled, loadScript(aceJsonUrl)]);
      return globalThis.ace;
    })().catch((fault) => {
      loading = null;
      throw fault;
    });
    return loading;
  }

  function loadScript(url) {
    return new Promise((resolve, reject) => {
      const script = make("script", { src: url });
      script.addEventListener("load", resolve);
      script.addEventListener("error", () => reject(new Error(`${url} did not load`)));
      document.head.append(script);
    });
  }

  /** @returns {{value: () => string, focus: () => void, mark: (fault: object|null) => void, destroy: () => void}} */
  function put(place, { text, label, isReadOnly, onChange }) {
    const plain = make("textarea", {
      class: "input editor-text data",
      "aria-label": label,
      spellcheck: "false",
      wrap: "off",
    });
    plain.readOnly = isReadOnly;
    plain.addEventListener("input", onChange);
    // Tens of thousands of lines in a plain field take seconds to lay out, so long texts wait for the editor.
    const isLong = text.length > LONG_CHARACTERS;
    plain.value = isLong ? "" : text;
    plain.placeholder = isLong ? "Opening …" : "";
    plain.disabled = isLong;
    place.append(plain);
    const field = {
      value: () => (plain.disabled ? text : plain.value),
      focus: () => {
        plain.focus();
        plain.setSelectionRange(0, 0);
      },
      mark: () => {},
      destroy: () => {
        field.isGone = true;
      },
    };
    load().then(
      (ace) =>
        !field.isGone &&
        plain.isConnected &&
        replace(ace, field, plain, {
          text: field.value(),
          label,
          isReadOnly,
          onChange,
          hadFocus: isLong || document.activeElement === plain,
        }),
      () => {
        if (!isLong) return;
        plain.disabled = false;
        plain.value = text;
      },
    );
    return field;
  }

  function replace(ace, field, plain, { text, label, isReadOnly, onChange, hadFocus }) {
    const place = make("div", { class: "editor-json" });
    plain.replaceWith(place);
    const editor = ace.edit(place, {
      mode: "ace/mode/json",
      value: text,
      theme: { cssClass: "ace-homeport", isDark: isDark() },
      useWorker: false,
      showPrintMargin: false,
      tabSize: 2,
      useSoftTabs: true,
      fontFamily: "var(--font-data)",
      fontSize: "var(--size-small)",
      readOnly: isReadOnly,
      wrap: false,
      enableKeyboardAccessibility: true,
      scrollPastEnd: 0,
    });
    editor.session.selection.clearSelection();
    editor.moveCursorTo(0, 0);
    editor.textInput.getElement().setAttribute("aria-label", label);
    editor.session.on("change", () => onChange());
    field.value = () => editor.getValue();
    field.focus = () => editor.focus();
    field.mark = (fault) =>
      editor.session.setAnnotations(
        fault?.line ? [{ row: fault.line - 1, column: fault.column - 1, text: fault.message, type: "error" }] : [],
      );
    field.destroy = () => editor.destroy();
    if (hadFocus) editor.focus();
  }

  return { put };
}
