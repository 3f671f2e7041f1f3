"""A data folder whose database is of an older PostgreSQL, as an earlier version of Homeport would have left it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from storage.embedded import accounts, homes, leftovers, paths, postgres, process, state
from tests.waiting import eventually

MAJOR = 16
# Where it is until a server has filled it, which would end what runs in the place of its own.
ASIDE = "older"
# What can be had there: the provider that we take came with 17.
LOCALES = {
    "libc": ("--locale=C.UTF-8",),
    "C": ("--locale=C",),
}


def make_old_database(data: Path, locale: str = "libc") -> None:
    """Create the folder of the database, its role and the empty database, by the programs of the older version."""
    first = state.ensure(data)
    made, account, home, programs = _about(data)
    paths.prepare_home(data, home, account)
    homes.write_identity(data, home, instance_id=first.instance_id)
    environment = process.engine_environment(home, marks={})
    folder = home / ASIDE
    command = [str(programs / "initdb"), "-D", str(folder), "-U", "postgres", "-E", "UTF8", "-k", "-A", "scram-sha-256"]
    password = home / "tmp" / "password"
    paths.write_private_file(password, "nobody knows", account)
    process.run_tool([*command, *LOCALES[locale], f"--pwfile={password}"], environment=environment, account=account)
    of = made.postgres
    text = f"CREATE ROLE {of.user} LOGIN PASSWORD '{of.password}'\nCREATE DATABASE {of.database} OWNER {of.user}\n"
    single = [str(programs / "postgres"), "--single", "-D", str(folder), "postgres"]
    process.run_tool(single, environment=environment, account=account, text=text)


@contextmanager
def running_old_database(data: Path, name: str = ASIDE) -> Iterator[str]:
    """Its address while it runs. It is killed at the end, so that its log has something to replay."""
    made, account, home, programs = _about(data)
    folder = home / name
    options = ["listen_addresses=127.0.0.1", f"port={made.postgres.port}", f"unix_socket_directories={home / 'run'}"]
    child = process.Child(
        name="The older PostgreSQL",
        command=[str(programs / "postgres"), "-D", str(folder), *(part for each in options for part in ("-c", each))],
        environment=process.engine_environment(home, marks={}),
        folder=home,
        account=account,
        log=home / "postgres.log",
    )
    child.start()
    try:
        of = made.postgres
        where = postgres.connection_parameters(of) | {"host": "127.0.0.1"}
        eventually(lambda: postgres.find_fault(where) is None, what="the older PostgreSQL does not answer")
        yield f"postgres://{of.user}:{of.password}@127.0.0.1:{of.port}/{of.database}"
    finally:
        child.restart()
        child.stop()
        leftovers.end_postgres(leftovers.postgres_processes(folder))


def put_in_place(data: Path) -> None:
    """Make it the server's own database."""
    made = state.load(data)
    assert made
    home = made.home(data)
    (home / ASIDE).rename(postgres.folder(home))
    state.note_made(data, made)


def describe(address: dict[str, Any] | str) -> dict[str, Any]:
    """What a database has in it: rows of each table, functions, indexes, rules; to compare with another.

    Not where its sequences are, which a crash moves on.
    """
    with psycopg.connect(address) if isinstance(address, str) else psycopg.connect(**address) as connection:
        tables = [name for (name,) in connection.execute(_TABLES)]
        return {
            "rows": {name: _rows(connection, name) for name in tables},
            "made": sorted(connection.execute(_MADE).fetchall()),
        }


_TABLES = "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
# Each version writes expressions of indexes and rules in its own way: these by name.
_MADE = """
    SELECT 'function', pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', tablename || ' ' || indexname FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'rule', format('%s %s %s', conrelid::regclass, conname, contype) FROM pg_constraint
              WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
"""


def _rows(connection: "psycopg.Connection[Any]", table: str) -> list[str]:
    found = connection.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
    return sorted(row for (row,) in found)


def _about(data: Path) -> tuple[state.LocalState, accounts.Account | None, Path, Path]:
    made = state.load(data)
    assert made
    account = accounts.engine_account(accounts.OWN)
    programs = paths.postgres_of(MAJOR, account)
    assert programs
    return made, account, made.home(data), programs
