"""Statements that count tables at a position of the log that can be named."""

import re
from typing import NamedTuple

from storage.postgres.statements import NoRow, Statement, Total

# What people would miss. They are locked for a moment, so they are few; each is as a migration named it.
TABLES = (
    "storage_collection",
    "storage_datakey",
    "storage_base",
    "storage_item",
    "storage_drive",
    "storage_file",
    "storage_blob",
    "storage_membership",
    "storage_micro",
    "storage_sharelink",
)

_SNAPSHOT = re.compile(r"[0-9A-F]{8}-[0-9A-F]{8}-[0-9]{1,9}")


class Moment(NamedTuple):
    position: str
    snapshot: str


def begin_moment() -> Statement[NoRow]:
    """Begin a transaction that sees one moment: that of the first query in it. No row."""
    return Statement("BEGIN ISOLATION LEVEL REPEATABLE READ", [], NoRow)


def end_moment() -> Statement[NoRow]:
    """End it, and let go what it locked. No row."""
    return Statement("ROLLBACK", [], NoRow)


def see_as_in(snapshot: str) -> Statement[NoRow]:
    """See, in a transaction that has just begun, what another one sees. No row."""
    if not _SNAPSHOT.fullmatch(snapshot):
        raise ValueError(snapshot)
    return Statement(f"SET TRANSACTION SNAPSHOT '{snapshot}'", [], NoRow)


def hold_still() -> Statement[NoRow]:
    """Wait until nobody writes to these tables, and let nobody begin, until the transaction ends. No row."""
    return Statement(f"LOCK TABLE {', '.join(TABLES)} IN SHARE MODE", [], NoRow)


def note_moment() -> Statement[Moment]:
    """Row: how far the log goes, and by which name others can see the tables as they are now."""
    return Statement("SELECT pg_current_wal_insert_lsn()::text, pg_export_snapshot()", [], Moment)


def count(table: str) -> Statement[Total]:
    """Row: how many rows one of `TABLES` has."""
    if table not in TABLES:
        raise ValueError(table)
    return Statement(f"SELECT count(*) FROM {table}", [], Total)
