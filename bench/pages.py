"""What the console's pages weigh and cost the server: `python -m bench.pages`.

A server of its own is signed in to by its printed link, as a person would. Each page is asked for with no collection and
again with `--collections` of them; the ratio says whether pages grow dearer with what there is. A first load counts the
bytes on the wire of the page and of everything it names: stylesheets with what they import, scripts and modules, icons.
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.systems.homeport import Homeport

MOST_BYTES = 150_000
MOST_MS = 100.0
PASSWORD = "correct horse staple"


@dataclass(frozen=True)
class Page:
    """A page's first load in bytes, and its time in milliseconds when everything is warm (the median)."""

    size_bytes: int
    median_ms: float


class Visitor:
    """A browser's worth of requests: it signs in, fills forms, and counts bytes on the wire."""

    def __init__(self, homeport: Homeport) -> None:
        self._http = httpx.Client(base_url=homeport.origin, trust_env=False, timeout=30, follow_redirects=True)
        self._log = homeport.server.log_path if homeport.server else Path()

    def sign_up(self) -> None:
        link = _wait_for(self._log, r"https?://\S+/welcome/\S+")
        self.fill(httpx.URL(link).path, username="bench", password1=PASSWORD)

    def fill(self, path: str, **form: str) -> httpx.Response:
        """Send a form and return the page it leads to."""
        if "csrftoken" not in self._http.cookies:
            self._http.get(path)
        answer = self._http.post(path, data={**form, "csrfmiddlewaretoken": self._http.cookies["csrftoken"]})
        answer.raise_for_status()
        return answer

    @property
    def session(self) -> str:
        """What the cookie of somebody who has signed in holds."""
        return self._http.cookies["sessionid"]

    def measure(self, path: str, *, times: int) -> Page:
        durations = [self.time_ms(path) for _ in range(times)]
        return Page(self._first_load(path), statistics.median(durations[times // 5 :]))

    def time_ms(self, path: str) -> float:
        """How long one request takes, to the last byte."""
        began = time.perf_counter()
        self._http.get(path).raise_for_status()
        return (time.perf_counter() - began) * 1000

    def _first_load(self, path: str) -> int:
        seen: set[str] = set()
        waiting, total = [path], 0
        while waiting:
            url = waiting.pop()
            if url in seen:
                continue
            seen.add(url)
            with self._http.stream("GET", url) as answer:
                answer.raise_for_status()
                text = answer.read().decode(errors="replace")
                total += answer.num_bytes_downloaded
            waiting += [str(httpx.URL(url).join(inner)) for inner in _named_in(url, text)]
        return total


def _named_in(url: str, text: str) -> list[str]:
    if url.endswith(".css"):
        return re.findall(r'url\("([^"]+)"\)', text)
    if url.startswith("/static/"):
        return []
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', text)


def _wait_for(log: Path, pattern: str) -> str:
    for _ in range(100):
        if found := re.search(pattern, log.read_text()):
            return found.group()
        time.sleep(0.1)
    raise RuntimeError(f"{log} never showed {pattern}")


def main() -> int:
    """Prints the table. 0 when every page is light and fast enough, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description="The console's pages: weight and time.")
    parser.add_argument("--collections", type=int, default=1000)
    parser.add_argument("--times", type=int, default=60, help="requests of each page, of which the median is taken")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as name:
        homeport = Homeport(Path(name))
        homeport.serve()
        try:
            return _compare(Visitor(homeport), options)
        finally:
            homeport.stop()


def _compare(visitor: Visitor, options: argparse.Namespace) -> int:
    visitor.sign_up()
    paths = {"collections": "/", "people": "/people/", "palette": "/jump/?q=collection", "account": "/account/"}
    empty = {title: visitor.measure(path, times=options.times) for title, path in paths.items()}
    for number in range(options.collections):
        connect = visitor.fill("/collections/new/", name=f"Collection {number:04}")
        collection = f"/collections/{connect.url.path.split('/')[2]}"
        visitor.fill(f"{collection}/new-base/", name="notes")
    full = {title: visitor.measure(path, times=options.times) for title, path in paths.items()}
    for title, tab in (("bases", "base"), ("keys", "keys"), ("connect", "connect"), ("settings", "settings")):
        full[title] = visitor.measure(f"{collection}/{tab}/", times=options.times)
    print(f"\n{options.collections:,} collections against none; medians of {options.times}\n")
    print(f"{'page':<12} {'first load':>12} {'time':>9} {'empty':>9} {'ratio':>6}")
    good = True
    for title, page in full.items():
        good &= page.size_bytes < MOST_BYTES and page.median_ms < MOST_MS
        before = empty.get(title)
        ratio = f"{page.median_ms / before.median_ms:.2f}" if before else ""
        was = f"{before.median_ms:.1f} ms" if before else ""
        print(f"{title:<12} {page.size_bytes / 1000:>9.1f} kB {page.median_ms:>6.1f} ms {was:>9} {ratio:>6}")
    print(f"\nlimits: {MOST_BYTES / 1000:.0f} kB, {MOST_MS:.0f} ms: {'ok' if good else 'not met'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
