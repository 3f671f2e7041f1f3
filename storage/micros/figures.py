"""How many requests Micros had, by the minute, and how many of these were answered with 500 or above."""

from collections.abc import Sequence
from typing import NamedTuple

from storage import disk_space, limits
from storage.micros import sql as micros_sql
from storage.micros.sql import Minute
from storage.postgres.database import run, run_one

_HOUR = 60


class Counted(NamedTuple):
    """Requests to one Micro in one minute since 1970; `errors` are those of them answered with 500 or above."""

    micro_id: str
    minute: int
    requests: int
    errors: int


class Figures(NamedTuple):
    """Of the last hour."""

    requests: int = 0
    errors: int = 0


def add_figures(counted: Sequence[Counted]) -> None:
    """Add to what is known. While the disk is too full they are left out. Raises EngineUnreachable, DiskFull."""
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for each in counted:
        requests, errors = sums.get((each.micro_id, each.minute), (0, 0))
        sums[each.micro_id, each.minute] = (requests + each.requests, errors + each.errors)
    if sums and not disk_space.is_short_for_items():
        run(micros_sql.add_minutes([(*place, *figures) for place, figures in sums.items()]))


def find_last_hour(micro_ids: Sequence[str]) -> dict[str, Figures]:
    """The figures of the last hour of each of these Micros, of those without a request too. Raises EngineUnreachable."""
    found = {
        row.micro_id: Figures(row.requests, row.errors) for row in run(micros_sql.sum_minutes(list(micro_ids), _HOUR))
    }
    return {micro_id: found.get(micro_id, Figures()) for micro_id in micro_ids}


def list_minutes(*, micro_id: str, minutes: int = _HOUR) -> list[Minute]:
    """The minutes among the last so many in which a Micro had requests, by time. Raises EngineUnreachable."""
    return run(micros_sql.list_minutes(micro_id, minutes))


def sweep_figures() -> int:
    """Drop old minutes, and those of deleted Micros. Returns how many. Raises EngineUnreachable."""
    total = 0
    while dropped := run_one(micros_sql.drop_minutes(limits.MICRO_FIGURES_KEPT_MINUTES, limits.SWEEP_BATCH_ROWS)).total:
        total += dropped
    return total
