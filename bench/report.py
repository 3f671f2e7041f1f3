"""The plain text that a run prints at its end. It owns the layout alone; how to read it is in `bench/__init__.py`."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.measures.files import FileRow
from bench.measures.growth import Growth
from bench.meters.memory import PeakMemory
from bench.studies.listing import ListingRow

MB = 1_000_000


@dataclass(frozen=True)
class Row:
    """Medians of one operation. `ratios` has one element a round; `limit_per_s` is pgbench's rate."""

    title: str
    homeport_per_s: float
    pocketbase_per_s: float
    ratios: Sequence[float]
    target: float
    limit_per_s: float
    requests_per_answer: float
    homeport_cpu_ms: float
    pocketbase_cpu_ms: float

    @property
    def ratio(self) -> float:
        """The median, which the target is held against."""
        return statistics.median(self.ratios)


def verdict(*, met: bool) -> str:
    return "ok" if met else "below"


def rates_table(rows: Sequence[Row]) -> str:
    """Rates in whole answers per second, and their ratios."""
    lines = [
        (
            "answers per second",
            "Homeport",
            "PocketBase",
            "ratio",
            "lowest-highest",
            "target",
            "",
            "pgbench",
            "of pgbench",
        ),
        *(
            (
                row.title,
                _rate(row.homeport_per_s),
                _rate(row.pocketbase_per_s),
                f"{row.ratio:.2f}",
                f"{min(row.ratios):.2f}-{max(row.ratios):.2f}",
                f">= {row.target:.1f}",
                verdict(met=row.ratio >= row.target),
                _rate(row.limit_per_s),
                f"{row.homeport_per_s / row.limit_per_s:.2f}",
            )
            for row in rows
        ),
    ]
    notes = [
        f"{row.title}: Homeport takes {row.requests_per_answer:.1f} requests for a whole answer."
        for row in rows
        if row.requests_per_answer > 1
    ]
    return "\n".join([_table(lines), *notes])


def cpu_table(rows: Sequence[Row]) -> str:
    """Processor time of each system per whole answer, which other work on the machine hardly changes."""
    lines = [("processor ms per answer", "Homeport", "PocketBase", "PocketBase / Homeport")]
    for row in rows:
        ratio = row.pocketbase_cpu_ms / row.homeport_cpu_ms
        lines.append((row.title, f"{row.homeport_cpu_ms:.2f}", f"{row.pocketbase_cpu_ms:.2f}", f"{ratio:.2f}"))
    return _table(lines)


def memory_table(peaks: dict[str, PeakMemory]) -> str:
    """Peaks while each system was under load."""
    lines = [("peak memory, MB", "sum of RSS", "sum of PSS")]
    for name, peak in peaks.items():
        pss = "-" if peak.pss_bytes is None else f"{peak.pss_bytes / MB:,.0f}"
        lines.append((name, f"{peak.rss_bytes / MB:,.0f}", pss))
    return _table(lines)


def growth_table(growth: Growth) -> str:
    """Time per request in the large Base against the small one."""
    lines = [
        ("answers per second, by items in the Base", "10,000", "1,000,000", "time", "target", ""),
        *(
            (
                row.name,
                _rate(row.small_per_s),
                _rate(row.large_per_s),
                f"x {row.time_ratio:.2f}",
                f"<= {row.target:.1f}",
                verdict(met=row.time_ratio <= row.target),
            )
            for row in growth.rows
        ),
        (
            "web workers' peak RSS, MB",
            f"{growth.small_workers_bytes / MB:,.0f}",
            f"{growth.large_workers_bytes / MB:,.0f}",
            f"x {growth.large_workers_bytes / growth.small_workers_bytes:.2f}",
            "",
            "",
        ),
    ]
    return _table(lines)


def files_table(rows: Sequence[FileRow]) -> str:
    """Files per second through Homeport, straight to its S3, and through PocketBase."""
    lines = [
        ("files per second", "Homeport", "S3 by boto3", "of S3", "target", "", "PocketBase", "of PocketBase"),
        *(
            (
                f"{row.operation} {row.size}",
                _rate(row.per_s["Homeport"]),
                _rate(row.per_s["S3 by boto3"]),
                f"{row.of_direct:.2f}",
                f">= {row.target:.2f}",
                verdict(met=row.of_direct >= row.target),
                _rate(row.per_s["PocketBase"]),
                f"{row.of_pocketbase:.2f}",
            )
            for row in rows
        ),
    ]
    return _table(lines)


def listing_table(rows: Sequence[ListingRow]) -> str:
    """Time of a listing in the large Drive against the small one."""
    lines = [
        ("listings per second, by files in the Drive", "10,000", "1,000,000", "time", "target", ""),
        *(
            (
                row.title,
                _rate(row.small_per_s),
                _rate(row.large_per_s),
                f"x {row.time_ratio:.2f}",
                f"<= {row.target:.1f}",
                verdict(met=row.time_ratio <= row.target),
            )
            for row in rows
        ),
    ]
    return _table(lines)


def _rate(per_s: float) -> str:
    return f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.1f}"


def _table(lines: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = []
    for line in lines:
        first, *others = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        text.append("  ".join([line[0].ljust(len(first)), *others]).rstrip())
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])
