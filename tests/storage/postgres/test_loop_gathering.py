"""What requests in an event loop ask at one moment is sent together; what would have to be waited for is left to a thread."""

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import uvloop
from django.db import connection as django_connection

from storage import engine_waits, request_ids
from storage.base import items
from storage.collections import collections, keys
from storage.errors import EngineUnreachable, ItemNotFound, KeyExists, Unauthorized
from storage.postgres import gathering, loop_gathering, sending
from storage.postgres.caller import Access
from storage.postgres.connections import Connection, pool
from storage.postgres.database import open_connection, run
from storage.postgres.gathering import READS, Place, run_with_others
from storage.postgres.loop_gathering import LoopGathering
from storage.postgres.statements import Statement
from tests.waiting import MOMENT_SECONDS

pytestmark = pytest.mark.usefixtures("database")

# What a request comes to that is left to a thread.
FOR_A_THREAD = "for a thread"
Work = Callable[[], Any]


@pytest.fixture
def access() -> Access:
    collection_id = collections.create_collection("gathered in a loop").id
    access = Access(collection_id)
    items.put_items(access=access, base="b", items=[{"key": f"k{number}", "n": number} for number in range(8)])
    return access


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements each message had."""
    counts: list[int] = []

    class Counted(sending.Message):
        def begin(self) -> None:
            counts.append(len(self._statements))
            super().begin()

    monkeypatch.setattr(loop_gathering, "Message", Counted)
    return counts


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server beside this process locks for a moment is no reason for a thread here."""
    monkeypatch.setattr(gathering, "LOCK_TIMEOUT_MS", 5_000)


@pytest.fixture(autouse=True)
def idle() -> Iterator[list[Connection]]:
    """Four connections that are there already: the loop opens none."""
    django_connection.close()
    pool.forget_idle()
    opened = [pool.take(open_connection) for _ in range(4)]
    for each in opened:
        pool.give_back(each)
    yield opened
    django_connection.close()
    for looped in Looped.open[:]:
        looped.close()
    assert pool.load()[0] == 0, "all were given back"


class Looped:
    """Requests in an event loop, each with `budget_seconds`. It is closed with its test."""

    open: list["Looped"] = []

    def __init__(self, budget_seconds: float = 60.0) -> None:
        self.open.append(self)
        self.loop = uvloop.new_event_loop()
        self.gathering = LoopGathering(self.loop)
        self.told: list[Any] = []
        self._budget_seconds = budget_seconds

    def add(self, work: Work) -> "asyncio.Future[Any]":
        heard = self.loop.create_future()

        def hear(result: Any) -> None:
            self.told.append(result)
            heard.set_result(result)

        self.gathering.add(lambda: self._caught(work), hear)
        return heard

    def outcomes(self, *works: Work) -> list[Any]:
        """What each returns or raises."""

        async def answered() -> list[Any]:
            return list(await asyncio.gather(*map(self.add, works)))

        return self.run(answered())

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, MOMENT_SECONDS))

    def close(self) -> None:
        """Once it has given back the connections that it does not use."""

        django_connection.close()

        async def until_given_back() -> None:
            while pool.load()[0]:
                await asyncio.sleep(0.02)

        self.open.remove(self)
        self.run(until_given_back())
        self.loop.close()

    def _caught(self, work: Work) -> Any:
        budget = engine_waits.Budget(self._budget_seconds)
        budget.begin(in_loop=True)
        engine_waits.begin(budget)
        try:
            return work()
        except engine_waits.MustWait:
            return FOR_A_THREAD
        except Exception as error:
            return error
        finally:
            engine_waits.end()


def outcomes(*works: Work) -> list[Any]:
    looped = Looped()
    try:
        return looped.outcomes(*works)
    finally:
        looped.close()


def getting(access: Access, key: str) -> Work:
    """Its `n` is asked for."""
    return lambda: json.loads(items.get_item(access=access, base="b", key=key).json)["n"]


def stored(access: Access, key: str) -> tuple[Any, int]:
    """Its `n` and its revision."""
    item = items.get_item(access=access, base="b", key=key)
    return json.loads(item.json)["n"], item.revision


