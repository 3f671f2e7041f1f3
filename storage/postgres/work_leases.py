"""Leases on kinds of work that one process does at a time, on whichever machine it is.

A lease is a row that ends by itself: nothing belongs to a session, so a pooler may hand each transaction another one, and a
machine that is gone without a word is replaced as soon as one whose process was killed. A thread of each process renews what
the process holds. Whoever lost a lease, as a process that was stopped for a while does, finds out at its next statement.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf
from uuid import UUID, uuid4

from storage import engine_waits
from storage.errors import StorageError
from storage.postgres import held_work
from storage.postgres.database import OwnConnection
from storage.postgres.held_work import Held
from storage.postgres.sql import work_leases as work_leases_sql
from storage.postgres.statements import R, Statement

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
_RENEW_SECONDS = 2.5
# What the holder counts less, for the way of a statement that is sent just before the end.
_MARGIN_SECONDS = 1.0
_ANSWER_SECONDS = 3.0
_LOCK_MS = 2_000

# Its own, as all of the pool's may be at work for as long as it takes; one thread of the process at a time asks.
_connection = OwnConnection(lock_timeout_ms=_LOCK_MS, lasts=True)
_asking = threading.Lock()
_held: dict[UUID, Held] = {}
_changing = threading.Lock()
_has_work = threading.Event()
_renewing: threading.Thread | None = None
_of_parents: list[OwnConnection] = []


@contextmanager
def leased(work: str) -> Iterator[bool]:
    """Have this kind of work inside; False when another has it. Whoever has it already has it here as well.

    A statement inside raises LeaseLost once the lease can't be known to be ours any more. Raises EngineUnreachable.
    """
    if held_work.is_doing(work):
        yield True
        return
    held = Held(work, uuid4(), good_until=held_work.clock() + LEASE_SECONDS - _MARGIN_SECONDS)
    if not _ask(work_leases_sql.take(work, held.holder, LEASE_SECONDS)):
        yield False
        return
    _keep(held)
    try:
        with held_work.doing(held):
            yield True
    finally:
        _forget(held)
        # It ends by itself as well.
        with suppress(StorageError):
            _ask(work_leases_sql.end(held.holder))


def renew_held() -> None:
    """Make the leases of this process longer, those that it still has. Raises EngineUnreachable."""
    asked = list(_held.values())
    if not asked:
        return
    began = held_work.clock()
    renewed = {row.holder for row in _ask(work_leases_sql.renew([each.holder for each in asked], LEASE_SECONDS))}
    for each in asked:
        each.good_until = began + LEASE_SECONDS - _MARGIN_SECONDS if each.holder in renewed else -inf


def _ask(statement: Statement[R]) -> list[R]:
    with _asking, engine_waits.allowed(_ANSWER_SECONDS):
        return _connection.run(statement)


def _keep(held: Held) -> None:
    global _renewing
    with _changing:
        _held[held.holder] = held
        if _renewing is None:
            _renewing = threading.Thread(target=_renew_always, name="work leases", daemon=True)
            _renewing.start()
    _has_work.set()


def _forget(held: Held) -> None:
    with _changing:
        _held.pop(held.holder, None)
        if not _held:
            _has_work.clear()


def _renew_always() -> None:
    while True:
        _has_work.wait()
        time.sleep(_RENEW_SECONDS)
        try:
            renew_held()
        except StorageError:
            pass  # the next turn comes before the leases end
        except Exception:
            logger.exception("Leases could not be renewed.")


def _start_over() -> None:
    """In a forked process, which has neither the thread nor the work. The connection stays open: it is its parent's."""
    global _connection, _asking, _changing, _has_work, _renewing
    _of_parents.append(_connection)
    _connection, _asking = OwnConnection(lock_timeout_ms=_LOCK_MS, lasts=True), threading.Lock()
    _held.clear()
    _changing, _has_work, _renewing = threading.Lock(), threading.Event(), None


os.register_at_fork(after_in_child=_start_over)
