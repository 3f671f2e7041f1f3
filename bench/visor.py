"""What recording requests costs, and what a collection with many recorded requests costs: `python -m bench.visor`.

First part: two collections with the same items, one recorded and one not, are asked in turns of a second, over the same
connections and in one run of the load generator. A machine that others use as well is a third slower at one second than at
the next, and connections lie on the web processes as they may, so turns are short and many: the geometric mean of the
ratios of every two turns counts, given with its standard error. The first half of a turn does not count: until then what was
recorded in the turn before is being stored. After half of the time the other collection is the recorded one. Second
part: a collection with `--small` and one with `--large` recorded requests, put straight into the table over twelve
days; each kind of page is asked of both, and the ratio says whether it grows dearer.
A filter that finds little looks at a bounded number of requests: of a log smaller than that it sees the end sooner.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench.load import wrk
from bench.load.data import make_items
from bench.load.workload import Workload
from bench.systems.homeport import Homeport
from bench.systems.statements import attach, open_connection

OPERATIONS = ("get", "put", "equality")
LEAST_RATIO = 0.85
MOST_GROWTH = 3.0
# A filter that finds its page early in the small log is compared with a look at all the lines of that instead.
LOOK_AT_ALL = "method, rare"
DAYS = 12
ASKS = 2_000
TURN_S, SETTLE_S = 1.0, 0.5
SWITCH_S = 2.2
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
    homeport.start(make_items(options.items))
    attach(homeport)
    other = copy(homeport)
    other.make_collection(make_items(options.items))
    collections = (homeport, other)
    workload = Workload(options.items)
    for name in OPERATIONS:
        for each in collections:
            wrk.write_requests(
                _requests_path(folder, name, each), [each.request(ask) for ask in workload.asks(name)[:ASKS]]
            )
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in OPERATIONS}
    for recorded in collections:
        for each in collections:
            _switch(each.collection_id, each is recorded)
        time.sleep(SWITCH_S)
        for name in OPERATIONS:
            pairs = wrk.run_turns(
                origin=homeport.origin,
                content_type="application/json",
                asked=[(_requests_path(folder, name, each), each.data_key) for each in collections],
                duration_s=options.seconds // 2,
                turn_s=TURN_S,
                settle_s=SETTLE_S,
            )
            counted_s = TURN_S - SETTLE_S
            rates = [(first / counted_s, second / counted_s) for first, second in pairs]
            found[name] += [pair[::-1] for pair in rates] if recorded is homeport else rates
    time.sleep(3)
    counts = [_count(each.collection_id) for each in collections]
    kept, lost = (sum(column) for column in zip(*counts, strict=True))
    print(f"\nRecording, {options.seconds} s of each operation, means\n")
    print(f"{'operation':<12} {'not recorded':>14} {'recorded':>12} {'ratio':>7}")
    good = True
    for name, rates in found.items():
        ratios = [after / before for before, after in rates]
        ratio, error = statistics.geometric_mean(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5
        good &= ratio >= LEAST_RATIO
        before, after = (statistics.mean(column) for column in zip(*rates, strict=True))
        print(f"{name:<12} {before:>12.0f}/s {after:>10.0f}/s {ratio:>7.3f} +- {error:.3f}")
    print(f"\n{kept:,} requests were recorded, {lost:,} were lost.")
    print(f"least ratio {LEAST_RATIO}: {'met' if good else 'not met'}")
    return good


def _requests_path(folder: Path, name: str, homeport: Homeport) -> Path:
    return folder / f"{name} {homeport.collection_id}"


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


def _switch(collection_id: str, is_recorded: bool) -> None:
    """Record the collection's requests from now on, or no more; every process of the server knows `SWITCH_S` later."""
    from storage.events import recording

    (recording.start_recording if is_recorded else recording.stop_recording)(collection_id)


def _count(collection_id: str) -> tuple[int, int]:
    with open_connection().cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(requests), 0), coalesce(sum(lost), 0) FROM storage_eventminute WHERE collection_id = %s",
            [collection_id],
        )
        found: tuple[int, int] = cursor.fetchone()  # type: ignore[assignment]
        return found


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
