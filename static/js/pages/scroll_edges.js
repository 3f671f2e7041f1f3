/** What scrolls sideways, tabs and lines of code, fades at the edges beyond which there is more. */

const SCROLLERS = ".tabs, .code pre";

function mark(scroller) {
  const { scrollLeft, clientWidth, scrollWidth } = scroller;
  scroller.classList.toggle("more-before", scrollLeft > 1);
  scroller.classList.toggle("more-after", scrollLeft + clientWidth < scrollWidth - 1);
}

function markAll() {
  for (const scroller of document.querySelectorAll(SCROLLERS)) mark(scroller);
}

document.addEventListener("scroll", (event) => event.target.matches?.(SCROLLERS) && mark(event.target), {
  capture: true,
  passive: true,
});
document.addEventListener("htmx:afterSettle", markAll);
addEventListener("resize", markAll);
markAll();
