"""How history goes again: by its age, by what its collection has, with the collection, and while the disk is too full."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction

from storage import disk_space
from storage.base import items
from storage.base.sql import items as items_sql
from storage.collections import collections, deletion, stores
from storage.errors import HistoryNotKept
from storage.history import beginnings, retention, versions
from storage.history.sql import retention as retention_sql
from storage.history.timelines import find_timeline
from storage.postgres import clock, day_partitions
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.statements import Statement
from tests.storage.history.reading import items_as_of, told, versions_of
from tests.waiting import eventually


@pytest.fixture
def tidied(access: Access) -> Iterator[Access]:
    """Ada; days are made before, and those of the real clock again afterwards."""
    tidy(clock.now())
    yield access
    tidy(clock.now())


def tidy(moment: datetime) -> None:
    """The server's own worker may be at it just now."""
    today = moment.astimezone(UTC).date()
    eventually(lambda: retention.tidy_history(moment) or today in day_partitions.list_days(retention_sql.VERSIONS))


def put(access: Access, *its_items: dict[str, object], base: str = "b") -> None:
    items.put_items(access=access, base=base, items=list(its_items))


def id_of(access: Access, base: str = "b") -> int:
    base_id = find_timeline(access, base).base_id
    assert base_id is not None
    return base_id


