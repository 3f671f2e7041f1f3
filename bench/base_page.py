"""What a large Base costs the table in the console: `python -m bench.base_page`.

A Base of 1,000 items and one of 1,000,000 stand in one server. Each request goes to the one and then to the other, in turn,
and the ratio is that of the two right after one another, so what else the machine does weighs on both alike. The page, its
rows and an indexed query should take as long in the large Base as in the small one. A search, a sort and a count look at a
bounded part of it: their ratio is that of the bound to the small Base, and no more at ten times the items.
"""

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench.load.data import group_name, make_item
from bench.pages import Visitor
from bench.systems.homeport import Homeport
from bench.systems.rows import load_rows
from bench.systems.statements import attach

SAME_MOST = 1.5  # the time in the large Base, at most, in times that in the small one


@dataclass(frozen=True)
class Row:
    """One kind of request: medians in milliseconds, and the median of the ratios."""

    title: str
    small_ms: float
    large_ms: float
    ratio: float
    is_bounded_only: bool


def main() -> int:
    """Prints the table. 0 when the large Base is as quick where it should be, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.base_page", description="A large Base in the console.")
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=40, help="pairs of requests of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-base-page-") as name:
        homeport = Homeport(Path(name))
        try:
            homeport.start([])
            attach(homeport)
            counts = {"small": options.small, "large": options.large}
            for base, count in counts.items():
                print(f"loading {count:,} items", flush=True)
                load_rows(homeport, base, count)
            visitor = Visitor(homeport)
            visitor.sign_up()
            return _report(_measure(homeport, visitor, counts, options.times), counts)
        finally:
            homeport.stop()


def _measure(homeport: Homeport, visitor: Visitor, counts: dict[str, int], times: int) -> list[Row]:
    asked = {base: _paths(homeport, base, count) for base, count in counts.items()}
    rows = []
    for title, (_, is_bounded_only) in asked["small"].items():
        pairs = [
            (visitor.time_ms(asked["small"][title][0]), visitor.time_ms(asked["large"][title][0])) for _ in range(times)
        ][times // 5 :]
        small, large = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        rows.append(Row(title, small, large, ratio, is_bounded_only))
    return rows


def _paths(homeport: Homeport, base: str, count: int) -> dict[str, tuple[str, bool]]:
    """Each kind of request: its path, and whether it only has to be bounded."""
    at = f"/collections/{homeport.collection_id}/base/{base}/"
    middle = sorted(make_item(number, count)["key"] for number in range(0, count, max(1, count // 100)))[50]
    equal = quote(f'{{"group": "{group_name(7, count)}"}}')
    none = quote('{"age?gt": 900}')
    return {
        "page": (at, False),
        "next rows": (f"{at}rows/?last={middle}", False),
        "equality": (f"{at}rows/?q={equal}", False),
        "count of all": (f"{at}count/", True),
        "count of equality": (f"{at}count/?q={equal}", True),
        "search, no hit": (f"{at}rows/?q=nowhere", True),
        "sort": (f"{at}rows/?sort=-score", True),
        "none match: why": (f"{at}count/?q={none}", True),
    }


def _report(rows: list[Row], counts: dict[str, int]) -> int:
    print(f"\n{'':<20} {counts['small']:>11,} {counts['large']:>13,} {'ratio':>7}")
    good = True
    for row in rows:
        verdict = "bounded" if row.is_bounded_only else "ok" if row.ratio <= SAME_MOST else "slower"
        good &= verdict != "slower"
        print(f"{row.title:<20} {row.small_ms:>8.1f} ms {row.large_ms:>10.1f} ms {row.ratio:>7.2f}  {verdict}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
