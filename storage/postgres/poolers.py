"""What lies between this server and PostgreSQL, found out by how it behaves: nothing, a pooler that keeps a session to its
client, or one that hands each transaction another session.

The last is safe for statements of the pages and the API, which keep nothing in a session, when it knows prepared statements.
Jobs wait for notifications, and take their time: they need a way past it. What is not safe is refused at the start, in words.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from storage.postgres import addresses
from storage.postgres.connections import Connection
from storage.postgres.deadlines import wait_for_result
from storage.postgres.sql import distribution as distribution_sql
from storage.postgres.sql import poolers as poolers_sql

DIRECT = "HOMEPORT_DIRECT_DATABASE_URL"
_TRANSACTIONS = (
    "hands each transaction another connection (pgbouncer calls that transaction mode). Jobs and migrations need one that"
    " stays theirs"
)
_STATEMENTS = (
    "The pooler on the way to the database lets through no transactions, only statements one by one. Let it keep a session to its"
    " client (pool_mode = session)."
)
_NAME = b"homeport_tried"
# So many clients at once come by the connection that another has just used, unless the pool keeps more than these idle.
_CLIENTS = 8
_SECONDS = 4.0


class Refused(Exception):
    """What is there is not safe, or not what it was said to be; the message says what to do."""


def check(url: str, direct_url: str, *, session_settings: Mapping[str, str]) -> list[str]:
    """Look at the way to the database, and at the one past the pooler where there is one (else it is empty).

    `session_settings` are what sessions should have, by their names in PostgreSQL; a pooler's sessions get them by the role.
    Returns sentences about what should be otherwise and is no danger. Raises Refused and psycopg's errors.
    """
    if not direct_url:
        _check_whole(url, name="DATABASE_URL")
        return []
    _check_whole(direct_url, name=DIRECT)
    session_settings = _as_items_are(direct_url, session_settings)
    said = _set_on_role(direct_url, session_settings)
    with _connected(url) as first:
        if _identity(first) != _identity_of(direct_url):
            raise Refused(f"DATABASE_URL and {DIRECT} lead to different databases.")
        if _shares_sessions(url, first) and not _keeps_prepared(url, first):
            raise Refused(
                "The pooler at DATABASE_URL hands each transaction another connection and does not know prepared statements,"
                " so that one client could run another's: pgbouncer does from 1.21 on, with max_prepared_statements set."
                " Let it keep a session to its client (pool_mode = session) instead."
            )
        return said or _missing(first, session_settings)


def refusal(fault: str) -> str | None:
    """The sentence for a connection that was refused because of what it asks for at its start; None for other faults."""
    if "unsupported startup parameter" not in fault:
        return None
    return (
        "The pooler at DATABASE_URL refuses a session's settings (“unsupported startup parameter”). Let it leave them out"
        f" (ignore_startup_parameters = options in pgbouncer), or set {DIRECT} to the address of PostgreSQL itself."
    )


def _check_whole(url: str, *, name: str) -> None:
    """Raises Refused unless sessions are kept to their client, which then may set what it needs (`connections.py`)."""
    with _connected(url) as first:
        if _shares_sessions(url, first):
            to_do = f"set {DIRECT} to the address of PostgreSQL itself" if name != DIRECT else "write PostgreSQL's own"
            raise Refused(f"The pooler at {name} {_TRANSACTIONS}: {to_do}.")


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    # No statement is prepared under a name but the one of the test.
    kept: dict[str, Any] = {"autocommit": True, "prepare_threshold": None, "connect_timeout": int(_SECONDS)}
    connection = Connection.open(**addresses.parameters(url), **kept)
    connection.answer_seconds = _SECONDS
    try:
        yield connection
    finally:
        connection.close()


def _shares_sessions(url: str, first: Connection) -> bool:
    """Whether another client comes by the very session that `first`, which stays connected, has had."""
    with closing(_sharing(url, first)) as sharing:
        return next(sharing, None) is not None


def _sharing(url: str, first: Connection) -> Generator[Connection, None, None]:
    """Other clients, each in a transaction, that have a session which `first` has had."""
    seen = {_session(first)}
    with ExitStack() as others:
        for _ in range(_CLIENTS):
            try:
                other = others.enter_context(_connected(url))
                other.autocommit = False
                session = _session(other)
            except psycopg.OperationalError as error:
                if "statement pooling" in str(error):
                    raise Refused(_STATEMENTS) from None
                return  # more than it may have at once
            if session in seen:
                yield other


def _keeps_prepared(url: str, first: Connection) -> bool:
    """Whether a statement that `first` has prepared is known to it alone, although others have its sessions."""
    if _ask(first, first.pgconn.prepare, poolers_sql.TRIED) != ExecStatus.COMMAND_OK:
        return False
    with closing(_sharing(url, first)) as sharing:
        other = next(sharing, None)
        if other and _ask(other, other.pgconn.exec_prepared, []) == ExecStatus.TUPLES_OK:
            return False
    return _ask(first, first.pgconn.exec_prepared, []) == ExecStatus.TUPLES_OK


def _ask(connection: Connection, ask: Callable[..., PGresult], value: object) -> int:
    return wait_for_result(connection.pgconn, _SECONDS, ask, _NAME, value).status


def _session(connection: Connection) -> int:
    ((number,),) = connection.execute(poolers_sql.SESSION).fetchall()
    return int(number)


def _identity(connection: Connection) -> tuple[Any, ...]:
    ((*identity,),) = connection.execute(poolers_sql.IDENTITY).fetchall()
    return tuple(identity)


def _identity_of(url: str) -> tuple[Any, ...]:
    with _connected(url) as connection:
        return _identity(connection)


def _as_items_are(url: str, session_settings: Mapping[str, str]) -> Mapping[str, str]:
    """Where items are distributed over several servers, statements are planned with their values."""
    with _connected(url) as connection:
        ((is_marked,),) = connection.execute(distribution_sql.IS_MARKED).fetchall()
    return {**session_settings, "plan_cache_mode": "auto"} if is_marked else session_settings


def _missing(connection: Connection, session_settings: Mapping[str, str]) -> list[str]:
    """A sentence for the settings that this session does not have."""
    unlike = []
    for name, wanted in session_settings.items():
        ((same,),) = connection.execute(poolers_sql.IS_SET, [name, wanted, name, wanted]).fetchall()
        if not same:
            unlike.append(f"{name} = {wanted}")
    if not unlike:
        return []
    return [
        f"Sessions lack {', '.join(unlike)}. If ALTER ROLE has set that since, have the pooler open its connections anew"
        " (RECONNECT in pgbouncer's console)."
    ]


def _set_on_role(url: str, session_settings: Mapping[str, str]) -> list[str]:
    """Have every session of our role in this database begin with these; a sentence when we may not."""
    with _connected(url) as connection:
        if not _missing(connection, session_settings):
            return []
        database = connection.info.dbname
        try:
            for name, value in session_settings.items():
                statement = poolers_sql.SET_ON_ROLE.format(
                    database=sql.Identifier(database), name=sql.Identifier(name), value=sql.Literal(value)
                )
                connection.execute(statement)
        except errors.InsufficientPrivilege:
            told = "; ".join(f"SET {name} = '{value}'" for name, value in session_settings.items())
            return [
                "Sessions behind the pooler need settings that this role may not give itself. Have a superuser run, each"
                f" after “ALTER ROLE {connection.info.user} IN DATABASE {database}”: {told}"
            ]
    return []
