"""Reads what is new in topics, for all who follow any of one kind together. For the watcher's thread."""

import time
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Protocol

from console.live import events
from console.live.topics import BaseChanges, Batch, Topic, VisorList
from storage import limits
from storage.errors import ChangesGone, StorageError, Unauthorized
from storage.events import queries as event_queries
from storage.history import feed, horizon
from storage.history.feed import ChangesPage, Cursor
from storage.postgres.caller import Access


class Source(Protocol):
    """Reads topics of one kind."""

    def read(self, wanted: Iterable[tuple[Any, Any]]) -> Iterator[Batch | tuple[Topic, Hashable, StorageError]]:
        """For each topic and place what is new, or why it can't be followed on from there; nothing where nothing is.

        Raises EngineUnreachable.
        """


class BaseSource:
    """The changes of Bases. Those that nothing was written to cost next to nothing."""

    def __init__(self) -> None:
        self._last = horizon.Horizon(0, 0, time.monotonic())

    def read(
        self, wanted: Iterable[tuple[BaseChanges, Cursor]]
    ) -> Iterator[Batch | tuple[BaseChanges, Cursor, StorageError]]:
        """As `Source` has it. Those who wait for the next change come before those who catch up."""
        last, seen = self._last, horizon.find_horizon()
        if seen.settled < last.settled:
            last = horizon.Horizon(0, 0, seen.settled_at)
        open_ones = [each for each in wanted if each[1].version_id != seen.settled]
        current = [
            each for each in open_ones if each[1].base_id and last.settled and each[1].version_id >= last.settled
        ]
        changed: set[int] = set()
        if current:
            changed = feed.find_changed(
                list({place.base_id for _, place in current}),
                since=last.settled,
                until=seen.settled,
                seconds=time.monotonic() - last.settled_at,
            )
        behind = []
        is_current = set(map(id, current))
        for each in open_ones:
            topic, place = each
            if id(each) not in is_current or place.base_id in changed:
                behind.append(each)
            elif place.version_id < seen.settled:
                yield Batch(topic, place, b"", place._replace(version_id=seen.settled))
        behind.sort(key=lambda each: id(each) not in is_current)
        for topic, place in behind:
            yield self._read_one(topic, place, seen)
        self._last = seen

    def _read_one(
        self, topic: BaseChanges, place: Cursor, seen: horizon.Horizon
    ) -> Batch | tuple[BaseChanges, Cursor, StorageError]:
        try:
            page = feed.read_changes(
                # Each listener's own right is looked at beside this (`rights.py`).
                access=Access(topic.collection_id),
                base=topic.base,
                since=place,
                limit=limits.STREAM_PAGE_CHANGES,
                max_bytes=limits.STREAM_PAGE_BYTES,
                predicate=topic.predicate,
                seen=seen,
            )
        except (ChangesGone, Unauthorized) as error:
            return topic, place, error
        return Batch(topic, place, messages_of(page), page.cursor, page.more)


class VisorSource:
    """Lists of recorded requests."""

    def read(self, wanted: Iterable[tuple[VisorList, str]]) -> Iterator[Batch]:
        """As `Source` has it."""
        given = list(wanted)
        now = event_queries.find_marks({topic.collection_id for topic, _ in given})
        for topic, place in given:
            mark = now.get(topic.collection_id, "")
            if mark != place:
                yield Batch(topic, place, events.messages([(mark, "{}")]), mark)


def messages_of(page: ChangesPage) -> bytes:
    """The changes of a page as events."""
    base_id = page.cursor.base_id
    return events.messages((str(Cursor(base_id, change.id)), change.json) for change in page.changes)
