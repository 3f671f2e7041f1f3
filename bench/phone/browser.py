"""A phone in Chromium: its processor throttled, its network slow and far away. What it tells of a page that it opens.

On a machine that others use, a page's thread waits for its turn, and so do the server and the browser's other processes. Linux
counts how long the thread waited, which is no part of a page's times, and how long it had a processor: the parts of a page's
time can be added up from that.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, CDPSession
from playwright.sync_api import Error as PlaywrightError

from bench.phone.pages import Page

SLOWER = 4
LATENCY_MS = 60
BYTES_PER_S = 9_000_000 / 8
WIDTH, HEIGHT = 390, 844
QUIET_MS = 700
LOOK_S = 0.01
LIMIT_S = 60

# Notes when the first row was painted, which is a frame after it was there, and every task that took long.
_WATCH = """(() => {
  const seen = { first: 0, ready: 0, tasks: [] };
  window.__seen = seen;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) seen.tasks.push([task.startTime, task.duration]);
  }).observe({ type: "longtask", buffered: true });
  const look = () => {
    const found = document.querySelector(FIRST);
    if (found === null || found.getClientRects().length === 0) return requestAnimationFrame(look);
    return requestAnimationFrame(() => { seen.first = performance.now(); });
  };
  requestAnimationFrame(look);
  document.addEventListener("DOMContentLoaded", () => setTimeout(() => { seen.ready = performance.now(); }));
})()"""

_TOUCH = """([touched, answer]) => new Promise((resolve) => {
  const began = performance.now();
  const look = () => {
    if (document.querySelector(answer)) return requestAnimationFrame(() => resolve(performance.now() - began));
    return performance.now() - began > 10000 ? resolve(-1) : requestAnimationFrame(look);
  };
  const found = document.querySelector(touched);
  if (found === null) return resolve(-1);
  found.focus?.();
  const event = { bubbles: true, cancelable: true, button: 0 };
  for (const kind of ["pointerdown", "mousedown", "pointerup", "mouseup"])
    found.dispatchEvent(kind.startsWith("p") ? new PointerEvent(kind, event) : new MouseEvent(kind, event));
  found.click();
  return look();
})"""


@dataclass
class Loaded:
    """What opening a page took: milliseconds from the beginning of its navigation, and bytes on the wire with headers, by kind.

    `ready_ms` is when all its scripts have run and the last long task of its start is over, or the first row is there,
    whichever is later. `waited_ms` is how long the page's thread waited for a processor until then; neither has it in it.
    `busy_ms` is how long it had one. `answer_ms` is how long a touch then takes to show; -1 when it never did.
    """

    first_ms: float = 0
    ready_ms: float = 0
    waited_ms: float = 0
    busy_ms: float = 0
    answer_ms: float = -1
    longest_ms: float = 0
    requests: int = 0
    size_bytes: dict[str, int] = field(default_factory=dict)

    def parts_ms(self, server_ms: float) -> float:
        """What a visit takes when nothing overlaps: three ways to the server and back, its work, the bytes, the page's work."""
        return 3 * LATENCY_MS + server_ms + self.total_bytes / BYTES_PER_S * 1000 + self.busy_ms

    @property
    def total_bytes(self) -> int:
        return sum(self.size_bytes.values())


class _Wire:
    """What comes over the network, as Chromium tells of it."""

    def __init__(self, session: CDPSession) -> None:
        self._kinds: dict[str, str] = {}
        self._bytes: dict[str, int] = {}
        self.urls: dict[str, str] = {}
        session.on("Network.responseReceived", self._respond)
        session.on("Network.loadingFinished", self._finish)

    def _respond(self, event: dict[str, Any]) -> None:
        response = event["response"]
        if response.get("fromDiskCache") or not response["url"].startswith("http"):
            return
        self.urls[event["requestId"]] = response["url"]
        self._kinds[event["requestId"]] = event["type"].lower()
        self._bytes[event["requestId"]] = int(response["encodedDataLength"])

    def _finish(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._kinds:
            self._bytes[event["requestId"]] = int(event["encodedDataLength"])

    def write_into(self, loaded: Loaded) -> None:
        loaded.requests = len(self._kinds)
        for request, kind in self._kinds.items():
            loaded.size_bytes[kind] = loaded.size_bytes.get(kind, 0) + self._bytes[request]

    def by_url(self) -> list[tuple[str, int]]:
        """The address and the size of everything that came."""
        return [(self.urls[request], size) for request, size in self._bytes.items()]


class _Turns:
    """How long the main threads of the renderers have had a processor and waited for one, looked at all the time (on Linux)."""

    def __init__(self) -> None:
        # Renderers come out of these; a page may get another one when it is opened.
        self._zygotes = [each.pid for each in psutil.Process().children(recursive=True) if _is_zygote(each)]
        self._seen: list[tuple[float, dict[str, tuple[float, float]]]] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._is_over.set()
        self._thread.join()

    def between(self, began_ms: float, *ends_ms: float) -> list[tuple[float, float]]:
        """Of the one that did most until the last end: how long it worked and waited until each (milliseconds since 1970)."""
        start = self._stats_at(began_ms)
        stats = [self._stats_at(end_ms) for end_ms in ends_ms]
        if not stats[-1]:
            return [(0, 0)] * len(ends_ms)
        most = max(stats[-1], key=lambda pid: stats[-1][pid][0] - start.get(pid, (0, 0))[0])
        busy_0, waited_0 = start.get(most, (0, 0))
        told = [each.get(most, (busy_0, waited_0)) for each in stats]
        return [(busy - busy_0, waited - waited_0) for busy, waited in told]

    def _stats_at(self, at_ms: float) -> dict[str, tuple[float, float]]:
        return next((stats for at, stats in reversed(self._seen) if at <= at_ms), {})

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_S):
            renderers = {pid for zygote in self._zygotes for pid in _read(f"{zygote}/task/{zygote}/children")}
            stats = {pid: _read(f"{pid}/schedstat") for pid in renderers}
            told = {pid: (int(found[0]) / 1e6, int(found[1]) / 1e6) for pid, found in stats.items() if found}
            self._seen.append((time.time() * 1000, told))


