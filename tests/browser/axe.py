"""What axe finds in a page as it stands: everything in the light, and what depends on colours in the dark as well.

axe tries styles of its own, which the policy of the pages would refuse: pages for it are opened with `bypass_csp=True`.
"""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# The rules that read colours; the others see the same document in either scheme.
_OF_COLOURS = ["color-contrast", "link-in-text-block"]
# It looks at the document for seconds: a part that is fetched anew meanwhile would be half of what it saw.
_RUN = """async (rules) => {
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: rules }) };
  const keep = ({ detail }) => { detail.shouldSwap = false; };
  document.addEventListener("htmx:beforeSwap", keep);
  const { violations } = await axe.run(options).finally(() => document.removeEventListener("htmx:beforeSwap", keep));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
}"""

# Of each row that is shown as a card, how far apart its values begin, where that is more than a rounding.
_UNEVEN = """[...document.querySelectorAll("table.stacked tbody tr")].flatMap((row) => {
  const lefts = [...row.querySelectorAll("[data-label]")].flatMap((cell) => {
    const first = [...cell.childNodes].find(({ nodeType, textContent }) => nodeType === 1 || textContent.trim() !== "");
    if (!first || getComputedStyle(cell, "::before").content === "none") return [];
    const range = new Range();
    range.selectNode(first);
    if (first.nodeType === 3) range.setStart(first, first.data.search(/\\S/));
    return [range.getClientRects()[0].left];
  });
  const apart = Math.max(...lefts) - Math.min(...lefts);
  return apart > 1 ? [`${row.innerText.slice(0, 80)}: its values begin ${apart} pixels apart`] : [];
})"""


def faults_of(page: Page) -> list[str]:
    """What is wrong, in words; that the page is wider than its window is a fault too."""
    # What moves is looked at where it comes to rest.
    page.emulate_media(reduced_motion="reduce")
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_SCRIPT)
    faults: list[str] = page.evaluate(_RUN, None)
    page.emulate_media(color_scheme="dark")
    faults += [f"in the dark, {fault}" for fault in page.evaluate(_RUN, _OF_COLOURS)]
    page.emulate_media(color_scheme="light")
    return faults + layout_faults_of(page)


def layout_faults_of(page: Page) -> list[str]:
    """That the page is wider than its window, and of which rows shown as cards the values begin at several places, in words."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    uneven: list[str] = page.evaluate(_UNEVEN)
    return ([f"{wide} pixels too wide"] if wide > 0 else []) + uneven
