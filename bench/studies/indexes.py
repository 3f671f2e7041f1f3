"""`python -m bench.studies.indexes`: what the equality index costs and gives, in each shape that was considered.

Runs the storage functions of one client, without HTTP, on Homeport's own Postgres. Rates are operations a second, each
shape measured in turn in every round; the ratio is against having no index, where an equality query scans instead.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.load.data import HITS_PER_GROUP, compact_json, group_name, make_item, make_items
from bench.systems.homeport import BASE, Homeport
from bench.systems.statements import attach, open_connection

ITEMS = 100_000
ROUNDS = 3
INDEX = (
    "CREATE INDEX item_equality ON storage_item"
    " USING gin (jsonb_set('{}'::jsonb, ARRAY[base_id::text], value) jsonb_path_ops)"
)
SHAPES = {
    "no index": None,
    "pending list 4 MB": f"{INDEX} WITH (gin_pending_list_limit = 4096)",
    "pending list 1 MB": f"{INDEX} WITH (gin_pending_list_limit = 1024)",
    "pending list 512 KB": f"{INDEX} WITH (gin_pending_list_limit = 512)",
    "pending list 64 KB": f"{INDEX} WITH (gin_pending_list_limit = 64)",
    "no pending list (shipped)": f"{INDEX} WITH (fastupdate = off)",
}


def main() -> None:
    """Starts Homeport in a folder of its own, loads it, and prints the table."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        Path(name).chmod(0o711)
        (Path(name) / "homeport").mkdir()
        homeport = Homeport(Path(name) / "homeport")
        try:
            homeport.start(make_items(ITEMS))
            attach(homeport)
            _report(_measure(homeport))
        finally:
            homeport.stop()


def _measure(homeport: Homeport) -> dict[str, list[tuple[float, ...]]]:
    """Per shape and round: bytes an item, and puts, puts of 25 and equality queries a second."""
    from storage.postgres.caller import Access
    from storage.postgres.database import run
    from storage.postgres.statements import Statement

    # This connection serves all that follows: building an index takes longer than a web request may.
    open_connection().execute("SET statement_timeout = 0")
    access = Access(homeport.collection_id)
    found: dict[str, list[tuple[float, ...]]] = {}
    for number in range(ROUNDS):
        for shape, statement in SHAPES.items():
            print(f"round {number + 1} of {ROUNDS}: {shape}", file=sys.stderr, flush=True)
            for text in ("DROP INDEX IF EXISTS item_equality", statement, "VACUUM (ANALYZE) storage_item"):
                if text is not None:
                    run(Statement(text, [], tuple))
            ((size,),) = run(Statement("SELECT coalesce(pg_relation_size(to_regclass('item_equality')), 0)", [], tuple))
            found.setdefault(shape, []).append(
                (size / ITEMS, _puts(access, 300, 1), _puts(access, 60, 25), _equality(access))
            )
    return found


def _puts(access: Any, count: int, items_each: int) -> float:
    from storage.base import items
    from storage.exact_json import parse

    chance = random.Random()
    batches = [
        parse(compact_json([_changed(n) for n in chance.sample(range(ITEMS), items_each)]).encode())
        for _ in range(count)
    ]
    return _rate(lambda number: items.put_items(access=access, base=BASE, items=batches[number]), count)


def _changed(number: int) -> dict[str, Any]:
    return make_item(number, ITEMS, visits=random.randrange(1_000_000))


def _equality(access: Any) -> float:
    from storage.base import items
    from storage.base.query import parse_query

    def ask(_: int) -> None:
        group = group_name(random.randrange(ITEMS), ITEMS)
        hits, last = 0, None
        while hits == 0 or last is not None:  # without the index it takes many pages
            page = items.query_items(
                access=access, base=BASE, predicate=parse_query({"group": group}), limit=1000, last=last
            )
            hits, last = hits + len(page.items), page.last
        assert hits == HITS_PER_GROUP

    return _rate(ask, 200)


def _rate(operation: Callable[[int], object], count: int) -> float:
    started = time.perf_counter()
    for number in range(count):
        operation(number)
    return count / (time.perf_counter() - started)


def _report(found: dict[str, list[tuple[float, ...]]]) -> None:
    medians = {
        shape: [statistics.median(column) for column in zip(*rounds, strict=True)] for shape, rounds in found.items()
    }
    base = medians["no index"]
    print(
        f"{'':30}{'bytes/item':>12}{'put':>10}{'put 25':>10}{'equality':>10}   ratio to no index: put, put 25, equality"
    )
    for shape, (size, *rates) in medians.items():
        ratios = "  ".join(f"{rate / plain:.2f}" for rate, plain in zip(rates, base[1:], strict=True))
        print(f"{shape:30}{size:>12.0f}{rates[0]:>10.0f}{rates[1]:>10.0f}{rates[2]:>10.0f}   {ratios}")


if __name__ == "__main__":
    main()