def putting(access: Access, base: str = "b", **item: Any) -> Work:
    return lambda: items.put_items(access=access, base=base, items=[item]).processed[0].revision


def asking(text: str, *values: Any, writes: Place | None = None, is_query: bool = False) -> Work:
    return lambda: run_with_others(Statement(text, values, tuple), writes=writes, is_query=is_query)


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


def test_one_who_is_alone_needs_no_thread(access: Access, sent: list[int]) -> None:
    assert outcomes(getting(access, "k1")) == [1]
    assert sent == [1]


def test_no_message_has_more_than_a_number(access: Access, sent: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_gathering, "_MESSAGES", {**loop_gathering._MESSAGES, READS: (2, 3)})

    assert outcomes(*(getting(access, f"k{number}") for number in range(8))) == list(range(8))
    assert sent == [3, 3, 2]


def test_queries_hold_up_no_item(access: Access, sent: list[int]) -> None:
    """They have messages of their own, of few statements each."""
    looped = Looped()
    slow = [looped.add(asking("SELECT pg_sleep(0.1)", is_query=True)) for _ in range(16)]
    for number in range(8):
        assert looped.outcomes(getting(access, f"k{number}")) == [number]
        assert not any(each.done() for each in slow)
    assert sent == [8, 8, *[1] * 8]
    assert looped.run(asyncio.gather(*slow)) == [[("",)]] * 16


def test_statements_that_differ_take_a_bounded_amount_of_the_servers_memory(
    access: Access, idle: list[Connection]
) -> None:
    looped = Looped()
    texts = [f"SELECT {number}" for number in range(3 * sending._PREPARED_MAX)]
    for start in range(0, len(texts), 30):
        found = looped.outcomes(*map(asking, texts[start : start + 30]))
        assert found == [[(number,)] for number in range(start, start + 30)]
    looped.close()

    kept = "SELECT count(*) FROM pg_prepared_statements"
    for connection in idle:
        assert connection.execute(kept).fetchall()[0][0] <= sending._PREPARED_MAX


def test_what_fails_is_left_to_a_thread_and_the_others_are_done(access: Access, sent: list[int]) -> None:
    found = outcomes(
        putting(access, key="k1", n="new"),
        asking("SELECT 1 / $1", 0, writes=("", "", "")),
        putting(access, key="k2", n="new"),
        asking("SELECT 1 / $1", 0),
        getting(access, "k3"),
        asking("SELECT $1::text", "\0"),
        getting(access, "k4"),
    )

    assert sorted(sent) == [2, 1 + 2, 3, 1 + 3]
    assert (found[1], found[3], found[5]) == (FOR_A_THREAD,) * 3
    assert (found[4], found[6]) == (3, 4)
    for key, revision in (("k1", found[0]), ("k2", found[2])):
        assert stored(access, key) == ("new", revision)


def test_where_most_fail_all_are_left_to_threads(access: Access, sent: list[int]) -> None:
    found = outcomes(*[asking("SELECT 1 / $1", 0) for _ in range(6)], getting(access, "k1"))

    assert sent == [7, 6, 5]
    assert found == [FOR_A_THREAD] * 7


def test_what_can_not_be_sent_at_all_holds_up_nobody() -> None:
    assert outcomes(asking("SELECT $1::text", "\0")) == [FOR_A_THREAD]


def test_right_that_one_lacks_is_nothing_to_the_others(access: Access) -> None:
    key = keys.create_key(collection_id=access.collection_id, name="revoked")
    revoked = keys.read_key(key.text)
    keys.revoke_key(collection_id=access.collection_id, key_id=key.data_key.pk)
    django_connection.close()

    found = outcomes(
        putting(access, key="k1"), putting(revoked, key="k2"), getting(revoked, "k1"), getting(access, "k3")
    )

    assert [type(found[1]), type(found[2]), found[3]] == [Unauthorized, Unauthorized, 3]
    assert stored(access, "k2")[0] == 2


