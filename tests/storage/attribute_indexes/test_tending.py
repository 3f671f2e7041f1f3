"""When an attribute gets an index and loses it, and that none of it is lost whatever happens meanwhile."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from storage import disk_space, limits
from storage.attribute_indexes import asked, ready, tending
from storage.base import finding, items, sorting
from storage.base.query import parse_query
from storage.base.sorting import SortStep
from storage.base.sql import items as items_sql
from storage.collections import collections, deletion, stores
from storage.exact_json import parse
from storage.models import AttributeAsk, AttributeIndex
from storage.postgres import clock
from storage.postgres.caller import Access
from storage.postgres.database import run
from tests.attribute_indexes import count_entries, find_faults, finish_building, let_all_know, make_index
from tests.storage.rows import fill_base
from tests.waiting import eventually

State = AttributeIndex.State


@pytest.fixture
def access(database: None) -> Access:
    return Access(collections.create_collection("Made by a test").id)


@pytest.fixture(autouse=True)
def small_base(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ten items are too many to look at, and nothing is left of earlier asks."""
    monkeypatch.setattr(finding, "_SHORT_SCAN", {"max_bytes": 10_000, "max_rows": 10})
    monkeypatch.setattr(asked, "_asks", {})
    monkeypatch.setattr(asked, "_wake", lambda: None)
    yield
    AttributeAsk.objects.all().delete()
    tending.drop(AttributeIndex.objects.all())


def made(access: Access, base: str = "b", count: int = 40) -> int:
    """A Base of items with `n` from 0 on; its id."""
    items.put_items(access=access, base=base, items=[{"key": "00", "n": 0, "deep": {"n": 0}}])
    base_id = items.find_base_id(access, base)
    fill_base(base_id, ({"key": f"{n:02}", "n": n, "deep": {"n": n}} for n in range(1, count)))
    return base_id


def ask(access: Access, query: Any, *, last: str | None = None, base: str = "b") -> items.Page:
    return items.query_items(access=access, base=base, predicate=parse_query(query), limit=100, last=last)


def wanted(base_id: int) -> dict[tuple[str, ...], int]:
    asked.flush()
    return {tuple(each.path): each.times for each in AttributeAsk.objects.filter(base_id=base_id)}


def paths(base_id: int) -> list[list[str]]:
    return list(AttributeIndex.objects.filter(base_id=base_id).order_by("id").values_list("path", flat=True))


def test_attribute_that_is_asked_for_often_gets_an_index_that_answers_at_once(access: Access) -> None:
    base_id = made(access)
    query = {"deep.n?gte": 38}
    for _ in range(limits.ATTRIBUTE_INDEX_ASKS - 1):
        assert ask(access, query).items == []
    assert wanted(base_id) == {("deep", "n"): limits.ATTRIBUTE_INDEX_ASKS - 1}
    tending.tend_indexes()
    assert paths(base_id) == []
    ask(access, query)
    asked.flush()
    finish_building()
    ready.forget(base_id)
    page = ask(access, query)
    assert [parse(text.encode())["n"] for text in page.items] == [38, 39]
    assert page.last is None
    assert [find_faults(index) for index in AttributeIndex.objects.filter(base_id=base_id)] == [[]]


def test_queries_that_count(access: Access) -> None:
    base_id = made(access)
    ask(access, {"n?gt": 99}, last="05")  # the rest of a query that counted before
    ask(access, {"n": 99, "deep.n?gt": 1})  # answered by the equality index
    ask(access, {"n?ne": 0, "deep.n?ne": 0, "n?contains": "x"})  # nothing that an index answers
    ask(access, [{"n?gt": 99}, {"n?ne": 1, "deep?contains": "x"}])  # one half of it neither
    ask(access, {"key?gt": "35", "n?gt": 99})  # the rest of the Base is small enough
    ask(access, {("é" * 900 + "." + "y" * 300 + "?gt"): 1})
    assert wanted(base_id) == {}
    ask(access, [{"n?r": [98, 99]}, {"deep.n?pfx": "x", "n?ne": 1}])
    assert wanted(base_id) == {("n",): 1, ("deep", "n"): 1}


