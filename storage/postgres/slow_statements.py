"""Statements that took long, in the log: the text, how PostgreSQL would run it, and no value.

Values are bound, so that most texts have none; what looks like one all the same is hidden in text and plan. The plan is asked for
beside the request, by a thread that lives while there is something to ask. A text is told once in ten minutes by each process,
and no more than a few within a minute.
"""

import logging
import random
import re
import threading
import time
from collections import deque
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import psycopg
from django.conf import settings
from django.db import connection as django_connection
from psycopg import generators
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from storage import request_ids
from storage.errors import StorageError
from storage.postgres.connections import Connection
from storage.postgres.deadlines import wait_for_result
from storage.postgres.sql import plans

logger = logging.getLogger(__name__)

# What takes so long is told.
SECONDS = settings.SLOW_STATEMENT_MS / 1000 or inf
_AGAIN_AFTER_SECONDS = 600.0
_MOST_A_MINUTE = 10
# Texts that are remembered: our own are a few hundred, and queries are put together by callers.
_REMEMBERED_MOST = 1_000
# In characters, of the text and of the plan.
_TEXT_MAX, _PLAN_MAX = 800, 1_000

# Names in quotes and comments are passed over; texts and numbers are hidden. A placeholder (`$1`) is no number.
_LITERAL = re.compile(
    r"""("(?:[^"]|"")*+(?:"|\Z)|--[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)|\$\d++|[A-Za-z_][A-Za-z0-9_$]*+(?!'))"""
    r"""|[eE]'(?:[^'\\]|''|\\.)*+(?:'|\\?\Z)|[A-Za-z]?'(?:[^']|'')*+(?:'|\Z)|\$(?P<tag>[A-Za-z_]*+)\$.*?(?:\$(?P=tag)\$|\Z)|\d[\d.]*+(?:[eE][+-]?\d++)?""",
    re.S,
)
# A step of a plan: the numbers are the planner's estimates. In the lines below it are conditions.
_STEP = re.compile(r"\(cost=[^()]*+\)$")


class Slow(NamedTuple):
    """A statement that took long: its text with `$1`, the types of its values as far as known, and for whom it was sent."""

    text: str
    types: Sequence[int]
    seconds: float
    request_id: str
    job: str


def hide_values(text: str) -> str:
    """A statement, or a condition of a plan, with `?` in place of each text and number."""
    return _LITERAL.sub(lambda found: found[1] or "?", text)


class SlowStatements:
    """What this process has to tell, and what it has told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, float] = {}
        self._lately: deque[float] = deque(maxlen=_MOST_A_MINUTE)
        self._waiting: deque[Slow] = deque()
        self._is_telling = False

    def note(self, text: str, types: Sequence[int], seconds: float) -> None:
        """A statement took so long. Nothing that goes wrong from here on reaches who sent it."""
        slow = Slow(text, types, seconds, request_ids.request_id.get(), request_ids.job.get())
        with self._lock:
            if not self._may_tell(text, time.monotonic()):
                return
            self._waiting.append(slow)
            if self._is_telling:
                return
            self._is_telling = True
        threading.Thread(target=self._tell_all, name="slow statements", daemon=True).start()

    def _may_tell(self, text: str, now: float) -> bool:
        if now - self._told.get(text, -inf) < _AGAIN_AFTER_SECONDS:
            return False
        if len(self._lately) == _MOST_A_MINUTE and now - self._lately[0] < 60.0:
            return False
        self._lately.append(now)
        self._told.pop(text, None)
        if len(self._told) >= _REMEMBERED_MOST:
            del self._told[next(iter(self._told))]
        self._told[text] = now
        return True

    def _tell_all(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_telling = False
                    return
                slow = self._waiting.popleft()
            try:
                _tell(slow)
            except Exception:
                logger.exception("A slow statement could not be told of")


slow_statements = SlowStatements()


def _tell(slow: Slow) -> None:
    logger.warning(
        "A statement took %d ms: %s; %s",
        slow.seconds * 1000,
        _cut(" ".join(hide_values(slow.text).split()), _TEXT_MAX),
        _cut(_plan_of(slow), _PLAN_MAX),
        extra={"duration_ms": round(slow.seconds * 1000)}
        | {name: value for name, value in (("request_id", slow.request_id), ("job", slow.job)) if value},
    )


def _plan_of(slow: Slow) -> str:
    """The plan on one line, or why there is none."""
    try:
        connection = Connection.open(**django_connection.get_connection_params(), autocommit=True)
        try:
            lines = _explain(connection, slow)
        finally:
            connection.close()
    except (psycopg.Error, StorageError) as error:
        said = str(error).strip().partition("\n")[0]
        return f"no plan: {hide_values(said) or type(error).__name__}"
    return f"plan: {' | '.join(line.strip() if _STEP.search(line) else hide_values(line.strip()) for line in lines)}"


def _explain(connection: Connection, slow: Slow) -> list[str]:
    """Raises psycopg.Error for a statement that has no plan."""
    pgconn, seconds = connection.pgconn, connection.answer_seconds
    # Of no other statement, wherever a pooler takes it.
    name = f"slow_{random.getrandbits(64):x}".encode()
    _checked(wait_for_result(pgconn, seconds, pgconn.exec_, plans.CAREFULLY))
    _checked(wait_for_result(pgconn, seconds, pgconn.prepare, name, slow.text.encode(), list(slow.types)))
    try:
        # In steps: the driver's one call for it would keep all other threads waiting as well.
        pgconn.send_describe_prepared(name)
        (about,) = connection.wait(generators.execute(pgconn))
        explain = plans.explain(name, _checked(about).nparams)
        result = _checked(wait_for_result(pgconn, seconds, pgconn.exec_, explain))
        return [(result.get_value(number, 0) or b"").decode() for number in range(result.ntuples)]
    finally:
        wait_for_result(pgconn, seconds, pgconn.exec_, plans.forget(name))


def _checked(result: PGresult) -> PGresult:
    if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        raise psycopg.OperationalError(result.get_error_message())
    return result


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} …"
