"""Statements on a table that is partitioned by days of UTC: its days listed, made and dropped.

The names of partitions come from dates and nothing else.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from storage.postgres.statements import NoRow, Statement


@dataclass(frozen=True, slots=True)
class DayTable:
    """A table, and the column by whose value its rows have their day. `{table}_other` takes those whose day has no partition."""

    name: str
    column: str

    def partition(self, day: date) -> str:
        return f"{self.name}_{day:%Y%m%d}"


class Day(NamedTuple):
    day: str


def wait_for_lock(seconds: int) -> Statement[NoRow]:
    """Locks that take longer than this are given up, until the transaction ends. Its row is not used."""
    return Statement("SELECT set_config('lock_timeout', $1, true)", [f"{seconds}s"], NoRow)


def list_days(table: DayTable) -> Statement[Day]:
    """Rows: the day of each partition as YYYYMMDD."""
    return Statement(
        """
        SELECT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = $1::regclass AND c.relname ~ '_[0-9]{8}$' ORDER BY 1
    """,
        [table.name],
        Day,
    )


def make_day(table: DayTable, day: date, first: str, end: str) -> list[str]:
    """A partition for the values from the first (included) to the end (not), with what waits for it elsewhere; in a transaction.

    Nobody writes meanwhile. A row of that day that came into the other partition behind the move would be refused by the new
    one's beginning, and one that is on its way into it by its end; who waited for the whole table finds the new day.
    """
    name = table.partition(day)
    within = f"{table.column} >= '{first}' AND {table.column} < '{end}'"
    return [
        f"LOCK TABLE ONLY {table.name} IN SHARE ROW EXCLUSIVE MODE",
        f"CREATE TABLE {name} (LIKE {table.name} INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION)",
        f"WITH moved AS (DELETE FROM {table.name}_other WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM moved",
        f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')",
    ]


def drop_day(table: DayTable, day: date) -> str:
    """Drop a day, whatever it holds."""
    return f"DROP TABLE {table.partition(day)}"