def test_item_that_is_put_twice_has_both_in_order(access: Access, sent: list[int]) -> None:
    found = outcomes(
        putting(access, key="k1", n="first"),
        putting(access, key="k1", n="second"),
        putting(access, key="k2", n="other"),
    )

    assert sent == [1 + 2, 1 + 1]
    assert found[0] < found[1]
    assert stored(access, "k1") == ("second", found[1])


def test_items_are_written_in_the_order_of_their_keys(access: Access) -> None:
    third, first, second = outcomes(*(putting(access, key=key) for key in ("k3", "k1", "k2")))

    assert first < second < third


def test_what_does_not_join_others_is_left_to_a_thread_before_it_did_anything(access: Access) -> None:
    """Several items at once, the first of a Base, whatever runs a statement of its own."""
    found = outcomes(
        lambda: items.put_items(access=access, base="b", items=[{"key": "k1"}, {"key": "k2"}]),
        putting(access, base="new", key="k1"),
        lambda: run(Statement("SELECT 1", [], tuple)),
    )

    assert found == [FOR_A_THREAD] * 3
    assert stored(access, "k1")[0] == 1
    django_connection.close()


def test_what_was_written_does_not_begin_again(access: Access) -> None:
    """What comes to something to wait for behind it waits in the loop, rather than write twice."""

    def put_and_ask() -> list[tuple[int]]:
        putting(access, key="k1", n="once")()
        return run(Statement("SELECT 1", [], tuple))

    before = stored(access, "k1")[1]

    assert outcomes(put_and_ask) == [[(1,)]]
    assert stored(access, "k1")[0] == "once"
    assert stored(access, "k1")[1] > before


def test_item_that_is_locked_is_left_to_a_thread(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "LOCK_TIMEOUT_MS", 50)
    with psycopg.connect(**django_connection.get_connection_params()) as other:
        other.execute("UPDATE storage_item SET size_bytes = size_bytes WHERE key = 'k2'")
        found = outcomes(*(putting(access, key=key, n="new") for key in ("k1", "k2", "k3")))
        other.rollback()

    assert found[1] == FOR_A_THREAD
    for key, revision in (("k1", found[0]), ("k3", found[2])):
        assert stored(access, key) == ("new", revision)


def test_without_a_connection_all_are_left_to_threads(access: Access) -> None:
    pool.forget_idle()

    assert outcomes(getting(access, "k1"), putting(access, key="k2")) == [FOR_A_THREAD] * 2


def test_who_waits_long_behind_others_is_left_to_a_thread(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_gathering, "_MESSAGES", dict.fromkeys(loop_gathering._MESSAGES, (1, 32)))
    looped = Looped()
    other = psycopg.connect(**django_connection.get_connection_params(), autocommit=True)
    other.execute("SELECT pg_advisory_lock(7, 7)")

    async def ask() -> list[Any]:
        slow = looped.add(asking("SELECT pg_advisory_xact_lock_shared(7, 7) IS NULL"))
        await asyncio.sleep(0)
        behind = looped.add(getting(access, "k1"))
        assert await behind == FOR_A_THREAD
        assert not slow.done()
        other.close()
        return [await slow, await looped.add(getting(access, "k2"))]

    assert looped.run(ask()) == [[(False,)], 2]


def test_who_has_little_time_left_is_left_to_a_thread(access: Access) -> None:
    looped = Looped(budget_seconds=1.0)

    assert looped.outcomes(getting(access, "k1")) == [FOR_A_THREAD]


def test_connection_that_is_lost_fails_all_of_a_message_once(access: Access, sent: list[int]) -> None:
    """Whether they were done nobody knows, so nothing is sent again."""
    looped = Looped()
    found = looped.outcomes(
        putting(access, key="k1", n="new"),
        asking("SELECT pg_terminate_backend(pg_backend_pid())", writes=("", "", "")),
        putting(access, key="k2", n="new"),
        getting(access, "k3"),
    )

    assert sent == [1, 1 + 3]
    assert [type(each) for each in found] == [EngineUnreachable] * 3 + [int]
    assert looped.outcomes(getting(access, "k1")) == [1]


