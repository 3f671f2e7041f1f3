"""Recorded requests for `deta visor tail`: a page of them, from an id on, as Visor's own list filters them."""

import re
from dataclasses import replace
from datetime import timedelta

from django.http.response import HttpResponseBase

from console import access
from console.cli_api.gate import TokenRequest
from console.json_views import json_response
from console.visor.filters import ONLY_API, STATUSES, read_filters
from storage import limits
from storage.collections import keys
from storage.collections.roles import CollectionAccess
from storage.errors import DataKeyNotFound, InvalidInput, MicroNotFound
from storage.events import ids as event_ids
from storage.events import queries as event_queries
from storage.events import recording
from storage.events.blocks import Line
from storage.events.queries import Conditions
from storage.micros import micros
from storage.numbers import read_number

# A request is stored a moment after it was answered, and the processes store theirs in any order: a look goes so far back.
_OVERLAP = timedelta(seconds=30)
# One to a Micro has the time at which it began, and may have taken long: of the slow ones, a look goes back further.
_SLOW_US = 20_000_000
_SLOW_OVERLAP = timedelta(hours=1, minutes=5)
_EVENT_ID = re.compile("[0-9a-f]{32}")


def list_some(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    """`{"recording", "events": [...], "older"}`, newest first; `older` is what `?before=` goes on from, null at the end.

    `?after=` is the id of one that is known: what came after it, in the half minute before it, and, where it took longer than 20
    seconds, in the hour before it. Filters are `?status=` (404, 4xx, errors), `?method=`, `?path=`, `?text=`, `?slower=` (ms),
    `?key=` and `?micro=` (a name or an id; "api" for no Micro).
    """
    granted = access.by_person(request, collection_id)
    after, before = _event_id(request, "after"), _event_id(request, "before")
    conditions = _conditions(request, granted)
    page = event_queries.list_events(
        collection_id=collection_id,
        conditions=conditions,
        since=event_ids.time_of(after) - _OVERLAP if after else None,
        before=before,
        limit=min(read_number(request.GET.get("limit", "")) or limits.CLI_EVENTS_PER_PAGE, limits.CLI_EVENTS_PER_PAGE),
    )
    lines = page.lines + (_slow_ones(collection_id, conditions, after) if after and not before else [])
    told = [_describe(line, sees_keys=granted.sees_keys) for line in {line.id: line for line in lines}.values()]
    return json_response({"recording": _is_recorded(collection_id), "events": told, "older": page.older or None})


def _slow_ones(collection_id: str, conditions: Conditions, after: str) -> list[Line]:
    """Those that may have begun long before they were stored; they are few, and found by what each block tells of itself."""
    moment = event_ids.time_of(after)
    return event_queries.list_events(
        collection_id=collection_id,
        conditions=replace(conditions, slower_us=max(_SLOW_US, conditions.slower_us)),
        since=moment - _SLOW_OVERLAP,
        until=moment - _OVERLAP,
        limit=limits.CLI_EVENTS_PER_PAGE,
    ).lines


def _is_recorded(collection_id: str) -> bool:
    """Whether the API or one of the Micros is."""
    if recording.find_recording(collection_id) is not None:
        return True
    return any(micro.is_recorded for micro in micros.list_micros(collection_id))


def _describe(line: Line, *, sees_keys: bool) -> dict[str, object]:
    return {
        "id": line.id,
        "at": line.at.isoformat(),
        "status": line.status,
        "method": line.method,
        "path": line.path,
        "query": line.query,
        "duration_ms": line.duration_ms,
        "bytes_in": line.bytes_in,
        "bytes_out": line.bytes_out,
        "key": line.key_name or None if sees_keys else None,
        "micro": line.micro_name or None,
        "origin": line.origin,
    }


def _conditions(request: TokenRequest, granted: CollectionAccess) -> Conditions:
    """Raises InvalidInput, DataKeyNotFound, MicroNotFound."""
    given = request.GET.dict()
    status, key, micro = given.pop("status", ""), given.pop("key", ""), given.pop("micro", "")
    conditions = read_filters(given).conditions
    if status:
        low, high = _statuses(status)
        conditions = replace(conditions, status_from=low, status_to=high)
    if key:
        conditions = replace(conditions, key_id=_key_id(granted, key))
    if micro:
        conditions = replace(conditions, micro_id=_micro_id(granted, micro))
    return conditions


def _statuses(text: str) -> tuple[int, int]:
    if text in STATUSES:
        _, low, high = STATUSES[text]
        return low, high
    number = read_number(text)
    if number is None or not 100 <= number <= 599:
        raise InvalidInput("Bad status", f"A status is a number such as 404, or one of {', '.join(STATUSES)}")
    return number, number


def _key_id(granted: CollectionAccess, wanted: str) -> int:
    """Of a key's name or id; of several of one name the newest. Who may not know the keys finds none."""
    found = keys.list_keys(granted.collection.id) if granted.sees_keys else []
    named = [key.pk for key in found if wanted in (key.name, str(key.pk))]
    if not named:
        raise DataKeyNotFound("Data key not found", f"No data key here is called “{wanted}”")
    return int(named[-1])


def _micro_id(granted: CollectionAccess, wanted: str) -> str:
    if wanted == ONLY_API:
        return ""
    for micro in micros.list_micros(granted.collection.id):
        if wanted in (micro.name, micro.id, micro.subdomain):
            return micro.id
    raise MicroNotFound("Micro not found", f"No Micro here is called “{wanted}”")


def _event_id(request: TokenRequest, name: str) -> str:
    text = request.GET.get(name, "")
    if text and not _EVENT_ID.fullmatch(text):
        raise InvalidInput(f"`{name}` is not a recorded request's id")
    return text