def _is_zygote(process: psutil.Process) -> bool:
    try:
        return "--type=zygote" in process.cmdline()
    except psutil.Error:
        return False


def _read(name: str) -> list[str]:
    """The words of a file of `/proc`; none when there is no such process any more."""
    try:
        return Path("/proc", name).read_text().split()
    except OSError:
        return []


class Phone:
    """Opens pages in a browser that keeps what it has loaded, as a phone does from one page to the next."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self.by_url: list[tuple[str, int]] = []

    def open(self, page: Page, path: str) -> Loaded:
        """Opens the page in a tab of its own, and closes that."""
        tab = self._context.new_page()
        tab.set_default_timeout(LIMIT_S * 1000)
        session = self._context.new_cdp_session(tab)
        session.send("Network.enable")
        wire = _Wire(session)
        network = {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": BYTES_PER_S,
            "uploadThroughput": BYTES_PER_S,
        }
        session.send("Network.emulateNetworkConditions", network)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        tab.add_init_script(_WATCH.replace("FIRST", repr(page.first)))
        turns = _Turns()
        tab.goto(path, wait_until="load")
        seen = _wait_until_quiet(tab)
        turns.stop()
        began_ms: float = tab.evaluate("performance.timeOrigin")
        first_ms, ready_ms = seen["first"], _ready_ms(seen)
        ends = turns.between(began_ms, began_ms + first_ms, began_ms + ready_ms)
        (_, waited_at_first_ms), (busy_ms, waited_ms) = ends
        loaded = Loaded(first_ms - waited_at_first_ms, ready_ms - waited_ms, waited_ms, busy_ms)
        loaded.longest_ms = max((duration for _, duration in seen["tasks"]), default=0)
        wire.write_into(loaded)
        self.by_url = wire.by_url()
        loaded.answer_ms = tab.evaluate(_TOUCH, [page.touched, page.answer])
        tab.close()
        return loaded


def _wait_until_quiet(tab: Any) -> dict[str, Any]:
    """What the page noted, once it has its first row and has had no long task for a while."""
    ended = time.monotonic() + LIMIT_S
    while time.monotonic() < ended:
        tab.wait_for_timeout(QUIET_MS / 4)
        now, seen = tab.evaluate("[performance.now(), window.__seen]")
        latest = max([seen["ready"], seen["first"], *(start + duration for start, duration in seen["tasks"])])
        if seen["first"] and seen["ready"] and now - latest > QUIET_MS:
            return seen
    raise PlaywrightError(f"{tab.url} had no first row within {LIMIT_S} s")


def _ready_ms(seen: dict[str, Any]) -> float:
    """When scripts have run and no long task is under way that began before, or right behind another one."""
    ready = max(seen["ready"], seen["first"])
    for start, duration in sorted(seen["tasks"]):
        if start <= ready + 50:
            ready = max(ready, start + duration)
    return ready


@contextmanager
def new_phone(browser: Browser, origin: str, session: str = "") -> Iterator[Phone]:
    """A phone with nothing in its cache, signed in with that session if there is one."""
    context = browser.new_context(
        base_url=origin, viewport={"width": WIDTH, "height": HEIGHT}, is_mobile=True, has_touch=True
    )
    if session:
        context.add_cookies([{"name": "sessionid", "value": session, "url": origin}])
    try:
        yield Phone(context)
    finally:
        context.close()
