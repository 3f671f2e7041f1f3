"""`python -m bench.studies.attribute_indexes`: what indexes of attributes cost writers, and what they give a sorted table.

Puts go over HTTP, into Bases of the same items: one without an index, one with two whose attributes every put changes, and the
first again while a thousand indexes of other Bases are on the server; besides the rate, the processor time of a put, which is
steadier on a machine that does other things as well. The first page of a sorted table is read by the storage
function, without HTTP. Medians of rounds in which each takes its turn.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.load.data import Item, make_item, make_items
from bench.load.workload import Put
from bench.load.wrk import run_round, write_requests
from bench.meters import cpu
from bench.systems.homeport import Homeport
from bench.systems.rows import build_index, load_rows
from bench.systems.statements import attach, open_connection

PUT_ITEMS, PUTS = 20_000, 4_000
INDEXES_ELSEWHERE = 1_000
SMALL_ITEMS = 10_000
PAGES_IN_A_ROUND = 40
# The least ratio to the Base without indexes, and how much longer the first page may take in the large Base.
TARGETS = {"put, two indexes": 0.8, "put, 1,000 indexes of other Bases": 0.95}
SORT_TARGET = 1.5


def main() -> None:
    """Starts Homeport in a folder of its own, loads it, and prints both tables."""
    options = _parse_options()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "homeport").mkdir()
        homeport = Homeport(folder / "homeport")
        try:
            homeport.start(make_items(PUT_ITEMS))
            attach(homeport)
            homeport.load("indexed", make_items(PUT_ITEMS))
            build_index(homeport, "indexed", "visits")
            build_index(homeport, "indexed", "age")
            print(_puts(homeport, folder, options), flush=True)
            print(_sorts(homeport, options), flush=True)
        finally:
            homeport.stop()


def _puts(homeport: Homeport, folder: Path, options: argparse.Namespace) -> str:
    chance = random.Random(1)
    paths: dict[str, Path] = {}
    for base in ("bench", "indexed"):
        asks = [Put([_changed(number, chance)]) for number in chance.sample(range(PUT_ITEMS), PUTS)]
        paths[base] = folder / f"puts-{base}"
        write_requests(paths[base], [homeport.request(ask, base=base) for ask in asks])

    def put(base: str) -> tuple[float, float]:
        """Puts a second, and the processor time of the whole server that one takes, in ms."""
        assert homeport.server is not None
        used_s = cpu.used_s(homeport.server.tree())
        rate = run_round(
            origin=homeport.origin, headers=homeport.headers, requests_path=paths[base], duration_s=options.seconds
        ).requests_per_s
        return rate, (cpu.used_s(homeport.server.tree()) - used_s) * 1000 / (rate * options.seconds)

    turns = [("none", "bench", 0), ("put, two indexes", "indexed", 0)]
    turns.append(("put, 1,000 indexes of other Bases", "bench", INDEXES_ELSEWHERE))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name, _, _ in turns}
    for number in range(options.rounds + 1):
        # Each comes first, second and last as often as the others.
        for name, base, elsewhere in turns[number % 3 :] + turns[: number % 3]:
            _set_indexes_elsewhere(homeport, elsewhere)
            measured = put(base)
            if number:  # the first round warms up
                found[name].append(measured)
    _set_indexes_elsewhere(homeport, 0)
    lines = [f"{'':36}{'a second':>10}{'of none':>9}{'processor ms':>14}{'of none':>9}"]
    for name, rounds in found.items():
        rate, cost = (statistics.median(column) for column in zip(*rounds, strict=True))
        pairs = list(zip(rounds, found["none"], strict=True))
        ratio = statistics.median(ours[0] / none[0] for ours, none in pairs)
        costs = statistics.median(none[1] / ours[1] for ours, none in pairs)
        target = f"  {_met(ratio >= TARGETS[name])}: {TARGETS[name]}" if name in TARGETS else ""
        lines.append(f"{name:36}{rate:>10.0f}{ratio:>9.2f}{cost:>14.2f}{costs:>9.2f}{target}")
    return "\n".join(lines)


def _changed(number: int, chance: random.Random) -> Item:
    return {**make_item(number, PUT_ITEMS, visits=chance.randrange(1, 1_000_000)), "age": chance.randrange(1_000)}


def _set_indexes_elsewhere(homeport: Homeport, count: int) -> None:
    """Three for each of some empty Bases."""
    with open_connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO storage_base (collection_id, name) SELECT %s, 'other-' || n FROM generate_series(1, %s) n"
            " ON CONFLICT DO NOTHING",
            [homeport.collection_id, count // 3 + 1],
        )
        others = "SELECT id FROM storage_base WHERE collection_id = %s AND name LIKE 'other-%%'"
        cursor.execute(f"DELETE FROM storage_attributeindex WHERE base_id IN ({others})", [homeport.collection_id])
        cursor.execute(
            f"INSERT INTO storage_attributeindex (base_id, path, state, entries, expected)"
            f" SELECT b.id, ARRAY[a.name], 'ready', 0, 0 FROM ({others}) b, unnest(ARRAY['a', 'b', 'c']) a(name) LIMIT %s",
            [homeport.collection_id, count],
        )
        cursor.execute("VACUUM ANALYZE storage_attributeindex")


def _sorts(homeport: Homeport, options: argparse.Namespace) -> str:
    counts = {"small": SMALL_ITEMS, "large": options.items}
    for base, count in counts.items():
        load_rows(homeport, base, count)
        build_index(homeport, base, "score")
    page = _first_page(homeport)
    spent: dict[str, list[float]] = {base: [] for base in counts}
    for _ in range(options.rounds * PAGES_IN_A_ROUND):
        for base, times in spent.items():
            began = time.perf_counter()
            page(base)
            times.append(time.perf_counter() - began)
    small, large = (statistics.median(spent[base]) * 1000 for base in counts)
    ratio = large / small
    return (
        f"first sorted page: {small:.2f} ms of {SMALL_ITEMS:,} items, {large:.2f} ms of {options.items:,}:"
        f" {ratio:.2f} times ({_met(ratio <= SORT_TARGET)}: {SORT_TARGET})"
    )


def _first_page(homeport: Homeport) -> Callable[[str], None]:
    from storage.base import sorting
    from storage.base.query import Predicate
    from storage.postgres.caller import Access

    open_connection()
    access = Access(homeport.collection_id)

    def read(base: str) -> None:
        order = [sorting.SortStep("score")]
        found = sorting.sort_items(access=access, base=base, predicate=Predicate(), order=order)
        assert found.next_position is not None

    return read


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.studies.attribute_indexes", description="Indexes of attributes."
    )
    parser.add_argument("--seconds", type=int, default=5, help="length of a round (default: 5)")
    parser.add_argument("--rounds", type=int, default=6, help="rounds, of which medians are taken (default: 6)")
    parser.add_argument("--items", type=int, default=1_000_000, help="items of the large Base (default: 1000000)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
