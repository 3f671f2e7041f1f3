"""What is due: each due time of a schedule becomes one run, whichever node claims it.

A schedule that was due several times while nothing ran here is due once. One whose last run still goes on runs all the same, as
it did with the original, and is marked, so that its pages warn.
"""

import time
from datetime import datetime
from uuid import UUID

from django.db import transaction

from storage import disk_space, limits
from storage.errors import InvalidInput
from storage.events import ids as event_ids
from storage.micro_schedules import sql as schedules_sql
from storage.micro_schedules.expressions import read_expression
from storage.micro_schedules.sql import DueRow
from storage.postgres.database import engine_errors, run

LEFT_OUT = f"{limits.MICRO_RUNS_WAITING_MAX} runs of this Micro were waiting already."


def claim_due() -> int:
    """Queue a run for each schedule that is due; how many there were. While the disk is too full, nothing is claimed.

    Raises EngineUnreachable.
    """
    total = 0
    while not disk_space.is_short_for_items():
        with engine_errors(), transaction.atomic():
            found = run(schedules_sql.claim_due(limits.MICRO_SCHEDULES_CLAIMED))
            if found:
                _queue(found)
        total += len(found)
        if len(found) < limits.MICRO_SCHEDULES_CLAIMED:
            break
    return total


def _queue(found: list[DueRow]) -> None:
    run(
        schedules_sql.queue_due(
            micro_ids=[row.micro_id for row in found],
            run_ids=[UUID(event_ids.new_event_id(time.time_ns())) for _ in found],
            due_at=[row.due_at for row in found],
            next_at=[_next(row) for row in found],
            waiting_max=limits.MICRO_RUNS_WAITING_MAX,
            left_out=LEFT_OUT,
        )
    )


def _next(row: DueRow) -> datetime | None:
    """What a schedule says was checked when it was set; one that is no longer understood ends."""
    try:
        return read_expression(row.expression).next_time(row.now, since=row.set_at)
    except InvalidInput:
        return None