def test_order_that_leaves_items_out_counts(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SORT_MAX_ITEMS", 10)
    base_id = made(access)
    order = [SortStep("n", descending=True), SortStep("deep")]
    page = sorting.sort_items(access=access, base="b", predicate=parse_query([]), order=order, limit=5)
    assert page.is_cut
    sorting.sort_items(access=access, base="b", predicate=parse_query([]), order=order, limit=5, offset=5)
    assert wanted(base_id) == {("n",): 1}


def test_a_base_has_few_indexes_and_the_one_out_of_use_goes(access: Access) -> None:
    base_id = made(access)
    now = clock.now()
    for number in range(limits.ATTRIBUTE_INDEXES_PER_BASE):
        AttributeIndex.objects.create(base_id=base_id, path=[f"a{number}"], state=State.READY)
    AttributeAsk.objects.create(base_id=base_id, path=["n"], times=100, asked_at=now)
    tending.tend_indexes()
    assert ["n"] not in paths(base_id)
    AttributeIndex.objects.filter(base_id=base_id, path=["a2"]).update(
        used_at=now - timedelta(seconds=limits.ATTRIBUTE_INDEX_REST_SECONDS + 60)
    )
    eventually(lambda: tending.tend_indexes() or ["n"] in paths(base_id))
    assert ["a2"] not in paths(base_id)
    assert len(paths(base_id)) == limits.ATTRIBUTE_INDEXES_PER_BASE


def test_index_out_of_use_is_dropped_and_use_keeps_it(access: Access) -> None:
    base_id = made(access)
    index, kept = make_index(base_id, "n"), make_index(base_id, "deep", "n")
    long_ago = clock.now() - timedelta(days=limits.ATTRIBUTE_INDEX_KEPT_DAYS, minutes=1)
    AttributeIndex.objects.filter(base_id=base_id).update(used_at=long_ago)
    assert ask(access, {"deep.n?gte": 39}).last is None
    asked.flush()
    assert count_entries(index.pk) == 40
    eventually(lambda: tending.tend_indexes() or not AttributeIndex.objects.filter(pk=index.pk).exists())
    assert paths(base_id) == [["deep", "n"]]
    assert (count_entries(index.pk), count_entries(kept.pk)) == (0, 40)


def test_answers_go_on_when_an_index_is_dropped(access: Access) -> None:
    base_id = made(access, count=9)
    index = make_index(base_id, "n")
    assert len(ask(access, {"n?gte": 7}).items) == 2
    tending.drop(AttributeIndex.objects.filter(pk=index.pk))
    assert base_id in ready._ready
    assert len(ask(access, {"n?gte": 7}).items) == 2
    assert ready.find_ready(base_id) == {}
    items.put_items(access=access, base="b", items=[{"key": "x", "n": 8}])
    assert len(ask(access, {"n?gte": 7}).items) == 3


def test_indexes_of_a_base_that_is_gone_are_swept_and_one_that_comes_back_has_them(access: Access) -> None:
    kept_id, gone_id = made(access, "kept"), made(access, "gone")
    kept, gone = make_index(kept_id, "n"), make_index(gone_id, "n")
    emptied = stores.empty_store(access=access, kind="base", name="kept")
    set_aside = stores.delete_store(access=access, kind="base", name="gone", typed_name="gone")
    tending.tend_indexes()
    assert AttributeIndex.objects.filter(pk__in=[kept.pk, gone.pk], state=State.READY).count() == 2
    stores.bring_back(access=access, deletion_id=emptied.pk)
    type(set_aside).objects.filter(pk=set_aside.pk).update(undo_until=None)
    eventually(lambda: tending.tend_indexes() or not AttributeIndex.objects.filter(pk=gone.pk).exists())
    assert (count_entries(kept.pk), count_entries(gone.pk)) == (40, 0)
    assert len(ask(access, {"n?gte": 38}, base="kept").items) == 2
    deletion.continue_deletions()


def test_nothing_is_counted_or_built_while_the_disk_is_too_full(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    base_id = made(access)
    index = make_index(base_id, "deep", "n", build=False)
    AttributeAsk.objects.create(base_id=base_id, path=["n"], times=100, asked_at=clock.now())
    with monkeypatch.context() as full:
        full.setattr(disk_space, "is_short_for_items", lambda size_bytes=0: True)
        ask(access, {"deep?gt": 99})
        asked.flush()
        let_all_know(index)
        assert tending._build(AttributeIndex.objects.get(pk=index.pk), float("inf")) is None
    assert wanted(base_id) == {("n",): 100}


def test_builder_goes_on_where_it_was_stopped(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ATTRIBUTE_INDEX_BATCH_ROWS", 15)
    base_id = made(access)
    index = make_index(base_id, "n", build=False)
    let_all_know(index)
    assert tending._build(index, ends_at=0) is False
    index.refresh_from_db()
    assert (index.state, index.built_to, index.entries) == (State.BUILDING, "14", 15)
    items.put_items(access=access, base="b", items=[{"key": "05", "n": 99}, {"key": "30", "n": 98}, {"key": "x"}])
    items.delete_item(access=access, base="b", key="06")
    items.delete_item(access=access, base="b", key="31")
    finish_building()
    assert find_faults(index) == []
    assert count_entries(index.pk) == 39


def test_builder_gives_way_to_a_writer_that_keeps_an_item(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ATTRIBUTE_INDEX_LOCK_MS", 20)
    base_id = made(access)
    index = make_index(base_id, "n", build=False)
    let_all_know(index)

    def build() -> bool | None:
        try:
            return tending._build(index, float("inf"))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        run(items_sql.lock_item(base_id, "20"))
        assert other.submit(build).result() is None
    finish_building()
    assert find_faults(index) == []


def test_no_entry_is_lost_or_left_by_writers_while_an_index_is_built(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ATTRIBUTE_INDEX_BATCH_ROWS", 20)
    base_id = made(access, count=100)
    is_over = threading.Event()

    def write(seed: int) -> int:
        chance, written = random.Random(seed), 0
        try:
            while not is_over.is_set():
                keys = sorted(chance.sample(range(100), chance.randrange(1, 6)))
                put = [{"key": f"{n:02}", "n": chance.choice([n, "x", None, 7])} for n in keys]
                items.put_items(access=access, base="b", items=put)
                items.delete_item(access=access, base="b", key=f"{chance.randrange(100):02}")
                written += 1
        finally:
            connection.close()
        return written

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, seed) for seed in range(4)]
        try:
            indexes = [make_index(base_id, "n") for _ in range(1)]
            tending.drop(AttributeIndex.objects.filter(pk=indexes[0].pk))
            again = make_index(base_id, "n")
        finally:
            is_over.set()
        assert all(writer.result() for writer in writers)
    assert find_faults(again) == []
    eventually(lambda: tending.tend_indexes() or not AttributeIndex.objects.filter(pk=indexes[0].pk).exists())
    assert count_entries(indexes[0].pk) == 0