def test_answer_that_is_overdue_ends_the_wait_of_all(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.postgres.gathering._LEAST_SECONDS", 0.3)
    looped = Looped(budget_seconds=0.6)

    found = looped.outcomes(asking("SELECT pg_sleep(600)"), asking("SELECT 1"))

    assert [type(each) for each in found] == [EngineUnreachable] * 2


def test_connection_that_the_server_closed_meanwhile_is_not_used(access: Access, sent: list[int]) -> None:
    looped = Looped()
    ((pid,),) = looped.outcomes(asking("SELECT pg_backend_pid()"))
    with psycopg.connect(**django_connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 60000)", pid)

    # Where the loop hears of it first, it gives up all idle connections, and leaves the request to a thread.
    (found,) = looped.outcomes(getting(access, "k1"))
    assert (found, sent) in [(1, [1, 1]), (FOR_A_THREAD, [1])]


def test_server_that_only_reads_is_left_by_all(access: Access, idle: list[Connection]) -> None:
    read_only = "SELECT set_config('transaction_read_only', 'on', true)"
    django_connection.close()

    outcomes(asking(read_only, writes=("", "", "")), putting(access, key="k1", n="new"), putting(access, key="k2"))

    assert not set(idle) & set(pool._idle)


def test_who_waits_for_a_connection_gets_that_of_the_loop(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    looped = Looped()
    monkeypatch.setattr(pool, "is_wanted", lambda: True)

    django_connection.close()
    assert looped.outcomes(getting(access, "k1")) == [1]
    assert pool.load()[0] == 0


def test_each_goes_on_as_who_it_is(access: Access) -> None:
    """What is kept for a request is its own, before and after what it asks."""

    def named(name: str) -> Work:
        def work() -> str:
            request_ids.request_id.set(name)
            getting(access, "k1")()
            return request_ids.request_id.get()

        return work

    assert outcomes(named("a"), named("bb"), named("ccc")) == ["a", "bb", "ccc"]
    assert request_ids.request_id.get() == ""


def test_statement_that_is_new_to_a_connection_is_told_to_it_once(access: Access, idle: list[Connection]) -> None:
    looped = Looped()
    fails, works = asking("SELECT 1 / $1::int", 0), asking("SELECT 2 / $1::int", 1)
    for _ in range(3):
        assert looped.outcomes(fails, works, works) == [FOR_A_THREAD, [(2,)], [(2,)]]
    looped.close()

    told = "SELECT 1 FROM pg_prepared_statements WHERE statement LIKE 'SELECT _ / %'"
    assert sorted(len(connection.execute(told).fetchall()) for connection in idle) == [0, 0, 0, 2]


def test_statement_that_can_not_be_prepared_fails_alone(access: Access) -> None:
    assert outcomes(asking("SELECT nothing"), getting(access, "k1")) == [FOR_A_THREAD, 1]


def test_who_can_not_be_told_holds_up_no_other(access: Access, caplog: pytest.LogCaptureFixture) -> None:
    looped = Looped()

    def fail(_: Any) -> None:
        raise ValueError

    async def ask() -> Any:
        looped.gathering.add(lambda: looped._caught(getting(access, "k1")), fail)
        return await looped.add(getting(access, "k2"))

    with caplog.at_level(logging.ERROR):
        assert looped.run(ask()) == 2
    assert "could not be handed over" in caplog.text


def test_those_that_have_not_ended_are_counted(access: Access) -> None:
    looped = Looped()

    async def ask() -> None:
        asked = [looped.add(getting(access, "k1")) for _ in range(3)]
        assert looped.gathering.waiting() == 3
        await asyncio.gather(*asked)

    looped.run(ask())
    assert looped.gathering.waiting() == 0
    looped.close()


def test_connection_that_breaks_on_its_way_fails_its_message(access: Access) -> None:
    """The loop is told, and waits no longer."""
    looped = Looped()

    async def ask() -> Any:
        asked = looped.add(asking("SELECT pg_sleep(600)"))
        await asyncio.sleep(0)
        (line,) = looped.gathering._lines.values()
        shared = socket.socket(fileno=line.socket)
        shared.shutdown(socket.SHUT_RDWR)
        shared.detach()
        return await asked

    assert isinstance(looped.run(ask()), EngineUnreachable)
