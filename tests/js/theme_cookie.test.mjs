import assert from "node:assert/strict";
import { test } from "node:test";
import { themeCookie } from "../../static/js/lib/theme_cookie.js";

for (const [theme, below, isSecure, cookie] of [
  ["dark", "", false, "theme=dark; max-age=31536000; path=/; samesite=lax"],
  ["light", "", true, "__Host-theme=light; max-age=31536000; path=/; samesite=lax; secure"],
  ["dark", "/below/it", false, "theme=dark; max-age=31536000; path=/below/it; samesite=lax"],
  ["", "/below/it", true, "__Secure-theme=; max-age=0; path=/below/it; samesite=lax; secure"],
])
  test(`${theme || "the system's theme"} at ${isSecure ? "https" : "http"}, below "${below}"`, () =>
    assert.equal(themeCookie(theme, { below, isSecure }), cookie));
