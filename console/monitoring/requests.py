"""Counts the requests of a web process, in its event loop: how many there were of each kind, how they ended, how long they took.

Beside the sums, which only grow, the last minutes are kept for the page about the server.
"""

import time
from bisect import bisect_left

from console.server.exchange import Exchange
from console.server.threads import OPERATION
from console.server.worker import Worker
from storage.counting.counted import BUCKETS, Counter, Gauge, Histogram, Minutes
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

# What came since it was last moved into the minutes.
_recent: dict[str, list[float]] = {}


def note_start() -> None:
    """This process has begun, as the first in its place or after another that died."""
    _STARTS.add()


def note(exchange: Exchange | None, status: str) -> None:
    """An answer goes out, of this status and reason; of what could not be read there is no exchange."""
    if exchange is None:
        surface, operation, seconds = "pages", "unreadable", 0.0
    else:
        seconds = time.perf_counter() - exchange.came_at
        surface, operation = exchange.kept.get(OPERATION) or _unnamed(exchange)
    REQUESTS.observe(surface, operation, status[:3], seconds=seconds)
    recent = _recent.get(surface)
    if recent is None:
        recent = _recent[surface] = [0.0] * _SIZE
    recent[bisect_left(BUCKETS, seconds)] += 1.0
    if status[0] == "5":
        recent[-1] += 1.0


def tick(worker: Worker) -> None:
    """Once a second: what came since the last time, and how busy the process is."""
    minute = int(time.time()) // 60
    for surface, recent in _recent.items():
        if any(recent):
            MINUTES.add(surface, recent, minute=minute)
            recent[:] = [0.0] * _SIZE
    _CONNECTIONS.set(to=worker.open_connections())
    for kind, waiting in worker.waiting().items():
        _WAITING.set(kind, to=waiting)
    in_use, idle, waiting = pool.load()
    _POOL.set("in_use", to=in_use)
    _POOL.set("idle", to=idle)
    _POOL.set("limit", to=pool.size)
    _POOL_WAITING.set(to=waiting)


def _unnamed(exchange: Exchange) -> tuple[str, str]:
    """What no route was found for, or was answered before one was looked for."""
    if exchange.kind == "micros":
        return "micros", "request"
    path: str = exchange.variables["PATH_INFO"]
    if path.startswith("/v1/"):
        return "api", "refused"
    return "pages", "static" if path.startswith("/static/") else "unknown"
