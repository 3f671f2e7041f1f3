/** Light, dark, or as the system has it: chosen for this browser, in a cookie that the server reads, so that a page comes in it. */

import { themeCookie } from "../lib/theme_cookie.js";

/** The path below which all of the server is, without a slash at its end; empty for a host of its own. */
const BELOW = new URL("../../../", import.meta.url).pathname.slice(0, -1);
const root = document.documentElement;
const choices = document.getElementById("theme");

/** @param {string} theme "light", "dark", or "" for the system's */
export function chooseTheme(theme) {
  // biome-ignore lint/suspicious/noDocumentCookie: the cookie store is not there over plain http, nor in every browser
  document.cookie = themeCookie(theme, { below: BELOW, isSecure: location.protocol === "https:" });
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  document.querySelector("meta[name=color-scheme]").setAttribute("content", theme || "light dark");
  choices.querySelector(`[value="${theme}"]`).checked = true;
}

/** Whether the page is dark now. */
export function isDark() {
  return root.dataset.theme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
}

choices.addEventListener("change", (event) => chooseTheme(event.target.value));
