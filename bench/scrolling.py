"""How smoothly a table of 1,000 rows and 20 columns scrolls: `python -m bench.scrolling`.

In Chromium the page of such a Base and a page with nothing but a plain HTML table of the same values are scrolled from end to
end in turns, by the same distance in every frame. What counts is the time from frame to frame: the share of frames that
came late (a refresh was missed), and how long the longest took, beside what the plain table costs on the same machine.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.chromium import open_page
from bench.pages import Visitor
from bench.systems.homeport import Homeport
from bench.systems.statements import attach

BASE = "wide"
REFRESH_MS = 1000 / 60
LATE_MS = 2.5 * REFRESH_MS  # so far from the frame before, at least one refresh was missed
MOST_LATE = 0.01
PLAIN = "plain table"

_SCROLL = """async ({ selector, pixels, frames }) => {
  const scroller = document.querySelector(selector);
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  let before = await frame();
  for (let number = 0, step = pixels; number < frames; number += 1) {
    const top = scroller.scrollTop;
    scroller.scrollTop = top + step;
    if (scroller.scrollTop === top) step = -step;
    const now = await frame();
    times.push(now - before);
    before = now;
  }
  return times;
}"""


def main() -> int:
    """Prints the table. 0 when few enough frames came late, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.scrolling", description="How smoothly a Base scrolls.")
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--frames", type=int, default=600, help="of each round")
    parser.add_argument(
        "--pixels", type=int, default=120, help="scrolled in each frame; a turn of a wheel is about 100"
    )
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-scrolling-") as name:
        homeport = Homeport(Path(name))
        try:
            homeport.start([])
            attach(homeport)
            values = [[f"value {row} of {column}" for column in range(options.columns)] for row in range(options.rows)]
            columns = [f"column_{number:02}" for number in range(options.columns)]
            rows = [dict(zip(columns, row, strict=True)) for row in values]
            homeport.load(BASE, [{"key": f"{number:05}", **row} for number, row in enumerate(rows)])
            return _report(_measure(homeport, values, options), options)
        finally:
            homeport.stop()


def _measure(homeport: Homeport, values: list[list[str]], options: argparse.Namespace) -> dict[str, list[float]]:
    visitor = Visitor(homeport)
    visitor.sign_up()
    asked = {"pixels": options.pixels, "frames": options.frames}
    found: dict[str, list[float]] = {"page of the Base": [], PLAIN: []}
    with sync_playwright() as playwright:
        page = open_page(playwright, homeport, visitor, f"/collections/{homeport.collection_id}/base/{BASE}/")
        _load_all(page, options.rows)
        plain = page.context.new_page()
        cells = "".join(f"<tr>{''.join(f'<td>{value}</td>' for value in row)}</tr>" for row in values)
        plain.set_content(f'<div id="scroller" style="height:90vh;overflow:auto"><table>{cells}</table></div>')
        ways: list[tuple[str, Any, str]] = [("page of the Base", page, "#base-frame"), (PLAIN, plain, "#scroller")]
        for _ in range(options.rounds):
            for title, where, selector in ways:
                where.bring_to_front()
                found[title] += where.evaluate(_SCROLL, {"selector": selector, **asked})
    return found


def _load_all(page: Any, rows: int) -> None:
    """Scroll down until the last row has been fetched."""
    while page.locator(f'#base-frame [aria-rowindex="{rows + 1}"]').count() == 0:
        page.evaluate("grid = document.querySelector('#base-frame'); grid.scrollTop = grid.scrollHeight")
        page.wait_for_timeout(100)


def _report(found: dict[str, list[float]], options: argparse.Namespace) -> int:
    print(
        f"\n{options.rows:,} rows x {options.columns} columns, {options.pixels} pixels a frame; milliseconds a frame\n"
    )
    print(f"{'':<18} {'median':>8} {'99 of 100':>10} {'longest':>8} {'late':>8}")
    late = {}
    for title, times in found.items():
        late[title] = sum(each > LATE_MS for each in times) / len(times)
        most = statistics.quantiles(times, n=100)[98]
        print(f"{title:<18} {statistics.median(times):>8.1f} {most:>10.1f} {max(times):>8.1f} {late[title]:>8.2%}")
    good = late["page of the Base"] <= max(MOST_LATE, late[PLAIN])
    print(f"\nat most {MOST_LATE:.0%} late: {'ok' if good else 'not met'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
