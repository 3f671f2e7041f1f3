"""The SQL that Homeport sends for an ask, recorded from the very functions the server calls.

So the limit that pgbench shows is that of the statements in use, whatever shape they have by now. The recording runs
them once: the puts among them store what is stored already.
"""

import logging
import os
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from bench.load.data import compact_json
from bench.load.workload import PAGE_ITEMS, AgeBetween, Ask, Get, GroupEquals, KeyBetween, Put, ScoreBetween
from bench.systems.homeport import BASE, PROJECT, Homeport

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from storage.postgres.statements import Statement

QUERY_LIMIT = 1000


def attach(homeport: Homeport) -> None:
    """Sets Django up in this process on the engines of a running Homeport. Works once per process."""
    for name in set(os.environ) - set(homeport.environment):
        del os.environ[name]
    os.environ.update(homeport.environment)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    # Loading a million rows takes longer than a web request may.
    os.environ["HOMEPORT_STATEMENT_TIMEOUT_MS"] = "0"
    os.chdir(PROJECT)
    import django

    django.setup()
    # The settings log at INFO, and httpx would report each request.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def open_connection() -> "psycopg.Connection[Any]":
    """Django's own connection to the attached Postgres, in autocommit."""
    from django.db import connection

    connection.ensure_connection()
    return connection.connection


def connection_environment() -> dict[str, str]:
    """The variables with which Postgres's own programs reach the attached Postgres."""
    from django.db import connection

    settings = connection.get_connection_params()
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    names["options"] = "PGOPTIONS"
    return {variable: str(settings[name]) for name, variable in names.items() if settings.get(name)}


def record_statements(homeport: Homeport, ask: Ask) -> "list[Statement[Any]]":
    """Every statement that a whole answer takes, all its pages included."""
    from storage.base import items
    from storage.collections import keys

    access = keys.read_key(homeport.data_key)
    with _recording() as recorded:
        match ask:
            case Get(key):
                items.get_item(access=access, base=BASE, key=key)
            case Put(stored):
                items.put_items(access=access, base=BASE, items=_as_received(stored))
            case GroupEquals(group):
                _query_all(access, {"group": group}, QUERY_LIMIT)
            case KeyBetween(first, last):
                _query_all(access, {"key?r": [first, last]}, QUERY_LIMIT)
            case ScoreBetween(low, high):
                _query_all(access, {"score?r": [low, high]}, QUERY_LIMIT)
            case AgeBetween(low, high):
                _query_all(access, {"age?r": [low, high]}, PAGE_ITEMS)
    return recorded


def _query_all(access: Any, condition: dict[str, Any], limit: int) -> None:
    from storage.base import items, query

    predicate = query.parse_query(_as_received([condition]))
    found: list[str] = []
    last: str | None = None
    while not found or (last is not None and len(found) < limit):
        page = items.query_items(access=access, base=BASE, predicate=predicate, limit=limit, last=last)
        found += page.items
        last = page.last
        if last is None:
            break


def _as_received(value: Sequence[Any]) -> Any:
    """What the server makes of a request's text: its numbers are no binary floats."""
    from storage.exact_json import parse

    return parse(compact_json(value).encode())


@contextmanager
def _recording() -> "Iterator[list[Statement[Any]]]":
    from storage.base import finding, items

    run = items.run
    recorded: list[Statement[Any]] = []

    def record(statement: "Statement[Any]", **_: Any) -> Any:
        recorded.append(statement)
        return run(statement)

    with (
        mock.patch.object(items, "run", record),
        mock.patch.object(items, "run_with_others", record),
        mock.patch.object(finding, "run", record),
        mock.patch.object(finding, "run_with_others", record),
    ):
        yield recorded
