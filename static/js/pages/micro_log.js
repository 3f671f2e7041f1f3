/** Logs that go on: who reads their end stays at the end, who reads further up is left alone; only so many lines are kept. */

const LINES_MAX = 3_000;
const NEAR_PX = 24;

let wasAtEnd = true;
let wasAt = 0;

document.addEventListener("htmx:beforeSwap", () => {
  const log = find();
  if (!log) return;
  wasAt = log.scrollTop;
  wasAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
});
document.addEventListener("htmx:afterSwap", () => {
  const log = find();
  if (!log) return;
  const lines = log.querySelectorAll(".log-line");
  if (wasAtEnd) for (let index = 0; index < lines.length - LINES_MAX; index += 1) lines[index].remove();
  log.scrollTop = wasAtEnd ? log.scrollHeight : wasAt;
  const nothing = document.getElementById("log-nothing");
  if (nothing && lines.length > 0) nothing.hidden = true;
});

const first = find();
if (first) first.scrollTop = first.scrollHeight;

function find() {
  return document.querySelector("[data-follows]");
}
