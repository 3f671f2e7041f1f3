"""Recorded requests ("events"): listed, found, pinned and counted.

What one is and how they lie in blocks is in `blocks.py`, how they come to be stored in `queue.py`, how they
go again in `retention.py`, and whose requests are recorded in `recording.py`. What is taken from a request, and what of
it is made unreadable, is the recorder's to say.

Blocks that different processes wrote at the same time overlap: the lines of a page are those above the next block's
last id, so none is left out and none comes twice.
"""

import operator
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from urllib.parse import unquote

from django.db import transaction

from storage import disk_space, limits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import EventNotFound, InvalidInput
from storage.events import blocks as event_blocks
from storage.events import ids as event_ids
from storage.events.blocks import APP, Content, Event, Headers, Line, PrintedLine
from storage.events.sql import queries as events_sql
from storage.postgres import clock
from storage.postgres.database import engine_errors, run, run_one
from storage.postgres.sql import access as access_sql
from storage.postgres.sql.day_partitions import wait_for_lock

_BLOCKS_AT_ONCE = 64
# Those that several processes and nodes write at the same time.
_MARKED_BLOCKS = 16
_BLOCK_SPAN = event_blocks.BLOCK_SPAN + timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The filter of a list; empty fields do not filter. `path` and `text` match anywhere, in any case.

    `origin` is one of an event's, or "by hand" for all but an app's. `micro_id` is "" for requests to the API alone.
    """

    status_from: int = 0
    status_to: int = 999
    method: str = ""
    path: str = ""
    key_id: int | None = None
    text: str = ""
    slower_us: int = 0
    origin: str = ""
    micro_id: str | None = None

    def meets(self, line: Line) -> bool:
        """Whether a line matches; `text` is not checked."""
        return (
            self.status_from <= line.status <= self.status_to
            and line.duration_us >= self.slower_us
            and (not self.method or line.method == self.method)
            and (self.key_id is None or line.key_id == self.key_id)
            and (self.micro_id is None or line.micro_id == self.micro_id)
            and (not self.path or _is_in(self.path.lower(), line.target))
            and (not self.origin or line.origin == self.origin or (self.origin == "by hand" and line.origin != APP))
        )

    def has_text(self, content: Content) -> bool:
        """Whether the text is in one of the bodies."""
        wanted = self.text.lower()
        return any(wanted in (body.text or "").lower() for body in (content.request, content.response))


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, newest first. `older` is the id to go on before, "" at the end. `looked_until` says how far back a look went that
    ended before the page was full."""

    lines: list[Line]
    older: str = ""
    looked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """A bar of the chart: what came from `at` on."""

    at: datetime
    requests: int
    errors: int
    lost: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The bars of a chart, oldest first. `looked_until` says how far back the look came, if not to the first of them."""

    slices: list[Slice]
    looked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """How many bytes a collection's events take, and how many requests of the last day could not be recorded."""

    size_bytes: int
    lost: int


def find_marks(collection_ids: Collection[str]) -> dict[str, str]:
    """For each of these collections a text that is another one when requests were recorded. Raises EngineUnreachable."""
    found = run(events_sql.find_marks(list(collection_ids), blocks=_MARKED_BLOCKS))
    return {row.collection_id: row.mark for row in found}


def list_events(
    *,
    collection_id: str,
    conditions: Conditions = Conditions(),
    since: datetime | None = None,
    until: datetime | None = None,
    before: str = "",
    limit: int = limits.EVENTS_PER_PAGE,
) -> Page:
    """A page of the collection's events that meet the conditions, newest first, from `before` on (exclusive).

    A filter looks at a bounded number of events and says how far it came; going on before `older` finds the rest.
    Raises EngineUnreachable.
    """
    lowest = event_ids.first_id_at(since) if since else event_ids.LOWEST
    highest = min(filter(None, (before, event_ids.first_id_at(until) if until else "", event_ids.HIGHEST)))
    look = _Look(collection_id, conditions, lowest, highest, limit)
    page = look.go()
    return Page(_named(collection_id, page.lines), page.older, page.looked_until)


