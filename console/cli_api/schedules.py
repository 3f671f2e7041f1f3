"""Schedules of Micros, for a terminal: `{"schedule": {...}}`, or null where none is set.

A schedule has `expression`, `limit_seconds` (null: as long as a request), `next_times` (the next five, in UTC), `set_at`,
`set_by`, `failures_in_row` and `is_overlapping`.
"""

from typing import Any

from django.http.response import HttpResponseBase

from console import access
from console.cli_api.gate import TokenRequest
from console.json_views import json_response, read_asked
from storage.errors import InvalidInput
from storage.micros import micros, schedules
from storage.models import MicroSchedule, Role


def show(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponseBase:
    access.by_person(request, collection_id)
    micros.find_micro(collection_id=collection_id, micro_id=micro_id)
    return json_response({"schedule": _describe(schedules.find_schedule(micro_id))})


def change(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponseBase:
    """Asked for with `{"expression", "limit_seconds"}`, the latter only for runs that take longer than a request."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    asked = read_asked(request)
    expression = asked.get("expression")
    if not isinstance(expression, str):
        raise InvalidInput("`expression` is a text such as “5 minutes”")
    made = schedules.set_schedule(
        collection_id=collection_id,
        micro_id=micro_id,
        expression=expression,
        limit_seconds=read_limit(asked),
        set_by=request.user,
    )
    return json_response({"schedule": _describe(made)})


def remove(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponseBase:
    """Also where none is set."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    schedules.remove_schedule(collection_id=collection_id, micro_id=micro_id)
    return json_response({"schedule": None})


def read_limit(asked: dict[str, Any]) -> int | None:
    """How many seconds a run may take; none is as long as a request. Raises InvalidInput."""
    seconds = asked.get("limit_seconds")
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int)):
        raise InvalidInput("`limit_seconds` is a whole number of seconds")
    return seconds


def _describe(schedule: MicroSchedule | None) -> dict[str, Any] | None:
    if schedule is None:
        return None
    return {
        "expression": schedule.expression,
        "limit_seconds": schedule.limit_seconds,
        "next_times": [at.isoformat() for at in schedules.list_next_times(schedule)],
        "set_at": schedule.set_at.isoformat(),
        "set_by": schedule.set_by.username if schedule.set_by else None,
        "failures_in_row": schedule.failures_in_row,
        "is_overlapping": schedule.is_overlapping,
    }
