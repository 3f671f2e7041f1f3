"""The schema as two migrations make it is the schema that ten made before, and a data folder of then starts as it is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from console import serving

pytestmark = pytest.mark.usefixtures("database")

HERE = Path(__file__).parent
# What `sqlmigrate` printed for each of the ten, under its name.
TEN = HERE / "ten_migrations.sql"

TABLES = """
    SELECT c.relname, c.relkind::text, c.relpersistence::text, c.reloptions, pg_get_partkeydef(c.oid),
           pg_get_expr(c.relpartbound, c.oid)
    FROM pg_class c WHERE c.relnamespace = to_regnamespace(%s) ORDER BY c.relname
"""
COLUMNS = """
    SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
           co.collname, a.attstorage::text, a.attcompression::text, a.attidentity::text, a.attgenerated::text
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum LEFT JOIN pg_collation co ON co.oid = a.attcollation
    WHERE c.relnamespace = to_regnamespace(%s) ORDER BY c.relname, a.attnum
"""
CONSTRAINTS = """
    SELECT r.relname, c.conname, c.contype::text, c.condeferrable, c.condeferred, c.convalidated, pg_get_constraintdef(c.oid)
    FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid WHERE c.connamespace = to_regnamespace(%s) ORDER BY 1, 2
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %s ORDER BY 1, 2"
SEQUENCES = """
    SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle, cache_size
    FROM pg_sequences WHERE schemaname = %s ORDER BY 1
"""
FUNCTIONS = """
    SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace = to_regnamespace(%s) AND p.prokind <> 'a' ORDER BY 1
"""
TRIGGERS = """
    SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = to_regnamespace(%s) AND NOT t.tgisinternal ORDER BY 1
"""
CATALOGUES = {
    "tables": TABLES,
    "columns": COLUMNS,
    "constraints": CONSTRAINTS,
    "indexes": INDEXES,
    "sequences": SEQUENCES,
    "functions": FUNCTIONS,
    "triggers": TRIGGERS,
}


@pytest.fixture
def old() -> Iterator[DatabaseWrapper]:
    """A database as the ten migrations left it, those of other apps included."""
    with scratch("made_by_ten") as made:
        for app in ("auth", "contenttypes", "sessions", "procrastinate"):
            call_command("migrate", app, database=made.alias, verbosity=0)
        apply_ten(made, *old_names())
        yield made


def migrate_to_two(database: DatabaseWrapper) -> None:
    """Other apps' migrations, and those of storage that replace the ten."""
    for app, *upto in (("auth",), ("contenttypes",), ("sessions",), ("procrastinate",), ("storage", "0002_raw_sql")):
        call_command("migrate", app, *upto, database=database.alias, verbosity=0)


def old_names() -> list[str]:
    return [line[3:] for line in TEN.read_text().splitlines() if line.startswith("-- 0")]


def apply_ten(database: DatabaseWrapper, *names: str) -> None:
    """Make what these of the ten made, and note them as Django did."""
    parts = TEN.read_text().split("-- 0")[1:]
    with database.cursor() as cursor:
        for part in parts:
            name, _, statements = f"0{part}".partition("\n")
            if name in names:
                cursor.execute(statements)
                MigrationRecorder(database).record_applied("storage", name)


def test_both_make_the_same_schema(old: DatabaseWrapper) -> None:
    with scratch("made_by_two") as new:
        migrate_to_two(new)
        before, after = catalogues_of(old), catalogues_of(new)
    assert before.keys() == after.keys()
    for kind in before:
        assert before[kind] == after[kind], kind
    assert {"storage_item", "storage_eventblock_other"} <= {row[0] for row in before["tables"]}


def test_a_database_of_before_needs_no_migration(old: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    """But those that came after the two, which it is given as any other is."""
    before = catalogues_of(old)
    migrate_to_two(old)
    assert catalogues_of(old) == before
    applied = {name for app, name in MigrationRecorder(old).applied_migrations() if app == "storage"}
    assert applied == {*old_names(), "0001_schema", "0002_raw_sql"}
    monkeypatch.setattr(serving, "connection", old)
    monkeypatch.setattr(serving, "call_command", lambda *given, **how: call_command(*given, database=old.alias, **how))
    serving.migrate_if_needed(print)
    assert not serving.migrate_if_needed(print)


def test_models_and_migrations_say_the_same() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("number", [1, 2, 9])
def test_a_database_that_only_some_of_the_ten_made_is_refused(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    with scratch("made_by_some") as some:
        recorder = MigrationRecorder(some)
        recorder.ensure_schema()
        for name in old_names()[:number]:
            recorder.record_applied("storage", name)
        monkeypatch.setattr(serving, "connection", some)
        with pytest.raises(CommandError, match="unfinished version of Homeport"):
            serving.migrate_if_needed(print)


@pytest.mark.parametrize("later", [("storage", "9999_later"), ("an_app_of_later", "0001_initial")])
def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    monkeypatch: pytest.MonkeyPatch, later: tuple[str, str]
) -> None:
    with scratch("made_later") as newer:
        recorder = MigrationRecorder(newer)
        recorder.ensure_schema()
        recorder.record_applied(*later)
        before = catalogues_of(newer)
        monkeypatch.setattr(serving, "connection", newer)
        with pytest.raises(CommandError, match=f"newer version of Homeport .*{'.'.join(later)}"):
            serving.migrate_if_needed(print)
        assert catalogues_of(newer) == before


def test_a_first_start_that_was_stopped_between_the_two_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch("made_by_one") as half:
        call_command("migrate", "storage", "0001_schema", database=half.alias, verbosity=0)
        monkeypatch.setattr(serving, "connection", half)
        monkeypatch.setattr(
            serving, "call_command", lambda *given, **how: call_command(*given, database=half.alias, **how)
        )
        assert serving.migrate_if_needed(print)
        assert not serving.migrate_if_needed(print)


@contextmanager
def scratch(schema: str) -> Iterator[DatabaseWrapper]:
    """A schema of its own in the server's database, as if it were a database, registered under its name."""
    options = {**connection.settings_dict["OPTIONS"], "options": f"-c search_path={schema}"}
    made = DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}, alias=schema)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        cursor.execute(f"CREATE SCHEMA {schema}")
    connections[schema] = made
    connections.settings[schema] = made.settings_dict
    try:
        yield made
    finally:
        made.close()
        del connections.settings[schema]
        del connections[schema]
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {schema} CASCADE")


def catalogues_of(database: DatabaseWrapper) -> dict[str, list[Any]]:
    """All that the catalogues say of the schema, without its name."""
    schema = database.alias
    with database.cursor() as cursor:
        found = {}
        for kind, statement in CATALOGUES.items():
            cursor.execute(statement, [schema])
            found[kind] = json.loads(json.dumps(cursor.fetchall()).replace(f"{schema}.", "").replace(schema, ""))
        return found
