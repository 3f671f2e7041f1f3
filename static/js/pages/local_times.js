/** Times of day in the reader's own time zone; the server writes them in UTC. */

/** Rewrite the `<time data-clock>` elements inside. */
export function showClocks(root) {
  for (const time of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(time.dateTime);
    time.textContent = at.toLocaleTimeString([], { hour12: false });
    time.title = `${at.toLocaleString()} here, ${time.title}`;
    time.removeAttribute("data-clock");
  }
}
