"""Sends together what several requests ask of Postgres at one moment.

A thread that has several requests before it works on them in turns (`answer_together`). Where one asks something short of the
database it stops there, and the thread goes on with the next (`run_with_others`). Once all have asked, or have ended, what they
asked goes out as one message, is waited for once, and each goes on with its own rows.

They wait for nobody who is not there yet. What reads is one transaction, what writes another, each item once. An error of one
takes all of them back: then the others are done without it, and it alone behind them. So is what waits for somebody's lock, as
for an item that is being changed.

A request that stopped is a greenlet: it has a context of its own, so nothing that is kept by thread may be needed behind such a
statement, and no lock may be held over one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from django.db import connection as django_connection
from greenlet import getcurrent, greenlet

from storage import engine_waits
from storage.postgres import held_work, slow_statements
from storage.postgres.connections import pool
from storage.postgres.database import engine_errors, open_connection, run
from storage.postgres.sending import NotTogether, Sent, send_together
from storage.postgres.sql import sessions as sessions_sql
from storage.postgres.statements import R, Statement

T = TypeVar("T")

# A request that may not wait for long any more would cut the others short.
_LEAST_SECONDS = 2.0
# How long writes that are done together wait for somebody's lock.
LOCK_TIMEOUT_MS = 5
# How often statements are tried together without those that failed. Then each is done alone.
TRIES = 3

# Of an item: its collection, Base and key. Items are written in this order.
Place = tuple[str, str, str]


# What a statement is for: to read or write one item, or to find items, which may take longer.
READS, WRITES, QUERIES = range(3)


class Member(greenlet):
    """A request that is worked on in turns with others: by a thread, or in an event loop, which waits for nothing."""

    is_in_loop = False


@dataclass(slots=True, eq=False)
class Asked:
    """A statement, what it is for, and the request that waits for its rows; `writes` is None for what reads.

    `asked_at` is by the monotonic clock; `tries` is how often it was sent in vain because of others.
    """

    member: Member
    statement: Statement[Any]
    purpose: int
    writes: Place | None
    budget: engine_waits.Budget
    asked_at: float
    tries: int = 0


@dataclass(slots=True)
class Said:
    """What the database said to a statement, and how long it was waited for."""

    sent: Sent
    seconds: float


# Of a statement: None where it is to be done alone.
Outcome = Said | BaseException | None


def run_with_others(statement: Statement[R], *, writes: Place | None = None, is_query: bool = False) -> list[R]:
    """As `run`, for a short statement: what other requests ask for the same purpose at this moment may be sent with it.

    `is_query` says that it looks for items. `writes` is the item that it writes: who asks says `engine_waits.no_way_back()` once
    it is written. Raises as `run` does.
    """
    member = getcurrent()
    budget = engine_waits.current()
    if (
        not isinstance(member, Member)
        or budget.left < _LEAST_SECONDS
        or member.parent is None
        or (not member.is_in_loop and django_connection.connection is not None)
    ):
        return run(statement)
    held_work.check()
    purpose = WRITES if writes is not None else QUERIES if is_query else READS
    with engine_errors():
        said: Said | None = member.parent.switch(Asked(member, statement, purpose, writes, budget, monotonic()))
    if said is None:
        return run(statement)
    if said.seconds >= slow_statements.SECONDS:
        slow_statements.slow_statements.note(statement.text, said.sent.types, said.seconds)
    return said.sent.rows


def answer_together(works: Sequence[Callable[[], T]]) -> list[T]:
    """What each of these comes to, in their order; none may raise. What they run with others is sent together."""
    members = [Member(work) for work in works]
    answers: dict[greenlet, T] = {}
    asked: list[Asked] = []

    def hear(member: greenlet, said: Any) -> None:
        if member.dead:
            answers[member] = said
        else:
            asked.append(said)

    for member in members:
        hear(member, member.switch())
    while asked:
        now = asked[:]
        asked.clear()
        for each, outcome in _outcomes(now):
            if isinstance(outcome, BaseException):
                hear(each.member, each.member.throw(outcome))
            else:
                hear(each.member, each.member.switch(outcome))
    return [answers[member] for member in members]


def _outcomes(asked: list[Asked]) -> Iterator[tuple[Asked, Outcome]]:
    """What came of each, as soon as it is known; what is to be done alone comes last."""
    reads: list[Asked] = []
    writes: dict[Place, Asked] = {}
    lonely: list[Asked] = []
    for each in asked:
        if each.writes is None:
            reads.append(each)
        elif each.writes not in writes:
            writes[each.writes] = each
        else:
            lonely.append(each)
    yield from _done_together(reads, [], lonely)
    yield from _done_together([writes[place] for place in sorted(writes)], [wait_briefly()], lonely)
    for each in lonely:
        yield each, None


def wait_briefly() -> Statement[Any]:
    """What stands before writes that are done together."""
    return sessions_sql.wait_for_locks(f"{LOCK_TIMEOUT_MS}")


def _done_together(
    asked: list[Asked], first: list[Statement[Any]], lonely: list[Asked]
) -> Iterator[tuple[Asked, Outcome]]:
    """Of statements that are sent behind the `first`. Those that are to be done alone are added to `lonely`."""
    for _ in range(TRIES):
        if len(asked) < 2:
            break
        began = monotonic()
        try:
            said = _send([*first, *(each.statement for each in asked)], min(each.budget.left for each in asked))
            outcomes: Sequence[Outcome] = said[len(first) :]
        except NotTogether as failed:
            outcomes = ()
            place = -1 if failed.place is None else failed.place - len(first)
        except BaseException as error:
            outcomes = [error] * len(asked)
        seconds = monotonic() - began
        for each in asked:
            each.budget.left -= seconds
        if outcomes:
            yield from zip(asked, outcomes, strict=True)
            return
        if place < 0:
            break
        lonely.append(asked.pop(place))
    lonely += asked


def _send(statements: list[Statement[Any]], seconds: float) -> list[Said]:
    """Within so many seconds, the wait for a connection included."""
    with engine_waits.counting_towards(engine_waits.Budget(seconds)):
        connection = pool.take(open_connection)
        try:
            began = monotonic()
            sent = send_together(connection, statements)
            return [Said(each, monotonic() - began) for each in sent]
        finally:
            pool.give_back(connection)
