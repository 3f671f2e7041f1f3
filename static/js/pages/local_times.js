/** Times of day in the reader's own time zone; the server writes them in UTC. */

const WRITE = {
  second: (at) => at.toLocaleTimeString([], { hour12: false }),
  minute: (at) => at.toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit" }),
  day: (at) => at.toLocaleDateString("en", { month: "short", day: "2-digit" }),
};

/** Rewrite the `<time data-clock>` elements inside. */
export function showClocks(root) {
  for (const time of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(time.dateTime);
    time.textContent = WRITE[time.dataset.clock](at);
    time.title = `${at.toLocaleString()} here, ${time.title}`;
    time.removeAttribute("data-clock");
  }
}
