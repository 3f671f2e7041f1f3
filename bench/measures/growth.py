"""What it costs when a Base grows: a small and a large Base side by side in one Homeport.

Rows go straight into the items table here, as the API would take an hour over a million; everything measured goes
through the API.
"""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.load.data import Item, compact_json, make_item
from bench.load.workload import Ask, GroupEquals, Workload
from bench.load.wrk import Request, run_round, write_requests
from bench.meters import memory
from bench.systems.homeport import Homeport
from bench.systems.rows import load_rows

SMALL_ITEMS, LARGE_ITEMS = 10_000, 1_000_000
ASKS = 2_000
# The time in the large Base may be at most this many times the time in the small one.
TIME_TARGETS = {"get": 1.3, "equality": 2.0}
# Requests after which a worker's memory is read: its largest answer is a page of 1,000 items.
MEMORY_ROUND_S = 4
PAGE_PATHS = 50


@dataclass(frozen=True)
class GrowthRow:
    """Rates of one operation in the two Bases; `time_ratio` is how much longer it takes in the large one."""

    name: str
    small_per_s: float
    large_per_s: float
    time_ratio: float
    target: float


@dataclass(frozen=True)
class Growth:
    """The rows, and the highest memory of the web workers after rounds on each Base alone."""

    rows: list[GrowthRow]
    small_workers_bytes: int
    large_workers_bytes: int


def measure_growth(
    homeport: Homeport, folder: Path, *, duration_s: int, rounds: int, say: Callable[[str], None]
) -> Growth:
    """Loads both Bases into a running Homeport, restarts it and measures, interleaved."""
    counts = {"growth-small": SMALL_ITEMS, "growth-large": LARGE_ITEMS}
    for base, count in counts.items():
        say(f"loading {count:,} items into {base}")
        load_rows(homeport, base, count)
    # New workers, so that what they take is due to the Base they are asked about.
    homeport.stop()
    homeport.serve()
    names = (*TIME_TARGETS, "page")
    paths = {
        (base, name): _write(homeport, folder, base, count, name) for base, count in counts.items() for name in names
    }
    peaks = {base: _workers_peak_bytes(homeport, paths, base) for base in counts}
    rates: dict[tuple[str, str], list[float]] = {key: [] for key in paths if key[1] in TIME_TARGETS}
    for number in range(rounds):
        say(f"growth, round {number + 1} of {rounds}")
        for key in rates:
            rates[key].append(_run(homeport, paths[key], duration_s))
    rows = []
    for name, target in TIME_TARGETS.items():
        small, large = rates["growth-small", name], rates["growth-large", name]
        ratio = statistics.median(a / b for a, b in zip(small, large, strict=True))
        rows.append(GrowthRow(name, statistics.median(small), statistics.median(large), ratio, target))
    return Growth(rows, peaks["growth-small"], peaks["growth-large"])


def _write(homeport: Homeport, folder: Path, base: str, count: int, name: str) -> Path:
    path = folder / f"{base}-{name}"
    write_requests(path, _requests(homeport, base, count, name))
    return path


def _requests(homeport: Homeport, base: str, count: int, name: str) -> Iterable[Request]:
    if name == "page":
        path = homeport.request(GroupEquals(""), base=base).path
        return [Request("POST", path, compact_json({"limit": 1000, "last": item["key"]})) for item in _some(count)]
    asks: list[Ask] = Workload(count).asks(name)[:ASKS]
    return [homeport.request(ask, base=base) for ask in asks]


def _some(count: int) -> list[Item]:
    return [make_item(number, count) for number in range(0, count, count // PAGE_PATHS)]


def _run(homeport: Homeport, path: Path, duration_s: int) -> float:
    return run_round(
        origin=homeport.origin, headers=homeport.headers, requests_path=path, duration_s=duration_s
    ).requests_per_s


def _workers_peak_bytes(homeport: Homeport, paths: dict[tuple[str, str], Path], base: str) -> int:
    """The highest RSS of the web workers while they answer from one Base: gets, equality, pages of 1,000."""
    peak = memory.PeakMemory(homeport.web_workers)
    with memory.Watch(peak):
        for name in ("get", "equality", "page"):
            _run(homeport, paths[base, name], MEMORY_ROUND_S)
    return peak.rss_bytes