def list_pinned(*, collection_id: str, conditions: Conditions = Conditions()) -> Page:
    """All pinned events that meet the conditions, newest first; they are few."""
    events = [event_blocks.unpack_event(event) for _, event in run(events_sql.list_pinned(collection_id, None))]
    found = [
        event.line
        for event in events
        if conditions.meets(event.line) and (not conditions.text or conditions.has_text(event.content))
    ]
    return Page(_named(collection_id, found))


def find_event(*, collection_id: str, event_id: str) -> Event:
    """One event with its bodies. Raises EventNotFound, also for one of another collection."""
    for event in find_events(collection_id=collection_id, ids=[event_id]):
        return event
    raise EventNotFound()


def find_events(*, collection_id: str, ids: Iterable[str]) -> Iterator[Event]:
    """Those of these events that are there, with their bodies, newest first. Raises EngineUnreachable.

    What is of one minute lies in the same blocks, so it is read together, as it is asked for.
    """
    for _, of_minute in groupby(sorted(ids, reverse=True), key=event_ids.minute_of):
        wanted = list(of_minute)
        found = [event_blocks.unpack_event(row.event) for row in run(events_sql.list_pinned(collection_id, wanted))]
        pinned = {event.line.id for event in found}
        found += _find_in_blocks(collection_id, [each for each in wanted if each not in pinned])
        _named(collection_id, [event.line for event in found])
        yield from sorted(found, key=lambda event: event.line.id, reverse=True)


def find_replays(*, collection_id: str, event_id: str, limit: int = 5) -> list[Line]:
    """The newest events that sent this one again, out of the last that were sent by hand."""
    since = event_ids.time_of(event_id)
    page = list_events(collection_id=collection_id, conditions=Conditions(origin="by hand"), since=since, limit=200)
    return [line for line in page.lines if line.replay_of == event_id][:limit]


def pin_event(*, collection_id: str, event_id: str, printed: tuple[PrintedLine, ...] = ()) -> None:
    """Keep an event for good, and what a Micro printed for it.

    Raises EventNotFound, InvalidInput when too many are pinned, DiskFull.
    """
    disk_space.check_space_for_items()
    event = find_event(collection_id=collection_id, event_id=event_id)
    event.content.printed = printed
    packed = event_blocks.pack_event(event)
    with engine_errors(), transaction.atomic():
        run(events_sql.lock_pins(collection_id))
        is_pinned = run_one(events_sql.pin_event(collection_id, event_id, packed, limits.EVENTS_PINNED_MAX)).answer
    if not is_pinned:
        raise InvalidInput(f"{limits.EVENTS_PINNED_MAX:,} requests are pinned already: unpin one first")


def unpin_event(*, collection_id: str, event_id: str) -> None:
    """Unpin an event. It is not an error when it was not pinned."""
    run(events_sql.unpin_event(collection_id, event_id))


def keep_event(event: Event) -> None:
    """Store one event now, for a person who waits for it. Raises EngineUnreachable, within about a second."""
    block = event_blocks.make_block(event)
    with engine_errors(), transaction.atomic():
        run(wait_for_lock(1))
        for statement in statements_for([block]):
            run(statement)


def note_export(*, collection_id: str, query: str) -> None:
    """Record that somebody downloads the requests that a filter shows: before they go out. Raises EngineUnreachable."""
    with engine_errors(), transaction.atomic():
        details = {"filter": query} if query else {}
        audit.record(Verb.REQUESTS_EXPORTED, collection_id=collection_id, details=details)


def statements_for(blocks: list[events_sql.Block]) -> list[access_sql.Statement]:
    """What stores blocks, and counts what they hold by minute."""
    sums: dict[tuple[str, int], list[int]] = {}
    for block in blocks:
        counts = sums.setdefault((block.collection_id, event_ids.minute_of(block.last_id)), [0, 0, 0])
        added = (block.events, block.errors, len(block.lines) + len(block.contents))
        counts[:] = map(operator.add, counts, added)
    rows = [(*key, requests, errors, size, 0) for key, (requests, errors, size) in sums.items()]
    return [*map(events_sql.put_block, blocks), events_sql.count_events(rows)]


