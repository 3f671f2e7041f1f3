"""Counts the requests of a web process, in its event loop: how many there were of each kind, how they ended, how long they took.

Beside the sums, which only grow, the last minutes are kept for the page about the server.
"""

import time
from time import perf_counter

from console.server.exchange import Exchange
from console.server.threads import OPERATION
from console.server.worker import Worker
from storage.counting.counted import BUCKETS, Counter, Gauge, Histogram, Minutes, add
from storage.postgres.connections import pool

MINUTES_KEPT = 16
_SIZE = len(BUCKETS) + 2

REQUESTS = Histogram("homeport_http_request_duration_seconds")
# How many fell into each of the buckets, and how many of them were answered with 500 or above.
MINUTES = Minutes("requests", size=_SIZE, kept=MINUTES_KEPT)
_STARTS = Counter("homeport_web_worker_starts")
_CONNECTIONS = Gauge("homeport_http_connections")
_WAITING = Gauge("homeport_http_requests_waiting")
_POOL = Gauge("homeport_postgres_pool_connections")
_POOL_WAITING = Gauge("homeport_postgres_pool_waiting")


class _Series:
    """One kind of requests that ended in one way. The event loop's thread alone counts in it."""

    __slots__ = ("is_error", "moved", "numbers", "surface")

    def __init__(self, surface: str, operation: str, code: str) -> None:
        self.surface, self.is_error = surface, code.startswith("5")
        self.numbers = REQUESTS.series(surface, operation, code)
        # So far it was moved into the minutes, or is of a process that had this place before.
        self.moved = self.numbers.tolist()


_series: list[_Series] = []
_counts: dict[tuple[tuple[str, str], str], "memoryview[float]"] = {}
_UNREADABLE = ("pages", "unreadable")


def note_start() -> None:
    """This process has begun, as the first in its place or after another that died."""
    _STARTS.add()


def note(exchange: Exchange | None, status: str) -> None:
    """An answer goes out, of this status and reason; of what could not be read there is no exchange."""
    operation = _UNREADABLE if exchange is None else exchange.kept.get(OPERATION) or _unnamed(exchange)
    # What reason stands behind the code, an app may choose.
    key = (operation, status[:3])
    counts = _counts.get(key)
    if counts is None:
        series = _Series(operation[0], operation[1], status[:3])
        _series.append(series)
        counts = _counts[key] = series.numbers
    add(counts, 0.0 if exchange is None else perf_counter() - exchange.came_at)


def tick(worker: Worker) -> None:
    """Once a second: what came since the last time, and how busy the process is."""
    _move_to_minutes(int(time.time()) // 60)
    _CONNECTIONS.set(to=worker.open_connections())
    for kind, waiting in worker.waiting().items():
        _WAITING.set(kind, to=waiting)
    in_use, idle, waiting = pool.load()
    _POOL.set("in_use", to=in_use)
    _POOL.set("idle", to=idle)
    _POOL.set("limit", to=pool.size)
    _POOL_WAITING.set(to=waiting)


def _move_to_minutes(minute: int) -> None:
    for series in _series:
        numbers = series.numbers.tolist()
        if numbers[1:] != series.moved[1:]:
            came = [now - before for now, before in zip(numbers, series.moved, strict=True)][1:]
            MINUTES.add(series.surface, [*came, sum(came) if series.is_error else 0.0], minute=minute)
            series.moved = numbers


def _unnamed(exchange: Exchange) -> tuple[str, str]:
    """What no route was found for, or was answered before one was looked for."""
    if exchange.kind == "micros":
        return "micros", "request"
    path: str = exchange.variables["PATH_INFO"]
    if path.startswith("/v1/"):
        return "api", "refused"
    return "pages", "static" if path.startswith("/static/") else "unknown"
