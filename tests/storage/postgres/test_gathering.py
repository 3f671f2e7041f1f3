"""What several requests ask at one moment is sent together, and each is told what it would have been told alone."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest
from django.db import connection as django_connection
from django.db import transaction

from storage import engine_waits, request_ids
from storage.base import items
from storage.collections import collections, keys
from storage.errors import EngineUnreachable, ItemNotFound, KeyExists, Unauthorized
from storage.postgres import gathering, slow_statements
from storage.postgres.caller import Access
from storage.postgres.connections import pool
from storage.postgres.database import run
from storage.postgres.gathering import answer_together, run_with_others
from storage.postgres.statements import Statement
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def access() -> Access:
    collection_id = collections.create_collection("gathered").id
    access = Access(collection_id)
    items.put_items(access=access, base="b", items=[{"key": f"k{number}", "n": number} for number in range(8)])
    return access


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements each message had."""
    counts: list[int] = []
    real = gathering.send_together

    def send_together(connection: Any, statements: Sequence[Statement[Any]]) -> Any:
        counts.append(len(statements))
        return real(connection, statements)

    monkeypatch.setattr(gathering, "send_together", send_together)
    return counts


def outcomes(*works: Callable[[], Any]) -> list[Any]:
    """What each returns or raises, in a thread that has no connection of the ORM, as those of the server."""
    django_connection.close()

    def caught(work: Callable[[], Any]) -> Callable[[], Any]:
        def do() -> Any:
            try:
                return work()
            except Exception as error:
                return error

        return do

    return answer_together([caught(work) for work in works])


def getting(access: Access, key: str) -> Callable[[], Any]:
    """Its `n` is asked for."""
    return lambda: json.loads(items.get_item(access=access, base="b", key=key).json)["n"]


def stored(access: Access, key: str) -> tuple[Any, int]:
    """Its `n` and its revision."""
    item = items.get_item(access=access, base="b", key=key)
    return json.loads(item.json)["n"], item.revision


def putting(access: Access, base: str = "b", **item: Any) -> Callable[[], int]:
    return lambda: items.put_items(access=access, base=base, items=[item]).processed[0].revision


def asking(text: str, *values: Any, writes: gathering.Place | None = None) -> Callable[[], list[tuple[Any, ...]]]:
    return lambda: run_with_others(Statement(text, values, tuple), writes=writes)


def test_what_reads_is_one_message_and_what_writes_another(access: Access, sent: list[int]) -> None:
    found = outcomes(
        getting(access, "k1"),
        putting(access, key="k2", n="new"),
        getting(access, "k3"),
        lambda: items.insert_item(access=access, base="b", item={"n": "drawn"}).json,
        lambda: items.insert_item(access=access, base="b", item={"key": "k4"}),
        getting(access, "missing"),
        lambda: "asked nothing",
    )

    assert sent == [3, 1 + 3]
    assert (found[0], found[2], found[6]) == (1, 3, "asked nothing")
    assert isinstance(found[4], KeyExists)
    assert isinstance(found[5], ItemNotFound)
    assert stored(access, "k2") == ("new", found[1])
    assert '"n":"drawn"' in found[3].replace(" ", "")


def test_one_who_is_alone_sends_as_ever(access: Access, sent: list[int]) -> None:
    assert outcomes(getting(access, "k1"), putting(access, key="k2")) == [
        1,
        pytest.approx(0, abs=2**62),
    ]
    assert sent == []


def test_what_fails_fails_alone(access: Access, sent: list[int]) -> None:
    """The others are done without it."""
    found = outcomes(
        putting(access, key="k1", n="new"),
        asking("SELECT 1 / $1", 0, writes=("", "", "")),
        putting(access, key="k2", n="new"),
        asking("SELECT 1 / $1", 0),
        getting(access, "k3"),
        getting(access, "k4"),
    )

    assert sent == [3, 2, 1 + 3, 1 + 2]
    assert isinstance(found[1], psycopg.errors.DivisionByZero)
    assert isinstance(found[3], psycopg.errors.DivisionByZero)
    assert found[4:] == [3, 4]
    for key, revision in (("k1", found[0]), ("k2", found[2])):
        assert stored(access, key) == ("new", revision)


