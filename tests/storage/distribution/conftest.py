"""A database of its own, as a schema of the run's, with a stand-in for Citus: Citus itself is on no package index.

What stands in notes what it is asked and behaves as Citus does where that can be seen from here. Whether Citus takes the
statements is not found out by these tests (docs/citus.md).
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from storage.attribute_indexes import ready
from storage.base import base_ids
from storage.distribution import distributing, gathering
from storage.distribution.sql import cluster as cluster_sql
from storage.postgres.connections import pool, seen
from storage.postgres.database import run
from storage.postgres.statements import NoRow, Statement, Total
from tests.serving import ROOT
from tests.waiting import MOMENT_SECONDS

SCHEMA = "distributed"
_STANDIN = Path(__file__).with_name("standin.sql")


def execute(text: str) -> None:
    """Statements without values, on a cursor of Django's."""
    with connection.cursor() as cursor:
        cursor.execute(text)


def rows(text: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall()


def forget_all() -> None:
    """What a process knows that has just been started."""
    connection.close()
    pool.forget_idle()
    seen.items_are_distributed = None
    base_ids._ids.clear()
    ready._ready.clear()


@pytest.fixture(scope="package")
def schema(server: Any) -> Iterator[None]:
    """This process works with a migrated schema of its own from here on, as if it were its database."""
    execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
    options = connection.settings_dict["OPTIONS"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(options, "options", f"{options['options']} -c search_path={SCHEMA}")
        forget_all()
        call_command("migrate", verbosity=0)
        execute(_STANDIN.read_text())
        yield
        forget_all()
    forget_all()
    execute(f"DROP SCHEMA {SCHEMA} CASCADE")


@pytest.fixture
def alone(schema: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No other process counts as connected, and the database as one of one's own. The items are in one place afterwards."""
    monkeypatch.setattr(settings, "DATABASE_URL", address())
    monkeypatch.setattr(cluster_sql, "count_sessions", lambda: Statement("SELECT 0::bigint", [], Total))
    forget_all()
    yield
    execute("TRUNCATE standin_breaks")
    if rows("SELECT 1 FROM pg_dist_partition UNION SELECT 1 FROM pg_class WHERE relname = 'storage_distribution'"):
        gathering.gather(print)
    execute("TRUNCATE standin_asked; SELECT setval('standin_steps', 1, false)")
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    run(Statement(f"ALTER ROLE CURRENT_USER IN DATABASE {name} RESET ALL", [], NoRow))
    forget_all()


@pytest.fixture
def distributed(alone: None) -> None:
    """The items are distributed, as far as the stand-in goes, and this process has just been started."""
    distributing.distribute(print)
    forget_all()


def address() -> str:
    """Of the schema, for another process."""
    about = {name: str(connection.settings_dict[name]) for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
    where = urlencode(
        {"host": about["HOST"], "port": about["PORT"], "options": f"-c search_path={SCHEMA}"}, quote_via=quote
    )
    return f"postgres://{about['USER']}:{quote(about['PASSWORD'])}@/{about['NAME']}?{where}"


def run_elsewhere(code: str) -> str:
    """Run Python in another process that works with the schema; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", f"import django\ndjango.setup()\n{code}"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address(), "DJANGO_SETTINGS_MODULE": "console.settings"},
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
