"""The items of a Base as they were at a moment: every operator, pages, expiry, other ids of the Base, and what is not kept."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.base import items
from storage.base.query import Predicate
from storage.collections import collections, deletion, keys, stores
from storage.errors import Forbidden, HistoryNotKept, InvalidInput
from storage.history import beginnings, moments
from storage.history.timelines import find_timeline
from storage.models import Deletion
from storage.postgres import clock
from storage.postgres.caller import Access
from storage.sweeper import sweep_expired_items
from tests.storage.base.documents import KEYS, by_key, documents, equal, matches, queries
from tests.storage.history.reading import items_as_of

_numbers = itertools.count()
_states = st.dictionaries(st.sampled_from(KEYS), st.one_of(documents, st.none()), min_size=3)


def put(access: Access, base: str, *its_items: dict[str, Any]) -> None:
    items.put_items(access=access, base=base, items=list(its_items))


def test_random_queries_of_random_moments_match_as_they_did_then(database: None) -> None:
    access = Access(collections.create_collection("Made by a test").id)
    rounds = itertools.count()

    @settings(max_examples=25, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(
        changes=st.lists(_states, min_size=3, max_size=3),
        asked=st.lists(queries(), min_size=4, max_size=8),
        limit=st.integers(1, 4),
    )
    def check(changes: list[dict[str, Any]], asked: list[Any], limit: int) -> None:
        base = f"b{next(rounds)}"
        model: dict[str, Any] = {}
        known: list[tuple[datetime, dict[str, Any]]] = []
        for change in changes:
            for key, document in change.items():
                if document is None:
                    items.delete_item(access=access, base=base, key=key)
                    model.pop(key, None)
                else:
                    model[key] = {**document, "key": key}
            put_now = [model[key] for key, document in change.items() if document is not None]
            if put_now:
                put(access, base, *put_now)
            known.append((clock.now(), dict(model)))
        for moment, then in known:
            for query in asked:
                expected = by_key(item for item in then.values() if matches(item, query))
                assert equal(items_as_of(access, base, moment, query), expected), query
                found = items_as_of(access, base, moment, query, limit=limit, descending=True)
                assert equal(found, list(reversed(expected))), query

    check()


def test_each_item_has_the_revision_of_then(access: Access) -> None:
    put(access, "b", {"key": "a", "n": 1}, {"key": "b", "n": 1})
    first = items.get_item(access=access, base="b", key="a").revision
    between = clock.now()
    put(access, "b", {"key": "a", "n": 2})
    revisions = [
        moments.query_items_as_of(access=access, base="b", predicate=Predicate(), moment=moment, limit=1).revisions
        for moment in (between, clock.now())
    ]
    assert revisions == [[first], [items.get_item(access=access, base="b", key="a").revision]]


def test_an_item_is_there_until_it_expires_however_long_its_row_is(access: Access) -> None:
    began = clock.now()
    soon = int(began.timestamp()) + 1
    put(access, "b", {"key": "a", "__expires": soon}, {"key": "b", "__expires": 1}, {"key": "c", "__expires": 10**30})
    then, later = clock.now(), datetime.fromtimestamp(soon + 1, UTC)
    # What was put over an expired item tells of that moment alone.
    assert [item["key"] for item in items_as_of(access, "b", then)] == ["a", "c"]
    while clock.now() <= later:
        pass
    put(access, "b", {"key": "b"})
    for _ in range(2):
        assert [item["key"] for item in items_as_of(access, "b", then)] == ["a", "c"]
        assert [item["key"] for item in items_as_of(access, "b", later)] == ["c"]
        assert [item["key"] for item in items_as_of(access, "b", clock.now())] == ["b", "c"]
        assert items_as_of(access, "b", began) == []
        sweep_expired_items()


def test_a_base_that_was_emptied_deleted_and_brought_back_is_as_it_was(access: Access) -> None:
    seen: list[tuple[datetime, list[str]]] = [(clock.now(), [])]

    def note(*its_keys: str) -> None:
        seen.append((clock.now(), list(its_keys)))

    put(access, "b", {"key": "a"})
    note("a")
    emptied = stores.empty_store(access=access, kind="base", name="b")
    note()
    put(access, "b", {"key": "b"})
    note("b")
    items.delete_item(access=access, base="b", key="b")
    stores.bring_back(access=access, deletion_id=emptied.pk)
    note("a")
    deleted = stores.delete_store(access=access, kind="base", name="b", typed_name="b")
    note()
    stores.bring_back(access=access, deletion_id=deleted.pk)
    note("a")
    stores.delete_store(access=access, kind="base", name="b", typed_name="b")
    note()
    put(access, "b", {"key": "c"})
    note("c")
    for is_removed in (False, True):
        for moment, expected in seen:
            assert [item["key"] for item in items_as_of(access, "b", moment)] == expected, (moment, is_removed)
        Deletion.objects.filter(collection_id=access.collection_id).update(
            undo_until=clock.now() - timedelta(seconds=1)
        )
        deletion.continue_deletions()
    stores.rename_store(access=access, kind="base", name="b", new_name="other")
    assert items_as_of(access, "other", seen[-1][0]) == [{"key": "c"}]
    put(access, "b", {"key": "d"})
    assert [items_as_of(access, "b", moment) for moment, _ in (seen[1], *seen[-2:])] == [[{"key": "a"}], [], []]


def test_a_page_looks_at_about_a_megabyte_and_says_where_it_stopped(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(access, "b", *({"key": f"{number:02}", "text": "x" * 200_000} for number in range(20)))
    moment = clock.now()
    put(access, "b", *({"key": f"{number:02}"} for number in range(0, 20, 2)))
    page = moments.query_items_as_of(access=access, base="b", predicate=Predicate(), moment=moment, limit=1_000)
    assert 1 <= len(page.items) <= 6
    assert page.last is not None
    assert len(items_as_of(access, "b", moment)) == 20
    monkeypatch.setattr("storage.limits.HISTORY_SCAN_MAX_ROWS", 3)
    assert [item["key"] for item in items_as_of(access, "b", moment, {"key?gte": "17"})] == ["17", "18", "19"]
    assert items_as_of(access, "b", moment, {"text": "y"}) == []


def test_a_moment_to_come_or_before_the_history_began_is_refused(access: Access) -> None:
    put(access, "b", {"key": "a"})
    with pytest.raises(InvalidInput, match="Bad moment"):
        items_as_of(access, "b", clock.now() + timedelta(minutes=1))
    with pytest.raises(HistoryNotKept):
        items_as_of(access, "b", datetime(1970, 1, 2, tzinfo=UTC))
    before = clock.now()
    base_id = find_timeline(access, "b").base_id
    assert base_id is not None
    beginnings.raise_beginnings([base_id])
    with pytest.raises(HistoryNotKept, match="is kept from 2"):
        items_as_of(access, "b", before)
    beginnings.raise_beginnings([base_id], at=before)
    assert find_timeline(access, "b").now > beginnings.find_beginning(base_id).at > before
    assert [item["key"] for item in items_as_of(access, "b", clock.now())] == ["a"]


def test_who_may_not_read_it_learns_nothing_of_then(access: Access) -> None:
    put(access, "b", {"key": "a"})
    issued = keys.create_key(collection_id=access.collection_id, name="other", base_names=["other"], drive_names=[])
    with pytest.raises(Forbidden):
        items_as_of(Access(access.collection_id, key_digest=bytes(issued.data_key.digest)), "b", clock.now())
