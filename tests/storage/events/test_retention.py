"""How recorded requests go again: by their age, by what their collection holds, and with the collection."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from storage import limits
from storage.collections import collections, deletion
from storage.events import queries as event_queries
from storage.events import retention
from storage.postgres import day_partitions
from storage.postgres.database import run
from storage.postgres.statements import Statement
from tests.people import make_person
from tests.visor import body, make_event
from tests.waiting import MOMENT_SECONDS, eventually

DAY_NS = 86_400 * 1_000_000_000


@pytest.fixture
def collection_id(database: None) -> Iterator[str]:
    """A collection; afterwards the days are those of the real clock again."""
    yield collections.create_collection("Made by a test").id
    retention.tidy_events(datetime.now(UTC))


def keep(collection_id: str, days_ago: float, **more: object) -> str:
    event = make_event(collection_id, at_ns=time.time_ns() - int(days_ago * DAY_NS), **more)
    event_queries.keep_event(event)
    return event.line.id


def ids(collection_id: str) -> list[str]:
    return [line.id for line in event_queries.list_events(collection_id=collection_id).lines]


def partitions() -> dict[str, int]:
    """How many blocks each holds, of those that hold any."""
    return dict(
        run(Statement("SELECT tableoid::regclass::text, count(*) FROM storage_eventblock GROUP BY 1", [], tuple))
    )


def _partitions() -> set[str]:
    days = "^storage_eventblock_[0-9]{8}$"
    return {name for (name,) in run(Statement("SELECT relname FROM pg_class WHERE relname ~ $1", [days], tuple))}


def test_days_are_made_ahead(collection_id: str) -> None:
    retention.tidy_events(datetime.now(UTC))

    names = _partitions()
    for ahead in range(3):
        assert _name(datetime.now(UTC) + timedelta(days=ahead)) in names


def test_what_came_before_its_day_was_made_moves_into_it(collection_id: str) -> None:
    without = WithoutDay(collection_id)
    event_id = without.keep()

    without.make()

    assert without.name in partitions()
    assert ids(collection_id) == [event_id]


class WithoutDay:
    """A day that has no partition yet, and a thread of its own that keeps an event of it or makes its partition."""

    def __init__(self, collection_id: str) -> None:
        made = _partitions()
        days = (datetime.now(UTC) + timedelta(days=ahead) for ahead in range(3, 99))
        self.day = next(day for day in days if _name(day) not in made)
        self.name = _name(self.day)
        self._collection_id = collection_id

    def keep(self) -> str:
        return keep(self._collection_id, (datetime.now(UTC) - self.day) / timedelta(days=1))

    def make(self) -> None:
        # The server's own worker may be at it just now.
        eventually(lambda: retention.tidy_events(self.day) or self.name in _partitions())

    def beside(self, work: Callable[[], object]) -> "Future[object]":
        """Do it in another thread, which is waiting for a lock when this returns."""

        def work_and_close() -> object:
            try:
                return work()
            finally:
                connection.close()

        before = _waiting()
        future = _threads.submit(work_and_close)
        eventually(lambda: _waiting() > before or future.done(), what="it waits for nothing")
        return future


_threads = ThreadPoolExecutor(max_workers=1)


def _name(day: datetime) -> str:
    return f"storage_eventblock_{day:%Y%m%d}"


def _waiting() -> int:
    """How many wait for a lock on the table or one of its partitions."""
    text = (
        "SELECT count(*)::int FROM pg_locks WHERE NOT granted AND relation::regclass::text LIKE 'storage_eventblock%'"
    )
    return int(run(Statement(text, [], tuple))[0][0])


def test_a_block_that_is_written_while_its_day_is_made_moves_into_it(
    collection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_partitions, "_LOCK_SECONDS", 600)
    without = WithoutDay(collection_id)
    with transaction.atomic():
        event_id = without.keep()
        making = without.beside(without.make)
    making.result(MOMENT_SECONDS)

    assert partitions()[without.name] == 1
    assert ids(collection_id) == [event_id]


def test_a_block_that_waits_for_its_day_comes_into_it(collection_id: str) -> None:
    without = WithoutDay(collection_id)
    with transaction.atomic():
        without.make()
        keeping = without.beside(without.keep)
    event_id = keeping.result(MOMENT_SECONDS)

    assert partitions()[without.name] == 1
    assert ids(collection_id) == [event_id]


def test_fourteen_days_are_kept_and_pinned_ones_for_good(collection_id: str) -> None:
    retention.tidy_events(datetime.now(UTC))
    pinned, young = keep(collection_id, 0, response=body("pinned")), keep(collection_id, 0)
    event_queries.pin_event(collection_id=collection_id, event_id=pinned)

    retention.tidy_events(datetime.now(UTC) + timedelta(days=limits.EVENTS_KEPT_DAYS))
    assert set(ids(collection_id)) == {pinned, young}
    retention.tidy_events(datetime.now(UTC) + timedelta(days=limits.EVENTS_KEPT_DAYS + 1))

    assert ids(collection_id) == []
    assert [line.id for line in event_queries.list_pinned(collection_id=collection_id).lines] == [pinned]
    assert event_queries.find_event(collection_id=collection_id, event_id=pinned).content.response.text == "pinned"
    assert event_queries.sum_events(collection_id).size_bytes == 0


def test_strays_of_no_day_go_too(collection_id: str) -> None:
    keep(collection_id, 20)
    young = keep(collection_id, 10)

    retention.tidy_events(datetime.now(UTC))

    assert ids(collection_id) == [young]


def test_oldest_go_when_a_collection_holds_too_much(collection_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    other = collections.create_collection("Made by a test").id
    theirs = keep(other, 0.01)
    made = [keep(collection_id, (10 - n) / 24 / 6) for n in range(10)]
    event_queries.pin_event(collection_id=collection_id, event_id=made[0])
    size = event_queries.sum_events(collection_id).size_bytes
    monkeypatch.setattr(limits, "EVENTS_MAX_BYTES", size // 2)

    retention.tidy_events(datetime.now(UTC))

    left = ids(collection_id)
    assert left == list(reversed(made))[: len(left)]
    assert 3 <= len(left) <= 6
    assert event_queries.sum_events(collection_id).size_bytes <= size // 2
    assert [line.id for line in event_queries.list_pinned(collection_id=collection_id).lines] == [made[0]]
    assert ids(other) == [theirs]
    # What was counted is still told.
    assert (
        sum(each.requests for each in event_queries.chart_events(collection_id=collection_id, minutes=1440, width=15))
        == 10
    )


def test_collection_takes_its_requests_along(collection_id: str) -> None:
    pinned = keep(collection_id, 0)
    keep(collection_id, 3)
    event_queries.pin_event(collection_id=collection_id, event_id=pinned)
    owner: User = make_person(owns_server=True)

    deletion.delete_collection(collection_id=collection_id, typed_name="Made by a test", asked_by=owner)
    deletion.continue_deletions()

    for table in ("storage_eventblock", "storage_pinnedevent", "storage_eventminute", "storage_recording"):
        assert run(Statement(f"SELECT count(*) FROM {table} WHERE collection_id = $1", [collection_id], tuple)) == [
            (0,)
        ]
