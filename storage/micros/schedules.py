"""Schedules: set, find and remove. A Micro has one, which runs all of its cron functions."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from storage import disk_space
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import InvalidInput
from storage.micro_schedules.expressions import read_expression
from storage.micro_schedules.run_limits import check_limit
from storage.micros.micros import hold_micro
from storage.models import Micro, MicroSchedule
from storage.postgres import clock

NEXT_TIMES = 5


def set_schedule(
    *, collection_id: str, micro_id: str, expression: str, limit_seconds: int | None = None, set_by: User | None = None
) -> MicroSchedule:
    """Have a Micro's cron functions run at these times, in the place of those that were set before.

    `limit_seconds` is what a run may take, 1 to `MICRO_RUN_SECONDS_MAX`; None is as long as a request.

    Raises MicroNotFound, InvalidInput (what the expression says, or that it has no time to come; the limit), DiskFull.
    """
    disk_space.check_space_for_items()
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        return put_schedule(micro, expression=expression, limit_seconds=limit_seconds, set_by=set_by)


def put_schedule(
    micro: Micro, *, expression: str, limit_seconds: int | None = None, set_by: User | None = None
) -> MicroSchedule:
    """In the caller's transaction: as `set_schedule`, of a held Micro. Raises InvalidInput."""
    read = read_expression(expression)
    check_limit(limit_seconds)
    now = clock.now()
    next_at = read.next_time(now)
    if next_at is None:
        raise InvalidInput(f"“{read.text}” never comes again")
    before = MicroSchedule.objects.filter(micro=micro).first()
    values = {"expression": read.text, "limit_seconds": limit_seconds, "set_by": set_by, "set_at": now}
    made, _ = MicroSchedule.objects.update_or_create(
        micro=micro, defaults={**values, "next_at": next_at, "failures_in_row": 0, "overlapped_at": None}
    )
    said = {"expression": read.text} | ({"expression_before": before.expression} if before else {})
    _record(Verb.MICRO_SCHEDULE_SET, micro, **said)
    return made


def remove_schedule(*, collection_id: str, micro_id: str) -> bool:
    """Have its cron functions run no more; False when no schedule was set. What runs already goes on. Raises MicroNotFound."""
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        found = MicroSchedule.objects.filter(micro=micro).first()
        if found is None:
            return False
        found.delete()
        _record(Verb.MICRO_SCHEDULE_REMOVED, micro, expression=found.expression)
    return True


def find_schedule(micro_id: str) -> MicroSchedule | None:
    """A Micro's schedule. Whether the reader may see the Micro is the caller's to know. Raises EngineUnreachable."""
    return MicroSchedule.objects.select_related("set_by").filter(micro_id=micro_id).first()


def find_schedules(micro_ids: list[str]) -> dict[str, MicroSchedule]:
    """Those of these Micros, by the Micro's id."""
    return {found.micro_id: found for found in MicroSchedule.objects.filter(micro_id__in=micro_ids)}


def list_next_times(schedule: MicroSchedule, count: int = NEXT_TIMES) -> list[datetime]:
    """The next times of a schedule, in UTC; fewer when there are no more, none when it never comes again."""
    if schedule.next_at is None:
        return []
    read = read_expression(schedule.expression)
    return [schedule.next_at, *read.next_times(schedule.next_at, count - 1, since=schedule.set_at)]


def preview(expression: str, count: int = NEXT_TIMES) -> tuple[str, list[datetime]]:
    """How it is written from now on, and its next times if it was set now. Raises InvalidInput."""
    read = read_expression(expression)
    return read.text, read.next_times(clock.now(), count)


def _record(verb: Verb, micro: Micro, **details: object) -> None:
    audit.record(verb, collection_id=micro.collection_id, about=micro.name, details={"micro": micro.id, **details})
