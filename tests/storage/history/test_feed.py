"""The change feed on the real database: what is told, in which order, from where, and what a Base that comes and goes does to
it.
"""

import json
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from storage import limits
from storage.base import bases, items
from storage.base.query import Predicate, parse_query
from storage.base.updates import parse_patch
from storage.collections import collections, stores
from storage.errors import ChangesGone, InvalidInput, Unauthorized
from storage.history import feed, horizon
from storage.history.authors import author_id
from storage.history.feed import Cursor
from storage.history.horizon import Horizon
from storage.models import Base
from storage.postgres.caller import Access
from tests.people import make_member
from tests.storage.history.writers import writers
from tests.waiting import LONG_SECONDS


@pytest.fixture(autouse=True)
def _waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call sees what was written before it: a job that writes at this moment is waited for."""
    monkeypatch.setattr(horizon, "_LOOKS", 2_000)


@pytest.fixture
def access(database: None) -> Access:
    collection_id = collections.create_collection("Made by a test").id
    return Access(collection_id, person_id=make_member(collection_id, name="ada").pk)


def put(access: Access, *given: dict[str, Any], base: str = "b") -> None:
    items.put_items(access=access, base=base, items=list(given))


def delete(access: Access, key: str) -> None:
    items.delete_item(access=access, base="b", key=key)


def changes(access: Access, since: Any = None, **options: Any) -> tuple[list[dict[str, Any]], Cursor]:
    """All that there is, page after page."""
    found = []
    while True:
        page = feed.read_changes(access=access, base="b", since=since, **options)
        found += [json.loads(change.json) for change in page.changes]
        since = page.cursor
        if not page.more:
            return found, since


def told(access: Access, since: Any = None, **options: Any) -> list[tuple[str, Any]]:
    """The key and what the change made of it, without the key."""
    found, _ = changes(access, since, **options)
    return [(each["key"], None if each["value"] is None else _rest(each["value"])) for each in found]


def _rest(value: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name != "key"}


def test_each_change_is_told_with_what_it_made(access: Access) -> None:
    put(access, {"key": "a", "n": 1}, {"key": "ü/1", "n": 1})
    put(access, {"key": "a", "n": 2})
    items.update_item(access=access, base="b", key="a", operations=parse_patch({"increment": {"n": 5}}))
    delete(access, "a")
    delete(access, "a")
    put(access, {"key": "a"})
    found, cursor = changes(access)

    assert [(each["key"], each["value"]) for each in found] == [
        ("a", {"key": "a", "n": 1}),
        ("ü/1", {"key": "ü/1", "n": 1}),
        ("a", {"key": "a", "n": 2}),
        ("a", {"key": "a", "n": 7}),
        ("a", None),
        ("a", {"key": "a"}),
    ]
    by = author_id(access.collection_id, by_key=None, by_person=access.person_id)
    assert {each["by"] for each in found if each["value"]} == {by}
    revisions = [each["revision"] for each in found]
    assert len(set(revisions)) == 6
    assert items.get_item(access=access, base="b", key="a").revision == revisions[-1]
    assert changes(access, cursor)[0] == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_join_without_a_gap(access: Access, limit: int) -> None:
    for n in range(5):
        put(access, {"key": "a", "n": n}, {"key": f"k{n}"})

    assert told(access, limit=limit) == [pair for n in range(5) for pair in (("a", {"n": n}), (f"k{n}", {}))]


def test_a_page_ends_where_its_values_are_as_large_as_an_answer_may_be(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_MAX_BYTES", 1_000)
    for n in range(5):
        put(access, {"key": f"k{n}", "text": "x" * 600})
    page = feed.read_changes(access=access, base="b", since=None)

    assert (len(page.changes), page.more) == (2, True)
    assert [key for key, _ in told(access)] == [f"k{n}" for n in range(5)]


def test_a_query_tells_what_matches_and_what_ceases_to(access: Access) -> None:
    for value in ({"n": 1}, {"n": 5}, {"n": 6}, {"n": 2}, {"n": 3}, {"n": 9}):
        put(access, {"key": "a", **value})
    put(access, {"key": "b", "n": 1})
    delete(access, "a")
    delete(access, "b")
    over = [("a", {"n": 5}), ("a", {"n": 6}), ("a", None), ("a", {"n": 9}), ("a", None)]

    assert told(access, predicate=parse_query({"n?gt": 4})) == over
    assert told(access, predicate=parse_query({"n?gt": 4}), limit=1) == over
    assert told(access, predicate=parse_query({"n?gt": 4, "key?pfx": "b"})) == []
    assert told(access, predicate=parse_query({"key": "b"})) == [("b", {"n": 1}), ("b", None)]
    assert told(access, predicate=parse_query([{"n?ne": 1, "key": "b"}])) == []


def test_a_base_without_history_tells_the_last_change_of_each_key(access: Access) -> None:
    put(access, {"key": "a", "n": 1})
    Base.objects.filter(collection_id=access.collection_id).update(history_kept=False)
    for n in (7, 8, 3):
        put(access, {"key": "a", "n": n})
    put(access, {"key": "b", "n": 1})
    delete(access, "b")

    assert told(access) == [("a", {"n": 3}), ("b", None)]
    # What it was before isn't known, so it may have matched.
    assert told(access, predicate=parse_query({"n?gt": 4})) == [("a", None), ("b", None)]


def test_an_expired_item_is_told_as_deleted_when_it_is_swept(access: Access) -> None:
    put(access, {"key": "a", "__expires": 1}, {"key": "b", "__expires": 1})
    put(access, {"key": "b"})
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM storage_item WHERE base_id = %s AND key = 'a'", [_base_id(access)])

    assert told(access) == [("a", {"__expires": 1}), ("b", {"__expires": 1}), ("b", {}), ("a", None)]


def test_nothing_is_lost_whichever_transaction_commits_first(access: Access) -> None:
    bases.ensure_base(collection_id=access.collection_id, name="b")
    with writers(4, _base_id(access)) as [one, two, aborted, long]:
        long.put("long", n=1)
        one.put("a", n=1)
        two.put("b", n=1)
        aborted.put("c", n=1)
        found, cursor = changes(access)
        assert found == []
        two.put("d", n=2)
        two.commit()
        aborted.roll_back()
        one.put("e", n=2)
        one.commit()
        # The keys the other way round.
        one.put("b", n=2)
        two.put("a", n=2)
        two.commit()
        one.commit()
        between, cursor = changes(access, cursor)
        long.delete("a")
        long.commit()
        after, cursor = changes(access, cursor)

    assert between == []
    assert [(each["key"], each["value"] and each["value"]["n"]) for each in after] == [
        ("long", 1),
        ("a", 1),
        ("b", 1),
        ("d", 2),
        ("e", 2),
        ("b", 2),
        ("a", 2),
        ("a", None),
    ]
    assert changes(access, cursor)[0] == []


def test_many_writers_on_few_keys_end_as_the_feed_tells(access: Access) -> None:
    bases.ensure_base(collection_id=access.collection_id, name="b")
    replayed, seen, is_over = {}, [], threading.Event()

    def write(number: int) -> None:
        try:
            chance = random.Random(number)
            for n in range(30):
                keys = chance.sample("abcd", chance.randint(1, 3))
                if chance.random() < 0.2:
                    delete(access, keys[0])
                else:
                    put(access, *({"key": key, "by": number, "n": n} for key in sorted(keys)))
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]

    def follow() -> None:
        cursor: Cursor | None = None
        while True:
            was_over = is_over.is_set()
            page = feed.read_changes(access=access, base="b", since=cursor, limit=3)
            seen.extend(page.changes)
            cursor = page.cursor
            if was_over and not page.more:
                return

    reader = threading.Thread(target=follow)
    for thread in [*threads, reader]:
        thread.start()
    for thread in threads:
        thread.join(LONG_SECONDS)
    is_over.set()
    reader.join(LONG_SECONDS)
    for change in seen:
        told_one = json.loads(change.json)
        replayed[told_one["key"]] = told_one
    page = items.query_items(access=access, base="b", predicate=Predicate(), limit=10)
    stored = {item["key"]: item for item in map(json.loads, page.items)}

    assert {key: each["value"] for key, each in replayed.items() if each["value"]} == stored
    ids = [change.id for change in seen]
    assert ids == sorted(set(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(id ORDER BY id) FROM storage_itemversion WHERE base_id = %s", [_base_id(access)]
        )
        assert ids == cursor.fetchone()[0]


def test_a_base_that_is_not_there_yet_is_followed_from_its_first_change(access: Access) -> None:
    found, cursor = changes(access)
    assert (found, cursor.base_id) == ([], 0)
    put(access, {"key": "a"})
    stores.empty_store(access=access, kind="base", name="b")
    put(access, {"key": "b"})

    # It never saw the items that went with the Base, so it misses nothing.
    assert told(access, cursor) == [("b", {})]


def _emptied(access: Access) -> None:
    stores.empty_store(access=access, kind="base", name="b")


def _deleted(access: Access) -> None:
    stores.delete_store(access=access, kind="base", name="b", typed_name="b")


def _renamed(access: Access) -> None:
    stores.rename_store(access=access, kind="base", name="b", new_name="c")


@pytest.mark.parametrize("turn", [_emptied, _deleted, _renamed])
@pytest.mark.parametrize("is_written_again", [False, True])
def test_another_base_of_the_name_is_to_be_read_anew(
    access: Access, turn: Callable[[Access], None], is_written_again: bool
) -> None:
    put(access, {"key": "a"})
    _, cursor = changes(access)
    turn(access)
    if is_written_again:
        put(access, {"key": "b"})
    with pytest.raises(ChangesGone, match="emptied, deleted or renamed") as caught:
        changes(access, cursor)
    put(access, {"key": "c"})

    assert told(access, feed.read_cursor(caught.value.cursor)) == [("c", {})]


def test_a_renamed_base_goes_on_under_its_new_name(access: Access) -> None:
    put(access, {"key": "a"})
    _, cursor = changes(access)
    _renamed(access)
    put(access, {"key": "b"}, base="c")
    page = feed.read_changes(access=access, base="c", since=cursor)

    assert [json.loads(change.json)["key"] for change in page.changes] == ["b"]


def test_a_base_that_comes_back_is_to_be_read_anew(access: Access) -> None:
    put(access, {"key": "a"})
    deletion = stores.delete_store(access=access, kind="base", name="b", typed_name="b")
    _, cursor = changes(access)
    stores.bring_back(access=access, deletion_id=deletion.pk)
    with pytest.raises(ChangesGone, match="came back"):
        changes(access, cursor)


def test_what_is_older_than_kept_and_later_than_the_server_is_gone(access: Access) -> None:
    put(access, {"key": "a"})
    _, first = changes(access)
    put(access, {"key": "b"})
    put(access, {"key": "c"})
    begins = feed.read_changes(access=access, base="b", since=first, limit=1).cursor
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO storage_historybeginning VALUES (%s, %s, now())", [begins.base_id, begins.version_id]
        )

    assert told(access) == told(access, begins) == [("c", {})]
    with pytest.raises(ChangesGone, match="older than what is kept"):
        changes(access, first)
    for later in (begins._replace(version_id=2**59), Cursor(0, 1, 2**59)):
        with pytest.raises(ChangesGone, match="restored from a backup"):
            changes(access, later)


@pytest.mark.parametrize("base", ["b", "not there"])
def test_a_process_that_has_just_begun_gives_no_cursor_of_what_is_gone(access: Access, base: str) -> None:
    put(access, {"key": "a"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT version_id FROM storage_historybeginning WHERE base_id = 0")
        [kept_before] = cursor.fetchone()
        cursor.execute("UPDATE storage_historybeginning SET version_id = %s WHERE base_id = 0", [kept_before + 1])
    seen = Horizon(settled=0, drawn=horizon.find_horizon().drawn, settled_at=0.0)
    try:
        since: Any
        for since in (None, "now"):
            page = feed.read_changes(access=access, base=base, since=since, seen=seen)
            assert page.changes == []
            assert feed.read_changes(access=access, base=base, since=page.cursor, seen=seen).changes == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE storage_historybeginning SET version_id = %s WHERE base_id = 0", [kept_before])


def test_from_now_on_is_a_place_without_changes(access: Access) -> None:
    put(access, {"key": "a"})
    found, cursor = changes(access, "now")
    put(access, {"key": "b"})

    assert found == []
    assert told(access, cursor) == [("b", {})]


def test_nobody_follows_without_the_right(access: Access) -> None:
    with pytest.raises(Unauthorized):
        changes(Access(access.collection_id, key_digest=b"x" * 32))


def test_cursors_are_read_as_they_are_written() -> None:
    for cursor in (Cursor(1, 2), Cursor(0, 2, 3), Cursor(0, 0)):
        assert feed.read_cursor(str(cursor)) == cursor
    for text in ("", "1", "1.", ".1", "1.2.3.4", "-1.2", "1.2 ", "\uff11.2", "1" * 19 + ".1", "a.b"):
        with pytest.raises(InvalidInput, match="Bad since"):
            feed.read_cursor(text)


def test_bases_with_changes_are_told_apart(access: Access) -> None:
    put(access, {"key": "a"})
    _, cursor = changes(access)
    put(access, {"key": "a"}, base="other")
    put(access, {"key": "b"})
    ids = [_base_id(access, name) for name in ("b", "other")]
    between = {"since": cursor.version_id, "seconds": 60}

    assert feed.find_changed([*ids, 2**50], until=2**60, **between) == set(ids)
    assert feed.find_changed(ids, until=cursor.version_id, **between) == set()
    assert feed.find_changed(ids[:1], until=2**60, **between | {"since": 2**60}) == set()


def _base_id(access: Access, name: str = "b") -> int:
    return int(Base.objects.get(collection_id=access.collection_id, name=name).pk)


def test_keys_alone_are_told_for_who_reads_the_values_elsewhere(access: Access) -> None:
    put(access, {"key": "a", "n": 1}, {"key": "b"})
    delete(access, "a")
    found, end = changes(access, keys_only=True)
    assert [(each["key"], each["gone"]) for each in found] == [("a", False), ("b", False), ("a", True)]
    assert [each["revision"] for each in found] == [str(each["revision"]) for each in changes(access)[0]]
    put(access, {"key": "a", "n": 2})
    assert [each["gone"] for each in changes(access, end, keys_only=True, predicate=parse_query([{"n": 2}]))[0]] == [
        False
    ]
