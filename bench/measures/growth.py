"""What it costs when a Base grows: a small and a large Base side by side in one Homeport.

Rows go straight into the items table here, as the API would take an hour over a million; everything measured goes
through the API.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from bench.load.data import Item, compact_json, make_item
from bench.load.workload import OPERATIONS, Ask, GroupEquals, Workload
from bench.load.wrk import Rate, Request, run_round, write_requests
from bench.measures.rounds import Ran, Rounds, Turn, measure_round
from bench.meters import memory
from bench.systems.homeport import Homeport
from bench.systems.rows import load_rows
from bench.tables import Table, rate_text
from bench.verdicts import Figure

SMALL_ITEMS, LARGE_ITEMS = 10_000, 1_000_000
SMALL_BASE, LARGE_BASE = "growth-small", "growth-large"
ASKS = 2_000
ASKED = ("get", "equality")
# Requests after which a worker's memory is read: its largest answer is a page of 1,000 items.
MEMORY_ROUND_S = 3
PAGE_PATHS = 50
MB = 1_000_000


def measure_growth(
    homeport: Homeport, folder: Path, *, duration_s: int, rounds: int, say: Callable[[str], None]
) -> tuple[list[Table], dict[str, Figure]]:
    """Loads both Bases into a running Homeport, restarts it and measures, interleaved.

    The time among 1,000,000 items is given as so many times that among 10,000.
    """
    counts = {SMALL_BASE: SMALL_ITEMS, LARGE_BASE: LARGE_ITEMS}
    for base, count in counts.items():
        say(f"loading {count:,} items into {base}")
        load_rows(homeport, base, count)
    # New workers, so that what they take is due to the Base they are asked about.
    homeport.stop()
    homeport.serve()
    names = (*ASKED, "page")
    paths = {
        (base, name): _write(homeport, folder, base, count, name) for base, count in counts.items() for name in names
    }
    peaks = {base: _workers_peak_bytes(homeport, paths, base) for base in counts}
    found = {name: Rounds() for name in ASKED}
    for number in range(rounds):
        say(f"growth, round {number + 1} of {rounds}")
        for name in ASKED:
            turns = [_turn(homeport, base, paths[base, name], duration_s) for base in counts]
            measure_round(turns, found[name], number=number)
    lines, figures = [], {}
    for name, each in found.items():
        ratio = each.ratio(SMALL_BASE, LARGE_BASE)
        figures[f"{name} grown"] = Figure(ratio, each.cpu(LARGE_BASE))
        cells = (text for base in counts for text in (rate_text(each.rate(base)), f"{each.cpu(base):.2f}"))
        lines.append((OPERATIONS[name], *cells, f"{ratio:.2f}"))
    small, large = (peaks[base] / MB for base in counts)
    lines.append(("web workers' peak RSS, MB", f"{small:,.0f}", "", f"{large:,.0f}", "", f"{large / small:.2f}"))
    head = ("answers per second, by items in the Base", "10,000", "ms", "1,000,000", "ms", "times")
    return [Table("Growth", head, lines)], figures


def _turn(homeport: Homeport, base: str, path: Path, duration_s: int) -> Turn:
    def run() -> Ran:
        rate = _run(homeport, path, duration_s)
        return Ran(rate.requests, rate.seconds)

    return Turn(base, run, homeport.tree)


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


def _run(homeport: Homeport, path: Path, duration_s: int) -> Rate:
    return run_round(origin=homeport.origin, headers=homeport.headers, requests_path=path, duration_s=duration_s)


def _workers_peak_bytes(homeport: Homeport, paths: dict[tuple[str, str], Path], base: str) -> int:
    """The highest RSS of the web workers while they answer from one Base: gets, equality, pages of 1,000."""
    peak = memory.PeakMemory(homeport.web_workers)
    with memory.Watch(peak):
        for name in ("get", "equality", "page"):
            _run(homeport, paths[base, name], MEMORY_ROUND_S)
    return peak.rss_bytes
