"""Recorded requests ("events"): what one holds, and finding, listing and pinning them.

Owns their shape. How they come to be stored in the background is in `event_queue.py`, how they go again in `event_days.py`, whose
requests are recorded in `recording.py`; what is taken from a request, and what is made unreadable, is the recorder's.
"""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from storage import event_ids, limits, sql
from storage.database import Row, engine_errors, run
from storage.errors import EventNotFound, InvalidInput
from storage.sql import EventConditions

# Where an event came from: an app's request, one that was sent again, one written in the HTTP client.
APP, REPLAY, CLIENT = "app", "replay", "client"


class Body(msgspec.Struct, frozen=True):
    """What is known of a body besides its text. `digest` is there for one whose text was not kept: how to know it again."""

    size_bytes: int = 0
    content_type: str = ""
    digest: str = ""
    is_cut: bool = False


class Details(msgspec.Struct, frozen=True):
    """What an event holds besides its line in the list and the texts of its bodies.

    Headers are pairs of name and value; `log` has level, logger and message of each entry; `is_redacted` says that a
    secret stood somewhere but in a header that always holds one; `sent_by` is the person who sent it by hand.
    """

    request_headers: list[tuple[str, str]] = []
    response_headers: list[tuple[str, str]] = []
    request: Body = Body()
    response: Body = Body()
    log: list[tuple[str, str, str]] = []
    is_redacted: bool = False
    sent_by: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A request that was answered, on its way into the table. The key is named by the SHA-256 that it is known by."""

    collection_id: str
    id: UUID
    method: str
    path: str
    query: str
    status: int
    duration_us: int
    bytes_in: int
    bytes_out: int
    key_digest: bytes | None
    details: Details
    request_body: str | None
    response_body: str | None
    origin: str = APP
    replay_of: UUID | None = None
    size_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        texts = (self.path, self.query, self.request_body or "", self.response_body or "")
        headers = len(self.details.request_headers) + len(self.details.response_headers)
        size = sum(map(len, texts)) + headers * 40 + limits.EVENT_OVERHEAD_BYTES
        object.__setattr__(self, "size_bytes", size)


@dataclass(frozen=True, slots=True)
class Line:
    """An event as a line of the list."""

    id: UUID
    method: str
    path: str
    query: str
    status: int
    duration_us: int
    bytes_in: int
    bytes_out: int
    key_id: int | None
    origin: str
    replay_of: UUID | None
    is_pinned: bool
    size_bytes: int
    key_name: str | None

    @property
    def at(self) -> datetime:
        """When the request came, UTC."""
        return event_ids.time_of(self.id)

    @property
    def duration_ms(self) -> float:
        return self.duration_us / 1000

    @property
    def target(self) -> str:
        """Path and query as one text."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event with all that was kept of it."""

    line: Line
    details: Details
    request_body: str | None
    response_body: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, newest first. `older` is the id to go on before, None at the end; `looked_until` says how far an unfinished
    look went, which found fewer lines than fit."""

    lines: list[Line]
    older: UUID | None
    looked_until: datetime | None = None
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """A bar of the chart: what came from `at` on for `width` minutes."""

    at: datetime
    requests: int
    errors: int
    lost: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How many bytes a collection's events take, and how many requests of the last day could not be recorded."""

    size_bytes: int
    lost: int


def list_events(
    *,
    collection_id: str,
    conditions: EventConditions = EventConditions(),  # noqa: B008 (immutable)
    since: datetime | None = None,
    until: datetime | None = None,
    before: UUID | None = None,
    limit: int = limits.EVENTS_PER_PAGE,
) -> Page:
    """A page of the collection's events that meet the conditions, newest first, from `before` on (exclusive).

    A filter that no index answers looks at a bounded number of events and says how far it came; going on before
    `older` finds the rest. Raises EngineUnreachable.
    """
    span = sql.EventSpan(
        collection_id,
        event_ids.first_id_at(since) if since else event_ids.LOWEST,
        min(filter(None, (before, event_ids.first_id_at(until) if until else None)), default=event_ids.HIGHEST),
    )
    bounds: dict[str, Any] = {"max_rows": limits.EVENT_SCAN_MAX_ROWS}
    if conditions.text:
        bounds = {"max_rows": limits.EVENT_TEXT_SCAN_MAX_ROWS, "max_bytes": limits.EVENT_TEXT_SCAN_MAX_BYTES}
    rows = run(*sql.list_events(span, conditions, limit=limit + 1, **bounds))
    lines = [Line(*row) for row in rows[:limit]]
    if len(rows) > limit:
        return Page(lines, lines[-1].id)
    looked = run(*sql.find_end_of_look(span, conditions, **bounds))
    if not looked or not looked[0][2]:
        return Page(lines, None)
    last, number, _ = looked[0]
    return Page(lines, last, event_ids.time_of(last), number)


