"""The pool of a process's connections closes those that are not needed."""

from contextlib import closing

import pytest

from storage.postgres.connections import Connection, Pool
from storage.postgres.database import open_connection
from storage.postgres.queue_connections import QueueConnector

LONG_SECONDS = 1_000


def take_and_give_back(pool: Pool, count: int) -> list[Connection]:
    """So many at the same moment; those that idled are used first."""
    taken = [pool.take(open_connection) for _ in range(count)]
    for each in taken:
        pool.give_back(each)
    return taken


@pytest.mark.django_db(transaction=True)
def test_connections_that_idle_for_long_are_closed_one_at_a_time() -> None:
    pool = Pool(3)
    first, second, third = take_and_give_back(pool, 3)
    with closing(first), closing(second), closing(third):
        assert take_and_give_back(pool, 1) == [third]
        assert not first.closed

        for each in (first, second, third):
            each.idle_since -= LONG_SECONDS
        for closed in ([first], [first, second], [first, second]):
            assert take_and_give_back(pool, 1) == [third]
            assert [each for each in (first, second, third) if each.closed] == closed


def test_the_queue_keeps_one_connection_and_opens_more_when_needed() -> None:
    asked = QueueConnector(alias="default").get_worker_connector()._pool_args  # type: ignore[attr-defined]
    assert (asked["min_size"], asked["max_size"] > 1, asked["max_idle"] < 600) == (1, True, True)
