"""Counters of tries: counted before they are made, by everybody together."""

import secrets

from django.db.models.functions import Now

from storage.models import Throttle
from storage.postgres.database import run_one
from storage.throttles import sql as throttles_sql
from storage.throttles import tries
from storage.throttles.tries import Counter, Limit
from tests.at_once import all_at_once

LIMIT = Limit("test", 5, 300)


def counter(limit: Limit = LIMIT) -> Counter:
    return Counter(limit, (secrets.token_hex(8),))


def end_windows(*counters: Counter) -> None:
    Throttle.objects.filter(who__in=[each.digest for each in counters]).update(ends_at=Now())


def test_of_many_at_once_only_so_many_are_made(database: None) -> None:
    counted = [counter(), counter(LIMIT._replace(kind="other", tries=50))]
    waits = all_at_once([lambda: tries.take_try(counted)] * 24)
    assert waits.count(0) == 5
    assert all(isinstance(wait, int) and 0 <= wait <= 300 for wait in waits)
    kept = {bytes(each.who): each.tries for each in Throttle.objects.filter(who__in=[each.digest for each in counted])}
    assert kept == {counted[0].digest: 5, counted[1].digest: 5}


def test_window_begins_anew_when_it_is_over(database: None) -> None:
    counted = [counter()]
    assert [tries.take_try(counted) > 0 for _ in range(6)] == [False] * 5 + [True]
    end_windows(*counted)
    assert [tries.take_try(counted) > 0 for _ in range(6)] == [False] * 5 + [True]


def test_what_is_given_back_can_be_tried_again(database: None) -> None:
    counted = [counter()]
    for _ in range(20):
        assert tries.take_try(counted) == 0
        tries.give_back(counted)
    for _ in range(5):
        assert tries.take_try(counted) == 0
    tries.forget_tries(counted)
    assert tries.take_try(counted) == 0


def test_refused_try_counts_under_no_limit(database: None) -> None:
    shared, first = counter(LIMIT._replace(kind="shared", tries=6)), counter()
    for _ in range(20):
        tries.take_try([first, shared])
    assert tries.take_try([counter(), shared]) == 0
    assert tries.take_try([counter(), shared]) > 0


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
