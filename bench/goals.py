"""What the figures are held against: the goals of `make bench`, which `docs/performance.md` lists. Data only.

How a figure is come by says the measure that yields it; what is said of it says `verdicts.py`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """One line of the result. `name` is what the measure calls its figure; `bound` is in `unit`.

    The figure has to be `bound` at least, or where `is_most` is set, at most.
    """

    name: str
    title: str
    bound: float
    is_most: bool = False
    unit: str = ""


PGBENCH = "share of pgbench's rate, same statements"
POCKETBASE = "times PocketBase's rate"
KINTO = "times Kinto's rate, 10,000 items"
S3 = "share of S3 asked directly"

GOALS = (
    Goal("get of pgbench", f"get, {PGBENCH}", 0.4),
    Goal("put of pgbench", f"put, {PGBENCH}", 0.5),
    Goal("equality of pgbench", f"equality, {PGBENCH}", 0.5),
    Goal("key-order of pgbench", f"key order, {PGBENCH}", 0.85),
    Goal("get of PocketBase", f"get, {POCKETBASE}", 1.0),
    Goal("put of PocketBase", f"put, {POCKETBASE}", 1.5),
    Goal("put25 of PocketBase", f"put of 25 items, {POCKETBASE}", 5.0),
    Goal("equality of PocketBase", f"equality, {POCKETBASE}", 1.2),
    Goal("key-range of PocketBase", f"key range, {POCKETBASE}", 2.5),
    Goal("range of PocketBase", f"range of an attribute, {POCKETBASE}", 2.5),
    Goal("key-order of PocketBase", f"key order, {POCKETBASE}", 2.5),
    Goal("insert of PocketBase", f"insert with a new key, 64 connections, {POCKETBASE}", 1.2),
    Goal("get of Kinto", f"get, {KINTO}", 8.0),
    Goal("put of Kinto", f"put, {KINTO}", 8.0),
    Goal("put25 of Kinto", f"put of 25 items, {KINTO}", 8.0),
    Goal("equality of Kinto", f"equality, {KINTO}", 8.0),
    Goal("key-range of Kinto", f"key range, {KINTO}", 8.0),
    Goal("key-order of Kinto", f"key order, {KINTO}", 8.0),
    Goal("memory", "PSS of the whole server at its peak, without Micros", 720, is_most=True, unit="MB"),
    Goal("get recorded", "get, share of the rate without recording", 0.85),
    Goal("put recorded", "put, share of the rate without recording", 0.85),
    Goal("equality recorded", "equality, share of the rate without recording", 0.85),
    Goal("get beside slow clients", "get beside 600 slow clients, share of the rate alone", 0.7),
    Goal("get grown", "get among 1,000,000 items, times the time among 10,000", 1.3, is_most=True),
    Goal("equality grown", "equality among 1,000,000 items, times the time among 10,000", 2.0, is_most=True),
    Goal("get 1 KB", f"file get, 1 KB, {S3}", 0.25),
    Goal("get 1 MB", f"file get, 1 MB, {S3}", 0.7),
    Goal("get 10 MB", f"file get, 10 MB, {S3}", 0.9),
    Goal("put 1 KB", f"file put, 1 KB, {S3}", 0.3),
    Goal("put 1 MB", f"file put, 1 MB, {S3}", 0.8),
    Goal("put 10 MB", f"file put, 10 MB, {S3}", 0.9),
)
