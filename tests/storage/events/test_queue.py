"""Events on their way to the table: nobody waits for them, and what is lost is counted."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection

from storage import limits
from storage.collections import collections, keys
from storage.errors import EngineUnreachable
from storage.events import queries as event_queries
from storage.events.blocks import Event, open_contents, open_lines
from storage.events.queue import EventQueue
from storage.postgres.database import run
from storage.postgres.statements import Statement
from tests.visor import body, make_event
from tests.waiting import eventually


@pytest.fixture
def collection_id(database: None) -> str:
    return collections.create_collection("Made by a test").id


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[EventQueue]:
    """One whose thread does not run: the tests say when it stores."""
    made = EventQueue()
    monkeypatch.setattr(made, "_start", lambda: None)
    yield made
    made._connection.close()


def lock(table: str) -> psycopg.Connection:
    """Another session that holds the whole table."""
    other = psycopg.connect(**connection.get_connection_params())
    other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    return other


def paths(collection_id: str) -> list[str]:
    return [line.path for line in event_queries.list_events(collection_id=collection_id, limit=1000).lines]


def test_events_wait_while_the_table_is_locked_and_come_in_order(collection_id: str, queue: EventQueue) -> None:
    with lock("storage_eventblock") as other:
        for number in range(3):
            queue.put(make_event(collection_id, path=f"a/items/{number}"))
        with pytest.raises(EngineUnreachable):
            queue.flush()
        queue.put(make_event(collection_id, path="a/items/3"))
        other.rollback()

    queue.flush()

    assert paths(collection_id) == [f"a/items/{number}" for number in (3, 2, 1, 0)]
    assert event_queries.sum_events(collection_id).lost == 0


@pytest.mark.parametrize("limit", ["EVENT_QUEUE_MAX", "EVENT_QUEUE_MAX_BYTES"])
def test_full_queue_loses_and_counts(
    collection_id: str, queue: EventQueue, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(limits, limit, 2 if limit == "EVENT_QUEUE_MAX" else 1_300)
    for number in range(10):
        queue.put(make_event(collection_id, path=f"a/items/{number}", response=body("x" * 600)))

    queue.flush()

    assert paths(collection_id) == ["a/items/1", "a/items/0"]
    assert event_queries.sum_events(collection_id).lost == 8


def test_loss_is_shown_while_the_table_is_still_locked(
    collection_id: str, queue: EventQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EVENT_QUEUE_MAX", 1)
    with lock("storage_eventblock") as other:
        for _ in range(3):
            queue.put(make_event(collection_id))
        with pytest.raises(EngineUnreachable):
            queue.flush()
        assert event_queries.sum_events(collection_id).lost == 2
        other.rollback()
    queue.flush()
    assert event_queries.sum_events(collection_id).lost == 2


def test_loss_is_remembered_until_it_can_be_stored(
    collection_id: str, queue: EventQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EVENT_QUEUE_MAX", 0)
    with lock("storage_eventminute") as other:
        queue.put(make_event(collection_id))
        queue.flush()
        other.rollback()
    queue.flush()
    assert event_queries.sum_events(collection_id).lost == 1


def test_one_bad_event_takes_no_other_along(collection_id: str, queue: EventQueue) -> None:
    queue.put(make_event(collection_id, path="a/items/0"))
    with pytest.raises(ValueError, match="invalid literal"):
        queue.put(make_event(collection_id, id="not an id"))
    queue.put(make_event(collection_id, path="a/items/1"))

    queue.flush()

    assert sorted(paths(collection_id)) == ["a/items/0", "a/items/1"]


def test_batch_that_cannot_be_stored_is_counted_and_the_next_is_stored(
    collection_id: str, queue: EventQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        queue.put(make_event(collection_id, path=f"a/items/{number}"))
    with monkeypatch.context() as broken:
        broken.setattr("storage.events.queue.statements_for", lambda blocks: [Statement("no statement", [], tuple)])
        queue.flush()
    queue.put(make_event(collection_id, path="a/items/3"))

    queue.flush()

    assert paths(collection_id) == ["a/items/3"]
    assert event_queries.sum_events(collection_id).lost == 3


def test_keys_are_looked_up_again_after_the_table_was_locked(collection_id: str, queue: EventQueue) -> None:
    made = keys.create_key(collection_id=collection_id, name="mine")
    digest = bytes(made.data_key.digest)
    with lock("storage_datakey") as other:
        queue.put(make_event(collection_id, key_digest=digest, request=body("mine")))
        with pytest.raises(EngineUnreachable):
            queue.flush()
        other.rollback()

    queue.flush()

    (line,) = event_queries.list_events(collection_id=collection_id).lines
    assert line.key_name == "mine"
    assert queue._waiting == queue._waiting_bytes == 0


@pytest.fixture(params=["known"])
def key_digest(collection_id: str, queue: EventQueue, request: pytest.FixtureRequest) -> bytes:
    """That of a key which the queue knows already, of one that it does not know yet, or of none."""
    made = keys.create_key(collection_id=collection_id, name="mine").data_key
    if request.param == "known":
        queue._keys[bytes(made.digest)] = (collection_id, made.pk)
    return b"" if request.param == "none" else bytes(made.digest)


any_key = pytest.mark.parametrize("key_digest", ["known", "new", "none"], indirect=True)


def stored_blocks(collection_id: str) -> list[tuple[int, list[str]]]:
    """Of each block how many bytes of answers it holds, and the paths in it; what an answer tells is its event's path."""
    rows = run(
        Statement(
            "SELECT lines, contents FROM storage_eventblock WHERE collection_id = $1 ORDER BY last_id",
            [collection_id],
            tuple,
        )
    )
    found = []
    for lines, contents in rows:
        told = [content.response for content, _ in open_contents(contents)[0]]
        block_paths = [line.path for line in open_lines(lines)]
        assert all((answer.text or "").startswith(path) for answer, path in zip(told, block_paths, strict=True))
        found.append((sum(answer.size_bytes for answer in told), block_paths))
    return found