def test_value_that_can_not_be_sent_fails_alone(access: Access) -> None:
    found = outcomes(asking("SELECT $1::text", "\0"), getting(access, "k1"), getting(access, "k2"))

    assert isinstance(found[0], psycopg.DataError)
    assert found[1:] == [1, 2]


def test_where_most_fail_each_is_done_alone(access: Access, sent: list[int]) -> None:
    wrong = [asking("SELECT 1 / $1", 0) for _ in range(6)]

    found = outcomes(*wrong, getting(access, "k1"), getting(access, "k2"))

    assert sent == [8, 7, 6]
    assert all(isinstance(each, psycopg.errors.DivisionByZero) for each in found[:6])
    assert found[6:] == [1, 2]


def test_right_that_one_lacks_is_nothing_to_the_others(access: Access, sent: list[int]) -> None:
    key = keys.create_key(collection_id=access.collection_id, name="revoked")
    revoked = keys.read_key(key.text)
    keys.revoke_key(collection_id=access.collection_id, key_id=key.data_key.pk)

    found = outcomes(
        putting(access, key="k1"), putting(revoked, key="k2"), getting(revoked, "k1"), getting(access, "k3")
    )

    assert [len(sent), type(found[1]), type(found[2])] == [2, Unauthorized, Unauthorized]
    assert items.get_item(access=access, base="b", key="k1").revision == found[0]
    assert stored(access, "k2")[0] == 2


def test_item_that_is_put_twice_has_both_in_order(access: Access, sent: list[int]) -> None:
    found = outcomes(
        putting(access, key="k1", n="first"),
        putting(access, key="k1", n="second"),
        putting(access, key="k2", n="other"),
    )

    assert sent == [1 + 2]
    assert found[0] < found[1]
    assert stored(access, "k1") == ("second", found[1])


def test_items_are_written_in_the_order_of_their_keys(access: Access, sent: list[int]) -> None:
    """Two processes that write the same ones wait for each other, and not in a circle."""
    third, first, second = outcomes(*(putting(access, key=key) for key in ("k3", "k1", "k2")))

    assert sent == [1 + 3]
    assert first < second < third


def test_what_is_in_a_transaction_stays_in_it(access: Access, sent: list[int]) -> None:
    def take_back() -> None:
        with transaction.atomic():
            putting(access, key="k1", n="taken back")()
            transaction.set_rollback(True)
        django_connection.close()

    outcomes(getting(access, "k2"), take_back, getting(access, "k3"), putting(access, key="k4"))

    assert (sent, stored(access, "k1")[0]) == ([2], 1)


def test_several_items_are_put_alone(access: Access, sent: list[int]) -> None:
    def put_two() -> int:
        return len(items.put_items(access=access, base="b", items=[{"key": "k1"}, {"key": "k2"}]).processed)

    assert outcomes(put_two, put_two) == [2, 2]
    assert sent == []


def test_first_item_of_a_base_makes_it(access: Access) -> None:
    found = outcomes(*(putting(access, base="new", key=f"k{number}") for number in range(3)), putting(access, key="k1"))

    assert len(set(found)) == 4
    assert [items.get_item(access=access, base="new", key=f"k{number}").revision for number in range(3)] == found[:3]
    assert django_connection.connection is None or not django_connection.in_atomic_block


def test_item_that_is_locked_holds_up_no_other(access: Access) -> None:
    told: list[Any] = []
    # Else the statement that waits would be ended some day, and the others go on.
    patient = asking("SELECT set_config('statement_timeout', '0', true)", writes=("", "", ""))
    with psycopg.connect(**django_connection.get_connection_params()) as other:
        other.execute("UPDATE storage_item SET size_bytes = size_bytes WHERE key = 'k2'")

        def put_and_tell(key: str) -> Callable[[], int]:
            def put() -> int:
                revision = putting(access, key=key, n="new")()
                told.append(key)
                return revision

            return put

        thread = threading.Thread(target=lambda: told.append(outcomes(patient, *map(put_and_tell, ("k1", "k2", "k3")))))
        thread.start()
        eventually(lambda: len(told) == 2)
        assert told == ["k1", "k3"]
        other.rollback()
    thread.join()

    assert told[2] == "k2"
    for key, revision in zip(("k1", "k2", "k3"), told[3][1:], strict=True):
        assert stored(access, key) == ("new", revision)


