"""What recording requests costs, and what a collection with many recorded requests costs: `python -m bench.visor`.

First part: what `bench/measures/recording.py` measures, for longer than `make bench` does. Second part: a collection with
`--small` and one with `--large` recorded requests, put straight into the table over twelve days; each kind of page is asked of
both, and the ratio says whether it grows dearer. A filter that finds little looks at a bounded number of requests: of a log
smaller than that it sees the end sooner.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench.load import wrk
from bench.measures.recording import measure_recording
from bench.systems.homeport import Homeport
from bench.systems.statements import attach, open_connection
from bench.tables import as_text

LEAST_RATIO = 0.85
MOST_GROWTH = 3.0
# A filter that finds its page early in the small log is compared with a look at all the lines of that instead.
LOOK_AT_ALL = "method, rare"
DAYS = 12
TIMES = 15
EVENTS_AT_ONCE = 10_000
HEADERS = (("Host", "example.com"), ("User-Agent", "bench"), ("X-API-Key", "[redacted]"))


def main() -> int:
    """Prints both tables. 0 when all targets are met, else 1; 2 without wrk."""
    parser = argparse.ArgumentParser(prog="python -m bench.visor", description="What recording requests costs.")
    parser.add_argument("--seconds", type=int, default=120, help="for each operation (default: 120)")
    parser.add_argument("--items", type=int, default=20_000, help="items in each collection (default: 20000)")
    parser.add_argument("--small", type=int, default=10_000, help="requests in the small log (default: 10000)")
    parser.add_argument("--large", type=int, default=10_000_000, help="requests in the large log (default: 10000000)")
    parser.add_argument("--skip-growth", action="store_true", help="leave out the second part")
    options = parser.parse_args()
    if options.seconds < 20:
        parser.error("what turns scatter by takes 20 seconds to be seen")
    if wrk.find_wrk() is None:
        print("wrk was not found; install Debian's package wrk (apt-get install wrk)", file=sys.stderr)
        return 2
    # Asked to end, we still stop our server and remove its files, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="bench-visor-") as name:
        homeport = Homeport(Path(name))
        try:
            good = _measure_recording(homeport, Path(name), options)
            if not options.skip_growth:
                good &= _measure_growth(options.small, options.large)
        finally:
            homeport.stop()
    return 0 if good else 1


def _measure_recording(homeport: Homeport, folder: Path, options: argparse.Namespace) -> bool:
    homeport.start([])
    attach(homeport)
    tables, figures = measure_recording(
        homeport,
        folder,
        items=options.items,
        duration_s=options.seconds,
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
    good = all(figure.value >= LEAST_RATIO for figure in figures.values())
    print("\n".join(map(as_text, tables)))
    print(f"least ratio {LEAST_RATIO}: {'met' if good else 'not met'}")
    return good


def _measure_growth(small: int, large: int) -> bool:
    from storage.events.queries import Conditions

    logs = {}
    for count in (small, large):
        print(f"writing {count:,} requests ...", file=sys.stderr, flush=True)
        logs[count], _ = _make_collection(f"log of {count}")
        _write_log(logs[count], count)
    middle = datetime.now(UTC) - timedelta(days=DAYS / 2)
    pages: dict[str, dict[str, Any]] = {
        "newest": {},
        "in the middle": {"until": middle},
        "errors": {"conditions": Conditions(status_from=400)},
        "errors of a path": {"conditions": Conditions(status_from=500, path="notes/items/1")},
        "sent by hand": {"conditions": Conditions(origin="by hand")},
        "method, rare": {"conditions": Conditions(method="DELETE")},
        "slower, none": {"conditions": Conditions(slower_us=10**9)},
        "text, none": {"conditions": Conditions(text="nowhere to be found")},
    }
    print(f"\nPages of {small:,} and of {large:,} recorded requests, medians of {TIMES}\n")
    print(f"{'page':<18} {'small':>10} {'large':>10} {'ratio':>7}")
    times = {
        title: [_time(partial(_list, log, arguments)) for log in logs.values()] for title, arguments in pages.items()
    }
    good = True
    for title, (in_small, in_large) in times.items():
        compared = max(in_small, times[LOOK_AT_ALL][0]) if "conditions" in pages[title] else in_small
        good &= in_large <= MOST_GROWTH * compared
        print(f"{title:<18} {in_small:>7.1f} ms {in_large:>7.1f} ms {in_large / in_small:>7.2f}")
    print(
        f"\nmost growth {MOST_GROWTH}, of a filter also of a look at all the small log: {'met' if good else 'not met'}"
    )
    return good


def _list(collection_id: str, arguments: dict[str, Any]) -> None:
    from storage.events import queries as event_queries

    event_queries.list_events(collection_id=collection_id, **arguments)


def _time(call: Callable[[], None]) -> float:
    durations = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        durations.append((time.perf_counter() - began) * 1000)
    return statistics.median(durations)


def _make_collection(name: str) -> tuple[str, str]:
    from storage.collections import collections, keys

    made = collections.create_collection(name)
    return made.id, keys.create_key(collection_id=made.id, name=name).text


def _write_log(collection_id: str, count: int) -> None:
    """Evenly over the last days, each in its partition, one in a hundred an error, with bodies of 300 bytes."""
    from storage.events import retention
    from storage.events.queue import EventQueue

    now = datetime.now(UTC)
    for ago in range(DAYS, -1, -1):
        retention.tidy_events(now - timedelta(days=ago))
    queue = EventQueue()
    first_ns, width_ns = int((now - timedelta(days=DAYS)).timestamp() * 1e9), int(DAYS * 86_400 * 1e9)
    for start in range(0, count, EVENTS_AT_ONCE):
        for number in range(start, min(start + EVENTS_AT_ONCE, count)):
            queue.put(_make_event(collection_id, number, first_ns + width_ns * number // count))
        queue.flush()
    with open_connection().cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM (ANALYZE) storage_eventblock")


def _make_event(collection_id: str, number: int, at_ns: int) -> Any:
    from storage.events.blocks import Body, Content, Event, Line
    from storage.events.ids import new_event_id

    method = "DELETE" if number % 1000 == 7 else "GET"
    status = 404 if number % 100 == 3 else 200
    path = f"notes/items/{number}"
    line = Line(new_event_id(at_ns), method, path, "", status, 1000 + number % 5000, 0, 300)
    body = Body(300, "application/json", f'{{"key":"{number}","text":"{"response " * 30}"}}')
    return Event(collection_id, line, Content((("Content-Type", "application/json"),), Body(), body), HEADERS)


if __name__ == "__main__":
    sys.exit(main())