def answered(collection_id: str, path: str, *, size: int = 1, **more: Any) -> Event:
    """An event whose answer tells its path, `size` times."""
    return make_event(collection_id, path=path, response=body(path * size), **more)


@pytest.mark.parametrize("count", [1, 15, 16, 150, 600])
@any_key
def test_all_events_are_stored(collection_id: str, queue: EventQueue, key_digest: bytes, count: int) -> None:
    for number in range(count):
        queue.put(answered(collection_id, f"a/items/{number}", key_digest=key_digest))

    queue.flush()

    found = stored_blocks(collection_id)
    assert sorted(path for _, each in found for path in each) == sorted(f"a/items/{number}" for number in range(count))
    assert all(len(each) <= limits.EVENT_BLOCK_MAX for _, each in found)
    assert queue._waiting == queue._waiting_bytes == 0


def test_events_of_two_minutes_lie_in_two_blocks(collection_id: str, queue: EventQueue, key_digest: bytes) -> None:
    midnight_ns = time.time_ns() // 86_400_000_000_000 * 86_400_000_000_000
    for number in range(20):
        at_ns = midnight_ns + number - 10
        queue.put(answered(collection_id, f"a/items/{number}", at_ns=at_ns, key_digest=key_digest))

    queue.flush()

    assert [sorted(each) for _, each in stored_blocks(collection_id)] == [
        sorted(f"a/items/{number}" for number in range(10)),
        sorted(f"a/items/{number}" for number in range(10, 20)),
    ]


def test_large_events_lie_in_several_blocks(collection_id: str, queue: EventQueue, key_digest: bytes) -> None:
    for number in range(20):
        queue.put(answered(collection_id, f"a/items/{number:02}", size=6_000, key_digest=key_digest))

    queue.flush()

    found = stored_blocks(collection_id)
    assert sorted(path for _, each in found for path in each) == [f"a/items/{number:02}" for number in range(20)]
    assert max(size for size, _ in found) <= limits.EVENT_BLOCK_MAX_BYTES
    assert len(found) < 20


def test_events_of_two_collections_find_their_blocks_and_keys(collection_id: str, queue: EventQueue) -> None:
    other_id = collections.create_collection("Made by a test").id
    made = keys.create_key(collection_id=collection_id, name="mine")
    digest = bytes(made.data_key.digest)
    for _ in range(2):  # the key is looked up the first time, and known the second
        for number in range(10):
            queue.put(answered(collection_id, f"a/items/{number}", key_digest=digest))
            queue.put(answered(other_id, f"b/items/{number}", key_digest=digest))
        queue.flush()

    for each_id, name, key_name in ((collection_id, "a", "mine"), (other_id, "b", "")):
        lines = event_queries.list_events(collection_id=each_id).lines
        assert sorted(line.path for line in lines) == sorted(f"{name}/items/{n}" for n in range(10) for _ in range(2))
        assert {line.key_name for line in lines} == {key_name}


def test_event_that_turns_out_bad_when_its_key_is_known_is_counted_and_takes_no_other_along(
    collection_id: str, queue: EventQueue
) -> None:
    digest = bytes(keys.create_key(collection_id=collection_id, name="mine").data_key.digest)
    for path in ("a/items/0", "a/items/\ud800", "a/items/1"):
        queue.put(answered(collection_id, path, key_digest=digest))

    queue.flush()

    assert sorted(paths(collection_id)) == ["a/items/0", "a/items/1"]
    assert event_queries.sum_events(collection_id).lost == 1


def test_threads_that_bring_events_at_once_lose_none(collection_id: str, queue: EventQueue) -> None:
    def bring(first: int) -> None:
        for number in range(first, first + 200):
            queue.put(answered(collection_id, f"a/items/{number}"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(bring, range(0, 800, 200)))
    queue.flush()

    assert len(paths(collection_id)) == 800


def test_putting_never_waits(collection_id: str, queue: EventQueue) -> None:
    """Not for the lock that a running flush holds, nor for the table."""
    with lock("storage_eventblock"):
        with queue._writing:
            for _ in range(1000):
                queue.put(make_event(collection_id))
        assert queue._waiting == 1000


def test_key_is_named_in_its_own_collection_alone(collection_id: str, queue: EventQueue) -> None:
    own = keys.create_key(collection_id=collection_id, name="own")
    other = keys.create_key(collection_id=collections.create_collection("Made by a test").id, name="other")
    for made in (own, other):
        digest = bytes(made.data_key.digest)
        queue.put(
            make_event(collection_id, path=f"{made.data_key.name}/items", key_digest=digest, request=body("mine"))
        )

    queue.flush()

    found = {line.path: line for line in event_queries.list_events(collection_id=collection_id).lines}
    assert [found[path].key_name for path in ("own/items", "other/items")] == ["own", ""]
    bodies = [
        event_queries.find_event(collection_id=collection_id, event_id=found[path].id).content.request.text
        for path in ("own/items", "other/items")
    ]
    assert bodies == ["mine", None]


def is_listed(collection_id: str, path: str) -> bool:
    return path in paths(collection_id)


def test_thread_stores_by_itself_each_time(collection_id: str) -> None:
    queue = EventQueue()
    for number in range(3):
        queue.put(make_event(collection_id, path=f"a/items/{number}"))
        eventually(partial(is_listed, collection_id, f"a/items/{number}"))
    queue._connection.close()