def test_connection_that_is_lost_fails_all_of_a_message_once(access: Access, sent: list[int]) -> None:
    """Whether they were done nobody knows, so nothing is sent again."""
    found = outcomes(
        putting(access, key="k1", n="new"),
        asking("SELECT pg_terminate_backend(pg_backend_pid())", writes=("", "", "")),
        putting(access, key="k2", n="new"),
        getting(access, "k3"),
        getting(access, "k4"),
    )

    assert sent == [2, 1 + 3]
    assert [type(each) for each in found[:3]] == [EngineUnreachable] * 3
    assert found[3:] == [3, 4]
    assert outcomes(getting(access, "k1"), getting(access, "k2")) == [1, 2]


def test_answer_that_is_overdue_ends_the_wait_of_all(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_LEAST_SECONDS", 0.3)
    budgets = [engine_waits.Budget(seconds) for seconds in (60.0, 0.6)]

    def waiting(budget: engine_waits.Budget) -> Callable[[], Any]:
        def ask() -> Any:
            engine_waits.begin(budget)
            return run_with_others(Statement("SELECT pg_sleep(60)", [], tuple))

        return ask

    began = time.monotonic()
    found = outcomes(*map(waiting, budgets))

    assert [type(each) for each in found] == [EngineUnreachable] * 2
    assert time.monotonic() - began < 30
    assert budgets[1].left < 0.1
    assert 55.5 < budgets[0].left < 59.5, "as long as the other had left, and no statement has as little"
    assert engine_waits.current().left > 10**9, "the thread itself has no bound"


def test_who_has_little_time_left_asks_alone(access: Access, sent: list[int]) -> None:
    def hurried() -> str:
        engine_waits.begin(engine_waits.Budget(1.0))
        return getting(access, "k1")()

    assert outcomes(hurried, getting(access, "k2"))[1] == 2
    assert sent == []


def test_server_that_only_reads_is_left_by_all(access: Access) -> None:
    django_connection.close()
    run(Statement("SELECT 1", [], tuple))
    before = set(pool._idle)
    assert before
    read_only = "SELECT set_config('transaction_read_only', 'on', true)"

    found = outcomes(
        asking(read_only, writes=("", "", "")), putting(access, key="k1", n="new"), putting(access, key="k2")
    )

    assert not before & set(pool._idle)
    assert stored(access, "k1") == ("new", found[1])


def test_each_goes_on_as_who_it_is(access: Access) -> None:
    """What is kept for a request is its own, before and after what it asks."""

    def named(name: str) -> Callable[[], tuple[str, float]]:
        def work() -> tuple[str, float]:
            request_ids.request_id.set(name)
            engine_waits.begin(engine_waits.Budget(100.0 + len(name)))
            getting(access, "k1")()
            return request_ids.request_id.get(), round(engine_waits.current().left)

        return work

    assert outcomes(named("a"), named("bb"), named("ccc")) == [("a", 101), ("bb", 102), ("ccc", 103)]
    assert request_ids.request_id.get() == ""


def test_slow_message_is_told_of(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[tuple[str, bool]] = []
    monkeypatch.setattr(slow_statements, "SECONDS", 0.2)
    monkeypatch.setattr(
        slow_statements.slow_statements, "note", lambda text, types, seconds: noted.append((text, seconds >= 0.2))
    )

    outcomes(asking("SELECT pg_sleep(0.3)"), asking("SELECT 1"))

    assert noted == [("SELECT pg_sleep(0.3)", True), ("SELECT 1", True)]


def test_error_at_the_commit_takes_all_back(access: Access, sent: list[int]) -> None:
    """No rule of items waits for the commit; one that does is told where it belongs."""
    run(Statement("CREATE TABLE IF NOT EXISTS tried_late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)", [], tuple))
    try:
        insert = "INSERT INTO tried_late VALUES ($1) RETURNING a"
        found = outcomes(
            *(asking(insert, number, writes=("", "", f"{place}")) for place, number in enumerate((1, 1, 2)))
        )
        rows = run(Statement("SELECT a FROM tried_late ORDER BY a", [], tuple))
    finally:
        run(Statement("DROP TABLE tried_late", [], tuple))

    assert sent == [1 + 3]
    assert found[0] == [(1,)]
    assert isinstance(found[1], psycopg.errors.UniqueViolation)
    assert found[2] == [(2,)]
    assert rows == [(1,), (2,)]
