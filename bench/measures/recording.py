"""What recording requests costs those who are recorded.

Two collections with the same items, one recorded and one not, are asked in turns of a second, over the same
connections and in one run of the load generator. A machine that others use as well is a third slower at one second than at
the next, and connections lie on the web processes as they may, so turns are short and many: the geometric mean of the
ratios of every two turns counts, given with its standard error. The first half of a turn does not count: until then what was
recorded in the turn before is being stored. After half of the time the other collection is the recorded one.
"""

import statistics
import time
from collections.abc import Callable
from copy import copy
from pathlib import Path

from bench.load import wrk
from bench.load.data import make_items
from bench.load.workload import OPERATIONS, Workload
from bench.systems.homeport import Homeport
from bench.systems.statements import open_connection
from bench.tables import Table, rate_text
from bench.verdicts import Figure

ASKED = ("get", "put", "equality")
ASKS = 2_000
TURN_S, SETTLE_S = 1.0, 0.5
SWITCH_S = 2.2
# Until the last of what was recorded is stored.
STORED_S = 3


def measure_recording(
    homeport: Homeport, folder: Path, *, items: int, duration_s: int, say: Callable[[str], None]
) -> tuple[list[Table], dict[str, Figure]]:
    """Makes both collections in a running Homeport, which `statements.attach` is attached to.

    `duration_s` is for each operation.
    """
    say(f"recording: loading {items:,} items twice")
    collections = (copy(homeport), copy(homeport))
    workload = Workload(items)
    for each in collections:
        each.make_collection(make_items(items))
        for name in ASKED:
            wrk.write_requests(_path(folder, name, each), [each.request(ask) for ask in workload.asks(name)[:ASKS]])
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ASKED}
    for recorded in collections:
        for each in collections:
            _switch(each.collection_id, is_recorded=each is recorded)
        time.sleep(SWITCH_S)
        for name in ASKED:
            say(f"recording: {name}")
            pairs = _run(collections, folder, name, duration_s // 2)
            found[name] += [pair[::-1] for pair in pairs] if recorded is collections[0] else pairs
    time.sleep(STORED_S)
    for each in collections:
        _switch(each.collection_id, is_recorded=False)
    kept, lost = (sum(column) for column in zip(*(_count(each.collection_id) for each in collections), strict=True))
    lines, figures = [], {}
    for name, rates in found.items():
        ratios = [after / before for before, after in rates]
        ratio, error = statistics.geometric_mean(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5
        figures[f"{name} recorded"] = Figure(ratio)
        before, after = (statistics.mean(column) for column in zip(*rates, strict=True))
        lines.append((OPERATIONS[name], rate_text(before), rate_text(after), f"{ratio:.3f}", f"{error:.3f}"))
    head = ("answers per second", "not recorded", "recorded", "ratio", "+-")
    notes = [f"{kept:,} requests were recorded, {lost:,} were lost."]
    return [Table("What recording costs", head, lines, notes)], figures


def _run(collections: tuple[Homeport, Homeport], folder: Path, name: str, duration_s: int) -> list[tuple[float, float]]:
    """Rates of both collections, of every two turns."""
    pairs = wrk.run_turns(
        origin=collections[0].origin,
        content_type="application/json",
        asked=[(_path(folder, name, each), each.data_key) for each in collections],
        duration_s=duration_s,
        turn_s=TURN_S,
        settle_s=SETTLE_S,
    )
    counted_s = TURN_S - SETTLE_S
    return [(first / counted_s, second / counted_s) for first, second in pairs]


def _path(folder: Path, name: str, homeport: Homeport) -> Path:
    return folder / f"{name} {homeport.collection_id}"


def _switch(collection_id: str, *, is_recorded: bool) -> None:
    """Record the collection's requests from now on, or no more; every process of the server knows `SWITCH_S` later."""
    from storage.events import recording

    (recording.start_recording if is_recorded else recording.stop_recording)(collection_id)


def _count(collection_id: str) -> tuple[int, int]:
    """How many requests were recorded, and how many were lost."""
    with open_connection().cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(requests), 0), coalesce(sum(lost), 0) FROM storage_eventminute WHERE collection_id = %s",
            [collection_id],
        )
        found: tuple[int, int] = cursor.fetchone()  # type: ignore[assignment]
        return found
