/** Where there is no room for all tabs, the current one is in view. Only the tabs scroll, not the page. */

for (const current of document.querySelectorAll(".tabs [aria-current]")) {
  const tabs = current.closest(".tabs");
  const missing = current.offsetLeft + current.offsetWidth - tabs.offsetLeft - tabs.clientWidth;
  // The next one is seen as well, as far as it fits: there is more.
  if (missing > -current.offsetWidth) tabs.scrollLeft = missing + current.offsetWidth;
}
