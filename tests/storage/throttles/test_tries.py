"""Counters of tries: counted before they are made, by everybody together."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from storage import limits
from storage.models import Throttle
from storage.postgres.database import run_one
from storage.throttles import owed, tries
from storage.throttles import sql as throttles_sql
from storage.throttles.tries import Counter, Limit
from tests.at_once import all_at_once
from tests.waiting import eventually

LIMIT = Limit("test", 5, 300)


def counter(limit: Limit = LIMIT) -> Counter:
    return Counter(limit, (secrets.token_hex(8),))


def end_windows(*counters: Counter) -> None:
    Throttle.objects.filter(who__in=[each.digest for each in counters]).update(ends_at=Now())


def test_of_many_at_once_only_so_many_are_made(database: None) -> None:
    counted = [counter(), counter(LIMIT._replace(kind="other", tries=50))]
    waits = all_at_once([lambda: tries.take_try(counted).wait_seconds] * 24)
    assert waits.count(0) == 5
    assert all(isinstance(wait, int) and 0 <= wait <= 300 for wait in waits)
    kept = {bytes(each.who): each.tries for each in Throttle.objects.filter(who__in=[each.digest for each in counted])}
    assert kept == {counted[0].digest: 5, counted[1].digest: 5}


def test_window_begins_anew_when_it_is_over(database: None) -> None:
    counted = [counter()]
    assert [tries.take_try(counted).wait_seconds > 0 for _ in range(6)] == [False] * 5 + [True]
    end_windows(*counted)
    assert [tries.take_try(counted).wait_seconds > 0 for _ in range(6)] == [False] * 5 + [True]


def test_what_is_given_back_can_be_tried_again(database: None) -> None:
    counted = [counter()]
    for _ in range(20):
        made = tries.take_try(counted)
        assert made.wait_seconds == 0
        made.give_back()
    for _ in range(5):
        assert tries.take_try(counted).wait_seconds == 0
    tries.forget_tries(counted)
    assert tries.take_try(counted).wait_seconds == 0


def test_refused_try_counts_under_no_limit(database: None) -> None:
    shared, first = counter(LIMIT._replace(kind="shared", tries=6)), counter()
    for _ in range(20):
        tries.take_try([first, shared])
    assert tries.take_try([counter(), shared]).wait_seconds == 0
    assert tries.take_try([counter(), shared]).wait_seconds > 0


def test_who_is_counted_is_told_apart_by_its_parts(database: None) -> None:
    assert Counter(LIMIT, ("a", "bc")).digest != Counter(LIMIT, ("ab", "c")).digest
    assert Counter(LIMIT, ("a",)).digest != Counter(LIMIT._replace(kind="other"), ("a",)).digest


def test_sweeper_deletes_what_is_over_and_bounds_the_rest(database: None) -> None:
    over, early, late = counter(), counter(LIMIT._replace(seconds=100_000)), counter(LIMIT._replace(seconds=200_000))
    for each in (over, early, late):
        tries.take_try([each])
    end_windows(over)
    tries.sweep_tries()
    mine = Throttle.objects.filter(who__in=[over.digest, early.digest, late.digest])
    assert set(mine.values_list("who", flat=True)) == {early.digest, late.digest}
    run_one(throttles_sql.sweep(1))
    assert set(mine.values_list("who", flat=True)) == {late.digest}


@contextmanager
def nothing_given_back() -> Iterator[None]:
    """Tries are counted, and Postgres has no room to take one off."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION find_disk_full() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE 'No space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER nothing_given_back BEFORE UPDATE ON storage_throttle FOR EACH ROW "
            "WHEN (NEW.tries < OLD.tries AND NEW.ends_at = OLD.ends_at) EXECUTE FUNCTION find_disk_full()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER nothing_given_back ON storage_throttle")


def tries_of(counted: Counter) -> int:
    return Throttle.objects.get(who=counted.digest).tries


def test_what_cannot_be_given_back_is_owed_until_it_can(database: None) -> None:
    counted = counter()
    with nothing_given_back():
        for _ in range(5):
            tries.take_try([counted]).give_back()
        assert tries_of(counted) == 5
        assert tries.take_try([counted]).wait_seconds > 0
    assert tries.take_try([counted]).wait_seconds == 0
    assert tries_of(counted) == 1


def test_what_is_owed_is_given_back_though_nobody_tries(database: None) -> None:
    counted = counter()
    tries.take_try([counted])
    with nothing_given_back():
        tries.take_try([counted]).give_back()
    eventually(lambda: tries_of(counted) == 1)
    eventually(lambda: not owed._owed and owed._thread is None)


def test_nobody_gets_tries_of_a_window_back_in_the_next_one(database: None) -> None:
    counted = counter()
    with nothing_given_back():
        made = [tries.take_try([counted]) for _ in range(4)]
        made[0].give_back()
        end_windows(counted)
        assert tries.take_try([counted]).wait_seconds == 0
    owed.settle()
    made[1].give_back()
    assert tries_of(counted) == 1
    eventually(lambda: not owed._owed)
    assert tries_of(counted) == 1


def test_nothing_owed_is_settled_within_a_transaction(database: None) -> None:
    counted = counter()
    with nothing_given_back():
        tries.take_try([counted]).give_back()
        with transaction.atomic():
            assert tries.take_try([counter()]).wait_seconds == 0
    eventually(lambda: tries_of(counted) == 0)


def test_no_more_is_owed_than_so_much(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "THROTTLE_OWED_MAX", 1)
    counted = [counter(), counter()]
    with nothing_given_back():
        for each in counted:
            tries.take_try([each]).give_back()
    eventually(lambda: tries_of(counted[0]) == 0)
    assert tries_of(counted[1]) == 1
