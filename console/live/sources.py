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
        self._asked_for_bases_at = 0.0

    def read(
        self, wanted: Iterable[tuple[BaseChanges, Cursor]]
    ) -> Iterator[Batch | tuple[BaseChanges, Cursor, StorageError]]:
        """As `Source` has it. Those who wait for the next change come before those who catch up."""
        followed = list(wanted)
        last, seen = self._last, horizon.find_horizon()
        if seen.settled < last.settled:
            last = horizon.Horizon(0, 0, seen.settled_at)
        turned = self._find_turned(followed)
        behind = list(turned)
        waiting: list[tuple[BaseChanges, Cursor]] = []
        for each in followed:
            _, place = each
            if each in turned or place.version_id == seen.settled:
                continue
            is_waiting = place.base_id and last.settled and place.version_id >= last.settled
            (waiting if is_waiting else behind).append(each)
        changed = self._find_changed(waiting, last, seen)
        for topic, place in waiting:
            if place.base_id in changed:
                yield self._read_one(topic, place, seen)
            elif place.version_id < seen.settled:
                yield Batch(topic, place, b"", place._replace(version_id=seen.settled))
        for topic, place in behind:
            yield self._read_one(topic, place, seen)
        self._last = seen

    def _find_turned(self, followed: list[tuple[BaseChanges, Cursor]]) -> set[tuple[BaseChanges, Cursor]]:
        """Those whose Base was emptied, deleted or renamed, which is no change of an item. It is looked for every second."""
        now = time.monotonic()
        if now < self._asked_for_bases_at + limits.STREAM_RIGHTS_SECONDS:
            return set()
        self._asked_for_bases_at = now
        ids = feed.find_bases([(topic.collection_id, topic.base) for topic, _ in followed])
        return {each for each, base_id in zip(followed, ids, strict=True) if each[1].base_id not in (0, base_id)}

    @staticmethod
    def _find_changed(
        waiting: list[tuple[BaseChanges, Cursor]], last: horizon.Horizon, seen: horizon.Horizon
    ) -> set[int]:
        if not waiting:
            return set()
        return feed.find_changed(
            list({place.base_id for _, place in waiting}),
            since=last.settled,
            until=seen.settled,
            seconds=time.monotonic() - last.settled_at,
        )

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
                keys_only=topic.keys_only,
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
