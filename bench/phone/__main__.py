"""The console on a slow phone: `python -m bench.phone`. Each page, with 1,000,000 items in a Base and 100,000 files in a folder.

Chromium's processor is throttled to a quarter, its network to 9 Mbit/s each way with 60 ms to wait for each answer, its window
is 390 x 844 pixels. Each page is opened with nothing in the browser's cache, and once more with everything in it; medians of
some rounds. The time to the first row ends with the frame that shows it; the time to interaction when the page's scripts have
run and no long task is under way. Then something is touched that a script has to answer: a page that does not fails the run.

On a busy machine everything waits. `waited` is how long the page's thread did until it was ready, and is taken off its times;
`parts` is what they add up to: three ways to the server and back, the server's work (the shortest of five requests), the
bytes, and the thread's own work (`busy`, throttled as it is). The smaller of `parts` and the measured time has to be within
the limit.

The server has one half of the processors and the browser the other (on Linux), as people's phones have processors of their own.
`--pages` names some pages alone, `--loads` lists what each of them loads.
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from bench.chromium import launch
from bench.phone.browser import Loaded, new_phone
from bench.phone.pages import PAGES
from bench.phone.world import make_world
from bench.systems.homeport import Homeport
from console.cpu_affinity import find_processors, keep_to

MOST_MS, MOST_BYTES = 1_500, 150_000
_HASH = re.compile(r"\.[0-9a-f]{12}\.")


def main() -> int:
    """Prints the table. 0 when every page is as quick and as light as it should be, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.phone", description="The console's pages on a slow phone.")
    parser.add_argument("--items", type=int, default=1_000_000, help="in the Base")
    parser.add_argument("--files", type=int, default=100_000, help="in each folder of the Drive")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", nargs="*", choices=list(PAGES), metavar="PAGE", help="these alone")
    parser.add_argument("--loads", action="store_true", help="list what each page loads")
    options = parser.parse_args()
    processors = find_processors()
    half = len(processors) // 2
    with tempfile.TemporaryDirectory(prefix="bench-phone-") as name:
        homeport = Homeport(Path(name))
        if half:
            keep_to(processors[half:])
        try:
            homeport.serve()
            if half:
                keep_to(processors[:half])
            visitor, known = make_world(homeport, items=options.items, files=options.files, say=_say)
            return measure(homeport.origin, visitor.session, known, options)
        finally:
            homeport.stop()


def measure(origin: str, session: str, known: dict[str, Any], options: argparse.Namespace) -> int:
    """The table of a server that is there."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        print(f"\n{'':<24} {'first row':>16} {'interaction':>16} {'on the wire':>18}  cold, when it is there:")
        print(("{:<24}" + " {:>8}{:>8} {:>8}{:>8} {:>9}{:>9}").format("", *["cold", "warm"] * 3), end=" ")
        print(f"{'requests':>9} {'longest':>8} {'waited':>7} {'server':>7} {'busy':>6} {'parts':>6} {'touch':>7}")
        good = True
        for title in options.pages or PAGES:
            page = PAGES[title]
            path = page.path.format(**known)
            cookies = {} if page.is_for_visitors else {"sessionid": session}
            server_ms = min(_ask_ms(origin + path, cookies) for _ in range(5))
            cold, warm, loads = [], [], []
            try:
                for _ in range(options.rounds):
                    with new_phone(browser, origin, "" if page.is_for_visitors else session) as phone:
                        cold.append(phone.open(page, path))
                        loads = phone.by_url
                        warm.append(phone.open(page, path))
            except PlaywrightError as error:
                good = False
                print(f"{title:<24} {error}", flush=True)
                continue
            good &= _print_line(title, _median(cold), _median(warm), server_ms)
            if options.loads:
                for url, size in sorted(loads, key=lambda load: -load[1]):
                    print(f"    {size:>8,}  {_HASH.sub('.', url.removeprefix(origin))}")
    print(f"\nlimits, cold: {MOST_MS / 1000} s, {MOST_BYTES / 1000:.0f} kB: {'reached' if good else 'not reached'}")
    return 0 if good else 1


def _median(loaded: list[Loaded]) -> Loaded:
    """The medians of each figure, the bytes of the last."""
    figures = {
        name: statistics.median(getattr(each, name) for each in loaded)
        for name in ("first_ms", "ready_ms", "waited_ms", "busy_ms", "longest_ms", "requests")
    }
    answer_ms = (
        -1.0 if any(each.answer_ms < 0 for each in loaded) else statistics.median(each.answer_ms for each in loaded)
    )
    return Loaded(**figures, answer_ms=answer_ms, size_bytes=loaded[-1].size_bytes)


def _ask_ms(url: str, cookies: dict[str, str]) -> float:
    began = time.perf_counter()
    httpx.get(url, cookies=cookies, trust_env=False, timeout=60).raise_for_status()
    return (time.perf_counter() - began) * 1000


def _print_line(title: str, cold: Loaded, warm: Loaded, server_ms: float) -> bool:
    parts_ms = cold.parts_ms(server_ms)
    faults = [
        *(["slow"] if min(max(cold.first_ms, cold.ready_ms), parts_ms) > MOST_MS else []),
        *(["heavy"] if cold.total_bytes > MOST_BYTES else []),
        *(["dead"] if cold.answer_ms < 0 or warm.answer_ms < 0 else []),
    ]
    times = f"{cold.first_ms:>8.0f}{warm.first_ms:>8.0f} {cold.ready_ms:>8.0f}{warm.ready_ms:>8.0f}"
    sizes = f"{cold.total_bytes / 1000:>6.1f} kB{warm.total_bytes / 1000:>6.1f} kB {cold.requests:>9.0f}"
    waits = f"{cold.longest_ms:>8.0f} {cold.waited_ms:>7.0f} {server_ms:>7.0f} {cold.busy_ms:>6.0f} {parts_ms:>6.0f}"
    verdict = " and ".join(faults) or "reached"
    print(f"{title:<24} {times} {sizes} {waits} {cold.answer_ms:>7.0f}  {verdict}", flush=True)
    return not faults


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
