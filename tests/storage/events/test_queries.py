"""Recorded requests as they are kept: found in order, filtered without scanning all, pinned, counted."""

import random
import re
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import zstandard
from django.db import connection, transaction

from storage import limits
from storage.collections import collections
from storage.errors import EventNotFound, InvalidInput
from storage.events import blocks as event_blocks
from storage.events import ids as event_ids
from storage.events import queries as event_queries
from storage.events.blocks import Event
from storage.events.queries import Conditions
from storage.events.queue import EventQueue
from storage.events.sql import queries as events_sql
from storage.events.sql.queries import BlockSpan
from storage.postgres.database import run
from storage.postgres.statements import Statement
from tests.visor import body, make_event
from tests.waiting import MOMENT_SECONDS, NOTHING_SECONDS

SECOND = 1_000_000_000


@pytest.fixture
def collection_id(database: None) -> str:
    return collections.create_collection("Made by a test").id


def store(*batches: list[Event]) -> None:
    """Each batch as by another process."""
    for batch in batches:
        queue = EventQueue()
        vars(queue)["_start"] = lambda: None
        for event in batch:
            queue.put(event)
        queue.flush()
        queue._connection.close()


def make_many(collection_id: str, count: int, *, step_ns: int = SECOND // 100) -> list[Event]:
    """The newest ended just now."""
    now = time.time_ns()
    return [
        make_event(
            collection_id,
            at_ns=now - (count - n) * step_ns,
            path=f"notes/items/{n}",
            status=404 if n % 50 == 7 else 200,
        )
        for n in range(count)
    ]


def all_pages(collection_id: str, **options: Any) -> list[str]:
    found: list[str] = []
    before = ""
    while True:
        page = event_queries.list_events(collection_id=collection_id, before=before, **options)
        found += [line.id for line in page.lines]
        if not page.older:
            return found
        assert page.older != before
        before = page.older


def test_ids_hold_the_time_and_sort_by_it() -> None:
    now = time.time_ns()
    times = [now, now + 1_000, now + SECOND // 1000, now + 61 * SECOND]
    ids = [event_ids.new_event_id(at) for at in times]

    assert ids == sorted(ids)
    for at, event_id in zip(times, ids, strict=True):
        assert abs(event_ids.time_of(event_id).timestamp() - at / SECOND) < 1e-5
        assert event_ids.minute_of(event_id) == at // SECOND // 60
        assert event_ids.first_id_at(event_ids.time_of(event_id)) <= event_id


def test_pages_hold_every_event_once_in_order_though_blocks_overlap(collection_id: str) -> None:
    made = make_many(collection_id, 1_700)
    shares: list[list[Event]] = [[], [], []]
    for event in made:
        random.choice(shares).append(event)
    store(*shares)

    expected = [event.line.id for event in reversed(made)]

    assert all_pages(collection_id) == expected
    assert all_pages(collection_id, limit=7)[:100] == expected[:100]
    assert all_pages(collection_id, conditions=Conditions(status_from=400)) == [
        event.line.id for event in reversed(made) if event.line.status >= 400
    ]
    for event in random.sample(made, 20):
        assert (
            event_queries.find_event(collection_id=collection_id, event_id=event.line.id).line.path == event.line.path
        )


@pytest.mark.parametrize("limit, most", [("EVENT_LOOK_MAX", 300), ("EVENT_LOOK_MAX_BLOCKS", 1)])
def test_look_that_ends_early_goes_on_where_it_was(
    collection_id: str, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(limits, limit, most)
    made = make_many(collection_id, 2_000)
    store(made[::2], made[1::2])

    conditions = Conditions(path="items/1234")
    first = event_queries.list_events(collection_id=collection_id, conditions=conditions)

    assert first.lines == []
    assert first.looked_until is not None
    assert all_pages(collection_id, conditions=conditions) == [made[1234].line.id]
    assert all_pages(collection_id) == [event.line.id for event in reversed(made)]


@pytest.mark.parametrize(
    "conditions, expected",
    [
        (Conditions(), "abcdef"),
        (Conditions(status_from=400), "ef"),
        (Conditions(status_from=500, status_to=599), "f"),
        (Conditions(status_to=299), "abcd"),
        (Conditions(method="PUT"), "b"),
        (Conditions(path="PICS/"), "c"),
        (Conditions(path="name=a"), "c"),
        (Conditions(path="%"), ""),
        (Conditions(slower_us=2_000_000), "d"),
        (Conditions(key_id=7), ""),
        (Conditions(origin="by hand"), "de"),
        (Conditions(origin="replay"), "d"),
        (Conditions(origin="app"), "abcf"),
        (Conditions(text="NEEDLE"), "be"),
        (Conditions(text="needle", method="PUT"), "b"),
        (Conditions(text="%"), ""),
    ],
)
def test_filters(collection_id: str, conditions: Conditions, expected: str) -> None:
    now = time.time_ns()
    lines: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {"method": "PUT", "response": body('{"a": "a Needle here"}')},
        "c": {"path": "pics/files", "query": "name=a.png", "response": body(None, "image/png", digest="SHA-256 x")},
        "d": {"duration_us": 2_000_000, "origin": "replay"},
        "e": {"status": 404, "origin": "client", "response": body("needle")},
        "f": {"status": 503},
    }
    made = {
        name: make_event(collection_id, at_ns=now + n * 1000, **more) for n, (name, more) in enumerate(lines.items())
    }
    store(list(made.values()))
    names = {event.line.id: name for name, event in made.items()}

    found = event_queries.list_events(collection_id=collection_id, conditions=conditions).lines

    assert "".join(sorted(names[line.id] for line in found)) == expected


def test_times_bound_the_list(collection_id: str) -> None:
    made = make_many(collection_id, 100, step_ns=10 * SECOND)
    store(made)
    since, until = (event_ids.time_of(made[n].line.id).replace(microsecond=0) for n in (20, 60))

    found = event_queries.list_events(collection_id=collection_id, since=since, until=until).lines

    assert [line.id for line in found] == [event.line.id for event in reversed(made[20:60])]


def test_event_of_another_collection_is_not_found(collection_id: str) -> None:
    event = make_event(collection_id)
    store([event])
    other = collections.create_collection("Made by a test").id

    for call in (event_queries.find_event, event_queries.pin_event):
        with pytest.raises(EventNotFound):
            call(collection_id=other, event_id=event.line.id)
    with pytest.raises(EventNotFound):
        event_queries.find_event(collection_id=collection_id, event_id=event_ids.new_event_id(time.time_ns()))


def test_many_are_found_with_their_bodies_by_few_statements(
    collection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first, from overlapping blocks, over the turn of minutes, a pinned one among them, but for one that is gone."""
    made = make_many(collection_id, 600, step_ns=SECOND // 4)
    store(made[::2], made[1::2])
    event_queries.pin_event(collection_id=collection_id, event_id=made[300].line.id)
    asked: list[Statement[Any]] = []

    def counted(statement: Statement[Any]) -> list[Any]:
        asked.append(statement)
        return run(statement)

    monkeypatch.setattr(event_queries, "run", counted)
    ids = [event.line.id for event in made]
    random.shuffle(ids)

    found = list(
        event_queries.find_events(collection_id=collection_id, ids=[*ids, event_ids.new_event_id(time.time_ns())])
    )

    expected = [(event.line.id, event.line.path, event.content.request) for event in reversed(made)]
    assert [(event.line.id, event.line.path, event.content.request) for event in found] == expected
    # Of at most four minutes: the pinned, the lines, the names of keys; and of each block its contents.
    assert len(asked) < 50


def test_whoever_pins_waits_for_who_pins_already(collection_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make_many(collection_id, 2)
    store([first, second])
    monkeypatch.setattr(limits, "EVENTS_PINNED_MAX", 1)

    def pin_second() -> None:
        try:
            event_queries.pin_event(collection_id=collection_id, event_id=second.line.id)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            event_queries.pin_event(collection_id=collection_id, event_id=first.line.id)
            pinned = pool.submit(pin_second)
            wait([pinned], timeout=NOTHING_SECONDS)
        with pytest.raises(InvalidInput):
            pinned.result(timeout=MOMENT_SECONDS)


def test_pinned_events_are_listed_and_marked(collection_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_many(collection_id, 5)
    store(made)
    event_id = made[2].line.id
    monkeypatch.setattr(limits, "EVENTS_PINNED_MAX", 1)

    event_queries.pin_event(collection_id=collection_id, event_id=event_id)
    event_queries.pin_event(collection_id=collection_id, event_id=event_id)
    with pytest.raises(InvalidInput, match="unpin one first"):
        event_queries.pin_event(collection_id=collection_id, event_id=made[3].line.id)

    listed = event_queries.list_events(collection_id=collection_id).lines
    assert [line.is_pinned for line in listed] == [False, False, True, False, False]
    assert [line.id for line in event_queries.list_pinned(collection_id=collection_id).lines] == [event_id]
    assert event_queries.list_pinned(collection_id=collection_id, conditions=Conditions(method="PUT")).lines == []
    event_queries.unpin_event(collection_id=collection_id, event_id=event_id)
    assert event_queries.list_pinned(collection_id=collection_id).lines == []


def test_chart_and_sums_count_everything(collection_id: str) -> None:
    store(make_many(collection_id, 120))

    chart = event_queries.chart_events(collection_id=collection_id, minutes=60, width=1)

    assert len(chart) == 60
    assert sum(each.requests for each in chart) == 120
    assert sum(each.errors for each in chart) == 3
    assert chart[-1].at <= datetime.now(UTC) < chart[-1].at + timedelta(minutes=2)
    (stored,) = run(
        Statement(
            "SELECT sum(length(lines) + length(contents)) FROM storage_eventblock WHERE collection_id = $1",
            [collection_id],
            tuple,
        )
    )
    assert 0 <= stored[0] - event_queries.sum_events(collection_id).size_bytes <= 2


@pytest.mark.parametrize("kinds", [{}, {"with_errors": True}, {"by_hand": True}])
def test_pages_are_read_by_an_index_whatever_there_is(collection_id: str, kinds: dict[str, bool]) -> None:
    """Nothing is sorted and nothing is read through: a page costs the blocks it shows, and rare ones have an index."""
    span = BlockSpan(collection_id, event_ids.LOWEST, event_ids.HIGHEST, event_ids.HIGHEST)
    kinds = {"with_errors": False, "by_hand": False} | kinds
    statement = events_sql.list_blocks(span, **kinds, slower_us=0, with_contents=False, limit=16)

    plan = "\n".join(row[0] for row in run(Statement(f"EXPLAIN {statement.text}", statement.params, tuple)))

    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
    assert "Sort  " not in plan
    assert set(re.findall("Filter: (.*)", plan)) <= {"(first_id < 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)"}


def open_block(made: list[Event]) -> event_blocks.OpenBlock:
    opened = event_blocks.OpenBlock(event_blocks.pack(made[0]))
    for event in made[1:]:
        packed = event_blocks.pack(event)
        assert opened.has_room_for(packed)
        opened.add(packed)
    return opened


def test_block_is_an_eighth_of_its_events_and_opens_again(collection_id: str) -> None:
    headers = (("Host", "example.com"), ("User-Agent", "node-fetch/1.0"))
    text = '{"key":"a","name":"Ada Lovelace","tags":["x","y"]}'
    made = [
        make_event(collection_id, path=f"n/items/{n}", request_headers=headers, response=body(text)) for n in range(500)
    ]
    opened = open_block(made)
    block = opened.close()

    contents, size = event_blocks.open_contents(block.contents)

    assert len(block.lines) + len(block.contents) < opened.size_bytes / 4
    assert event_blocks.open_lines(block.lines) == [event.line for event in made]
    assert [content for content, _ in contents] == [event.content for event in made]
    assert {found for _, found in contents} == {headers}
    assert size > 500 * len(text)


def test_blocks_and_pinned_events_of_earlier_versions_open() -> None:
    """Written with version 0.0: the arrays in blocks began with four bytes for their length, however short they were."""
    lines = "KLUv/SBRLQIAxAPdAAAAAZ3ZIDAxOTcwNzAwMDgwo0dFVK1ub3Rlcy9pdGVtcy9hp2xpbWl0PTHMyM0F3AALBaNhcHCgoMICAEAWLvgC"
    contents = (
        "KLUv/SBn9QIAZAWTkZGSpEhvc3SrZXhhbXBsZS5jb22RAN0AAAABlpGSrENvbnRlbnQtVHlwZbBhcHBsaWNhdGlvbi9qc29ulQCgoMKglQureyJrZXkiOiJhIn3C"
        "oJDCoAEABc8zCg=="
    )
    pinned = (
        "KLUv/SC49QQAJAmVqmFiY2RlZmdoaWqd2SAwMTk3MDcwMDA4MKNHRVStbm90ZXMvaXRlbXMvYadsaW1pdD0xzMjNBdwACwWjYXBwoKDClpGSrENvbnRlbnQtVHlw"
        "ZbBhcHBsaWNhdGlvbi9qc29ulQCgoMKglQureyJrZXkiOiJhIn3CoJDCoJGSpEhvc3SrZXhhbXBsZS5jb23EAAMAEs85Alm4gAk="
    )
    headers = (("Host", "example.com"),)
    event = make_event(
        "abcdefghij",
        id="0197000000007000" + "8" + "0" * 15,
        query="limit=1",
        bytes_out=11,
        key_id=5,
        response=body('{"key":"a"}'),
        response_headers=(("Content-Type", "application/json"),),
        request_headers=headers,
    )

    assert event_blocks.open_lines(b64decode(lines)) == [event.line]
    assert event_blocks.open_contents(b64decode(contents))[0] == [(event.content, headers)]
    assert event_blocks.unpack_event(b64decode(pinned)) == event


def test_block_tells_what_it_may_be_opened_for() -> None:
    made = [make_event("abcdefghij", status=status) for status in (200, 399, 400, 500)]
    made += [make_event("abcdefghij", origin=event_blocks.REPLAY, duration_us=7_000)]
    block = open_block(made).close()

    ids = [event.line.id for event in made]
    assert (block.events, block.errors, block.by_hand, block.slowest_us) == (5, 2, 1, 7_000)
    assert (block.first_id, block.last_id) == (min(ids), max(ids))


def test_request_that_took_longer_than_the_column_can_tell_is_kept_and_found(collection_id: str) -> None:
    hours_us = 5_000_000_000
    event_queries.keep_event(make_event(collection_id, duration_us=hours_us))
    event_queries.keep_event(make_event(collection_id, duration_us=hours_us - 1_000))
    found = event_queries.list_events(collection_id=collection_id, conditions=Conditions(slower_us=hours_us))
    assert [line.duration_us for line in found.lines] == [hours_us]


def test_blocks_are_bounded_in_number_size_and_time(collection_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns() // (60 * SECOND) * 60 * SECOND
    many = [make_event(collection_id, at_ns=now + number) for number in range(1_200)]
    large = [make_event(collection_id, at_ns=now, response=body("x" * 300_000)) for _ in range(4)]
    slow = [make_event(collection_id, at_ns=now + number * 20 * SECOND) for number in range(10)]
    stored: list[events_sql.Block] = []
    monkeypatch.setattr(EventQueue, "_end_waiting", lambda queue, **_: stored.extend(queue._closed))

    for made, count in ((many, 3), (large, 4), (slow, 4)):
        stored.clear()
        store(made)
        assert len(stored) == count
        assert sum(block.events for block in stored) == len(made)
        for block in stored:
            assert block.events <= limits.EVENT_BLOCK_MAX
            assert event_ids.minute_of(block.first_id) == event_ids.minute_of(block.last_id)


def test_blocks_of_before_there_were_micros_are_read() -> None:
    old = [["0" * 32, "GET", "notes/items", "", 200, 1500, 0, 2, None, "app", "", "", False]]

    (line,) = event_blocks.open_lines(zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(old)))

    assert (line.path, line.micro_id, line.micro_name) == ("notes/items", "", "")