def make_older(access: Access, days: float) -> None:
    """As if the versions of the Base up to now had been made before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE storage_itemversion SET at = at - make_interval(hours => %s) WHERE base_id = %s",
            [int(days * 24), id_of(access)],
        )


def hours_of(base_id: int) -> list[tuple[datetime, int]]:
    text = "SELECT hour, size_bytes FROM storage_historyhour WHERE base_id = $1 ORDER BY 1"
    return run(Statement(text, [base_id], tuple))


def test_days_are_made_ahead_and_what_came_before_them_moves_into_them(tidied: Access) -> None:
    put(tidied, {"key": "a"})
    days = day_partitions.list_days(retention_sql.VERSIONS)
    today = clock.now().date()
    assert {today + timedelta(days=ahead) for ahead in range(3)} <= days
    next_day = max(days) + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE storage_itemversion SET at = %s WHERE base_id = %s", [next_day, id_of(tidied)])
        where = "SELECT tableoid::regclass::text FROM storage_itemversion WHERE base_id = $1"
        assert run(Statement(where, [id_of(tidied)], tuple)) == [("storage_itemversion_other",)]
        tidy(datetime.combine(max(days), datetime.min.time(), UTC))
        assert run(Statement(where, [id_of(tidied)], tuple)) == [(retention_sql.VERSIONS.partition(next_day),)]
    assert [told(version) for version in versions_of(tidied, "b", "a")] == [("c", None, {})]


def test_what_is_too_old_goes_and_the_rest_is_whole(tidied: Access) -> None:
    put(tidied, {"key": "a", "n": 1})
    put(tidied, {"key": "a", "n": 2})
    make_older(tidied, settings.HISTORY_DAYS + 2)
    put(tidied, {"key": "a", "n": 3})
    before = beginnings.find_beginning(0)
    tidy(clock.now())
    assert [told(version) for version in versions_of(tidied, "b", "a")] == [("u", {"n": 2}, {"n": 3})]
    assert beginnings.find_beginning(0) == before

    # A day that is over, by its partition.
    ahead = clock.now() + timedelta(days=settings.HISTORY_DAYS + 1)
    [kept] = versions_of(tidied, "b", "a")
    tidy(ahead)
    assert versions_of(tidied, "b", "a") == []
    begins = beginnings.find_beginning(id_of(tidied))
    assert begins.version_id >= kept.id
    assert begins.at > before.at
    put(tidied, {"key": "a", "n": 4})
    assert [told(version) for version in versions_of(tidied, "b", "a")] == [("u", {"n": 3}, {"n": 4})]


def test_a_collection_over_its_size_loses_its_oldest_hours_of_all_its_bases(
    tidied: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in (3, 2, 1, 0):
        for base in ("b", "other"):
            put(tidied, {"key": "a", "age": age, "text": "x" * 200_000}, base=base)
            put(tidied, {"key": "a", "age": age, "text": "y" * 200_000}, base=base)
        tidy(clock.now())
        with connection.cursor() as cursor:
            for table, column in (("storage_itemversion", "at"), ("storage_historyhour", "hour")):
                cursor.execute(
                    f"UPDATE {table} SET {column} = {column} - interval '1 hour' WHERE base_id IN (%s, %s)",
                    [id_of(tidied), id_of(tidied, "other")],
                )
    counted = [size for _, size in hours_of(id_of(tidied))]
    # In the first hour one of the changes had nothing before it.
    assert [size // 100_000 for size in counted] == [2, 4, 4, 4]
    elsewhere = Access(collections.create_collection("Made by a test").id)
    put(elsewhere, {"key": "a", "n": 1})
    # Two hours of two Bases are about 1.6 MB.
    monkeypatch.setattr(settings, "HISTORY_MAX_MB", 2)
    tidy(clock.now())
    for base in ("b", "other"):
        assert [told(version)[2]["age"] for version in versions_of(tidied, base, "a")] == [0, 0, 1, 1]
        begins = beginnings.find_beginning(id_of(tidied, base))
        assert begins.version_id < versions_of(tidied, base, "a")[-1].id
        with pytest.raises(HistoryNotKept):
            items_as_of(tidied, base, begins.at - timedelta(microseconds=1))
        items_as_of(tidied, base, begins.at)
        assert len(hours_of(id_of(tidied, base))) == 2
    assert len(versions_of(elsewhere, "b", "a")) == 1
    # The newest hour stays, however much it is.
    monkeypatch.setattr(settings, "HISTORY_MAX_MB", 0)
    tidy(clock.now())
    assert [told(version)[2]["age"] for version in versions_of(tidied, "b", "a")] == [0, 0]


def test_a_deleted_collection_leaves_no_history(tidied: Access) -> None:
    put(tidied, {"key": "a"})
    old_id = id_of(tidied)
    stores.empty_store(access=tidied, kind="base", name="b")
    put(tidied, {"key": "b"})
    ids = [old_id, id_of(tidied)]
    deletion.delete_collection(collection_id=tidied.collection_id, typed_name="Made by a test", asked_by=None)
    eventually(lambda: deletion.continue_deletions() or not run(_of(ids)))
    assert (
        run(Statement("SELECT 1 FROM storage_baseturn WHERE collection_id = $1", [tidied.collection_id], tuple)) == []
    )


def _of(ids: list[int]) -> Statement[tuple[int]]:
    return Statement("SELECT 1 FROM storage_itemversion WHERE base_id = ANY ($1::bigint[])", [ids], tuple)


def test_while_the_disk_is_too_full_deletions_keep_nothing(tidied: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tidied, {"key": "a", "n": 1}, {"key": "b"})
    before = clock.now()
    monkeypatch.setattr(disk_space, "is_short_for_files", lambda: True)
    items.delete_item(access=tidied, base="b", key="a")
    with transaction.atomic():  # so that the server's own sweeper does not see it
        put(tidied, {"key": "c", "__expires": 1})
        base_id = items.find_base_id(tidied, "b")
        run(items_sql.delete_expired(base_id, 1_000, keeps_history=disk_space.has_room_for_history()))
    for key in ("a", "c"):
        version = versions_of(tidied, "b", key)[0]
        assert (version.kind in "de", version.before, version.before_is_kept) == (True, None, False)
    with pytest.raises(HistoryNotKept, match="while no history was kept"):
        items_as_of(tidied, "b", before)
    assert items_as_of(tidied, "b", before, {"key": "b"}) == [{"key": "b"}]
    assert versions.list_changes(access=tidied, base="b").versions[0].is_kept is False


def test_while_the_disk_is_too_full_the_oldest_days_go_first(tidied: Access) -> None:
    put(tidied, {"key": "a", "n": 1})
    put(tidied, {"key": "a", "n": 2})
    before = clock.now()
    days = day_partitions.list_days(retention_sql.VERSIONS)
    eventually(lambda: not retention.drop_oldest_day() and not versions_of(tidied, "b", "a"))
    assert day_partitions.list_days(retention_sql.VERSIONS) <= days
    assert before.date() in day_partitions.list_days(retention_sql.VERSIONS)
    with pytest.raises(HistoryNotKept):
        items_as_of(tidied, "b", before)
    put(tidied, {"key": "a", "n": 3})
    assert [told(version) for version in versions_of(tidied, "b", "a")] == [("u", {"n": 2}, {"n": 3})]
    assert items_as_of(tidied, "b", clock.now()) == [{"key": "a", "n": 3}]
