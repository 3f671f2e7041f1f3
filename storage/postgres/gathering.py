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
_LOCK_TIMEOUT_MS = 5
# How often statements are tried together without those that failed. Then each is done alone.
_TRIES = 3

# Of an item: its collection, Base and key. Items are written in this order.
Place = tuple[str, str, str]


class _Member(greenlet):
    """A request that a thread works on in turns with others."""


@dataclass(slots=True, eq=False)
class _Asked:
    """A statement, and the request that waits for its rows; `writes` is None for what reads."""

    member: greenlet
    statement: Statement[Any]
    writes: Place | None
    budget: engine_waits.Budget


@dataclass(slots=True)
class _Said:
    """What the database said to a statement, and how long it was waited for."""

    sent: Sent
    seconds: float


# Of a statement: None where it is to be done alone.
_Outcome = _Said | BaseException | None


def run_with_others(statement: Statement[R], *, writes: Place | None = None) -> list[R]:
    """As `run`, for a short statement on one item: what other requests ask at this moment may be sent with it.

    `writes` is the item that it writes. Raises as `run` does.
    """
    member = getcurrent()
    budget = engine_waits.current()
    if (
        not isinstance(member, _Member)
        or django_connection.connection is not None
        or budget.left < _LEAST_SECONDS
        or member.parent is None
    ):
        return run(statement)
    held_work.check()
    with engine_errors():
        said: _Said | None = member.parent.switch(_Asked(member, statement, writes, budget))
    if said is None:
        return run(statement)
    if said.seconds >= slow_statements.SECONDS:
        slow_statements.slow_statements.note(statement.text, said.sent.types, said.seconds)
    return said.sent.rows


def answer_together(works: Sequence[Callable[[], T]]) -> list[T]:
    """What each of these comes to, in their order; none may raise. What they run with others is sent together."""
    members = [_Member(work) for work in works]
    answers: dict[greenlet, T] = {}
    asked: list[_Asked] = []

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


def _outcomes(asked: list[_Asked]) -> Iterator[tuple[_Asked, _Outcome]]:
    """What came of each, as soon as it is known; what is to be done alone comes last."""
    reads: list[_Asked] = []
    writes: dict[Place, _Asked] = {}
    lonely: list[_Asked] = []
    for each in asked:
        if each.writes is None:
            reads.append(each)
        elif each.writes not in writes:
            writes[each.writes] = each
        else:
            lonely.append(each)
    yield from _done_together(reads, [], lonely)
    first = [sessions_sql.wait_for_locks(f"{_LOCK_TIMEOUT_MS}")]
    yield from _done_together([writes[place] for place in sorted(writes)], first, lonely)
    for each in lonely:
        yield each, None


def _done_together(
    asked: list[_Asked], first: list[Statement[Any]], lonely: list[_Asked]
) -> Iterator[tuple[_Asked, _Outcome]]:
    """Of statements that are sent behind the `first`. Those that are to be done alone are added to `lonely`."""
    for _ in range(_TRIES):
        if len(asked) < 2:
            break
        began = monotonic()
        try:
            said = _send([*first, *(each.statement for each in asked)], min(each.budget.left for each in asked))
            outcomes: Sequence[_Outcome] = said[len(first) :]
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


def _send(statements: list[Statement[Any]], seconds: float) -> list[_Said]:
    """Within so many seconds, the wait for a connection included."""
    with engine_waits.counting_towards(engine_waits.Budget(seconds)):
        connection = pool.take(open_connection)
        try:
            began = monotonic()
            sent = send_together(connection, statements)
            return [_Said(each, monotonic() - began) for each in sent]
        finally:
            pool.give_back(connection)