def chart_events(*, collection_id: str, minutes: int, width: int) -> list[Slice]:
    """What came in the last `minutes`, in slices of `width` minutes, oldest first, empty ones included."""
    first = (int(time.time()) // 60 - minutes) // width * width + width
    found = {row.minute: row[1:] for row in run(events_sql.chart_events(collection_id, first, width))}
    return [
        Slice(datetime.fromtimestamp(minute * 60, UTC), *found.get(minute, (0, 0, 0)))
        for minute in range(first, first + minutes, width)
    ]


def chart_matches(
    *,
    collection_id: str,
    conditions: Conditions,
    minutes: int,
    width: int,
    since: datetime | None = None,
    until: datetime | None = None,
    is_pinned: bool = False,
) -> Counted:
    """What meets the conditions in the `minutes` that end at `until` or now, in slices of `width` minutes; of the pinned, if so.

    Counted from the newest one on, and no further than one page of a filtered list looks.
    """
    end = int(until.timestamp() if until else time.time()) // 60
    # Nothing is older than Unix time, whatever year somebody types.
    first = max(0, (end - minutes) // width * width + width)
    start = datetime.fromtimestamp(first * 60, UTC)
    highest = min(filter(None, (event_ids.first_id_at(until) if until else "", event_ids.HIGHEST)))
    lowest = event_ids.first_id_at(max(filter(None, (since, start))))
    looked_until: datetime | None = None
    if is_pinned:
        pinned = list_pinned(collection_id=collection_id, conditions=conditions).lines
        lines = [line for line in pinned if lowest <= line.id < highest]
    else:
        lines, looked_until = _Look(collection_id, conditions, lowest, highest, limits.EVENT_LOOK_MAX).find_all()
    counts = {minute: [0, 0] for minute in range(first, first + minutes, width)}
    for line in lines:
        of_slice = counts.get(event_ids.minute_of(line.id) // width * width)
        if of_slice is not None:
            of_slice[0] += 1
            of_slice[1] += line.status >= event_blocks.FIRST_ERROR
    slices = [
        Slice(datetime.fromtimestamp(minute * 60, UTC), requests, errors, 0)
        for minute, (requests, errors) in counts.items()
    ]
    return Counted(slices, looked_until)


def sum_events(collection_id: str) -> Kept:
    """What is kept of the collection, and what was lost in the last 24 hours."""
    since = clock.now() - timedelta(days=1)
    return Kept(*run_one(events_sql.sum_events(collection_id, int(since.timestamp()) // 60)))


@dataclass(slots=True)
class _Opened:
    """A block with its lines, and its contents where bodies are searched."""

    last_id: str
    lines: list[Line]
    contents: list[tuple[Content, Headers]] | None
    size_bytes: int


class _Look:
    """Collects one page, starting at the newest block."""

    def __init__(self, collection_id: str, conditions: Conditions, lowest: str, highest: str, limit: int) -> None:
        self._collection_id = collection_id
        self._conditions = conditions
        self._lowest = lowest
        self._highest = highest
        self._limit = limit

    def go(self) -> Page:
        found: list[Line] = []
        for block, is_enough in self._looked_into():
            above = [line for line in found if line.id > block.last_id]
            if len(above) > self._limit:
                break
            older = _following(block.last_id)
            if is_enough and older < self._highest:
                # What is left of the blocks looked into lies below this one's last line, and is found from there on again.
                return Page(_newest_first(above), older, event_ids.time_of(older))
            found += self._matches(block)
        lines = _newest_first(found)
        return Page(lines[: self._limit], lines[self._limit - 1].id if len(lines) > self._limit else "")

    def find_all(self) -> tuple[list[Line], datetime | None]:
        """All that match in no order, and how far back that is if the look ended before they did."""
        found: list[Line] = []
        for block, is_enough in self._looked_into():
            if is_enough:
                return found, event_ids.time_of(block.last_id)
            found += self._matches(block)
        return found, None

    def _looked_into(self) -> Iterator[tuple[_Opened, bool]]:
        """The blocks, and whether those before it were enough for one look."""
        looked_at = looked_bytes = 0
        for number, block in enumerate(self._blocks()):
            yield (
                block,
                looked_at >= limits.EVENT_LOOK_MAX
                or number >= limits.EVENT_LOOK_MAX_BLOCKS
                or looked_bytes >= limits.EVENT_TEXT_LOOK_MAX_BYTES,
            )
            looked_at += len(block.lines)
            looked_bytes += block.size_bytes

    def _matches(self, block: _Opened) -> Iterator[Line]:
        for place, line in enumerate(block.lines):
            if not (self._lowest <= line.id < self._highest and self._conditions.meets(line)):
                continue
            if block.contents is None or self._conditions.has_text(block.contents[place][0]):
                yield line

    def _blocks(self) -> Iterator[_Opened]:
        """Blocks that may hold what is looked for, newest first. One that reaches over the place to start from is among them."""
        asked = self._conditions
        below = self._highest
        if below != event_ids.HIGHEST:
            below = event_ids.later(below, _BLOCK_SPAN)
        at_once = 2
        while True:
            rows = run(
                events_sql.list_blocks(
                    events_sql.BlockSpan(self._collection_id, self._lowest, below, self._highest),
                    with_errors=asked.status_from >= 400,
                    by_hand=asked.origin not in ("", APP),
                    slower_us=min(asked.slower_us, event_blocks.LONGEST_TOLD_US),
                    with_contents=bool(asked.text),
                    limit=at_once,
                )
            )
            for last_id, _, lines, contents in rows:
                opened, size = event_blocks.open_contents(contents) if contents else (None, 0)
                yield _Opened(last_id.hex, event_blocks.open_lines(lines), opened, size)
            if len(rows) < at_once:
                return
            below, at_once = rows[-1].last_id.hex, _BLOCKS_AT_ONCE


def _find_in_blocks(collection_id: str, wanted: list[str]) -> Iterator[Event]:
    """Those of these events of one minute, newest first, that are in blocks, in no order."""
    if not wanted:
        return
    below = event_ids.later(wanted[0], _BLOCK_SPAN)
    span = events_sql.BlockSpan(collection_id, wanted[-1], below, _following(wanted[0]))
    conditions = {"with_errors": False, "by_hand": False, "slower_us": 0, "with_contents": False}
    for block in run(events_sql.list_blocks(span, **conditions, limit=1000)):  # type: ignore[arg-type]
        lines = event_blocks.open_lines(block.lines)
        places = [place for place, line in enumerate(lines) if line.id in wanted]
        # The bodies are the most of a block, and of most blocks not wanted. It may have gone meanwhile.
        for row in run(events_sql.get_contents(collection_id, block.last_id.hex)) if places else ():
            contents = event_blocks.open_contents(row.contents)[0]
            for place in places:
                yield Event(collection_id, lines[place], *contents[place])


def _is_in(wanted: str, target: str) -> bool:
    """Whether a path has this text, as it was written or as it reads."""
    return wanted in target.lower() or ("%" in target and wanted in unquote(target).lower())


def _following(event_id: str) -> str:
    return f"{min(int(event_id, 16) + 1, (1 << 128) - 1):032x}"


def _newest_first(lines: list[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: line.id, reverse=True)


def _named(collection_id: str, lines: list[Line]) -> list[Line]:
    """The lines with the names of their keys and Micros, and whether they are pinned."""
    if lines:
        is_of_micros = any(line.micro_id for line in lines)
        micros = {row.id: row for row in run(events_sql.list_micro_names(collection_id))} if is_of_micros else {}
        names = {row.id: row.name for row in run(events_sql.list_key_names(collection_id))}
        pinned = {found.hex for (found,) in run(events_sql.find_pinned_ids(collection_id, [line.id for line in lines]))}
        for line in lines:
            line.key_name = names.get(line.key_id, "") if line.key_id else ""
            line.is_pinned = line.id in pinned
            if (micro := micros.get(line.micro_id)) is not None:
                line.micro_name, line.micro_subdomain = micro.name, micro.subdomain
    return lines