def find_event(*, collection_id: str, event_id: UUID) -> FoundEvent:
    """One event with its bodies. Raises EventNotFound, also for one of another collection."""
    found = run(*sql.get_event(collection_id, event_id))
    if not found:
        raise EventNotFound()
    *line, details, request_body, response_body = found[0]
    return FoundEvent(Line(*line), msgspec.json.decode(details, type=Details), request_body, response_body)


def find_replays(*, collection_id: str, event_id: UUID, limit: int = 5) -> list[tuple[UUID, int]]:
    """Id and status of the newest events that sent this one again."""
    return [(found, status) for found, status in run(*sql.list_replays(collection_id, event_id, limit))]


def pin_event(*, collection_id: str, event_id: UUID, is_pinned: bool) -> None:
    """Keep an event for good, or no longer. Raises EventNotFound, InvalidInput when too many are pinned."""
    if is_pinned and run(*sql.count_pinned(collection_id))[0][0] >= limits.EVENTS_PINNED_MAX:
        raise InvalidInput(f"{limits.EVENTS_PINNED_MAX:,} requests are pinned already: unpin one first")
    if not run(*sql.pin_event(collection_id, event_id, is_pinned=is_pinned)):
        raise EventNotFound()


def keep_event(event: Event) -> None:
    """Store one event now, for a person who waits for it. Raises EngineUnreachable, within about a second."""
    row = row_of(event, None)
    minute = (event.collection_id, minute_of(event.id), 1, int(event.status >= 400), event.size_bytes, 0)
    with engine_errors(), transaction.atomic():
        run(*sql.wait_for_events_lock(1))
        run(*sql.insert_event(row))
        run(*sql.count_events([minute]))


def chart_events(*, collection_id: str, minutes: int, width: int) -> list[Slice]:
    """What came in the last `minutes`, in slices of `width` minutes, oldest first, empty ones included."""
    first = (int(time.time()) // 60 - minutes) // width * width + width
    found = {row[0]: row[1:] for row in run(*sql.chart_events(collection_id, first, width))}
    return [
        Slice(datetime.fromtimestamp(minute * 60, timezone.get_default_timezone()), *found.get(minute, (0, 0, 0)))
        for minute in range(first, first + minutes, width)
    ]


def sum_events(collection_id: str) -> Kept:
    """What is kept of the collection, and what was lost in the last 24 hours."""
    since = timezone.now() - timedelta(days=1)
    return Kept(*run(*sql.sum_events(collection_id, int(since.timestamp()) // 60))[0])


# What event_queue.py stores with, too


def row_of(event: Event, key_id: int | None) -> Row:
    """The event in the columns of `sql.copy_events`."""
    return (
        event.collection_id,
        event.id,
        event.method,
        event.path,
        event.query,
        event.status,
        event.duration_us,
        event.bytes_in,
        event.bytes_out,
        key_id,
        event.origin,
        event.replay_of,
        event.size_bytes,
        msgspec.json.encode(event.details).decode(),
        event.request_body,
        event.response_body,
    )


def without_request_body(event: Event) -> Event:
    """The event with the length and type of its request's body alone."""
    details = event.details
    if event.request_body is None and not details.request.digest:
        return event
    about = msgspec.structs.replace(
        details.request, digest="not kept, as no key of this collection came with it", is_cut=True
    )
    return replace(event, request_body=None, details=msgspec.structs.replace(details, request=about))


def minute_of(event_id: UUID) -> int:
    """The minute since 1970 that an event began in."""
    return int(event_ids.time_of(event_id).timestamp()) // 60
