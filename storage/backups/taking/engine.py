"""The bundled database as backups see it: its log and the slots that keep log for them, asked as the role for backups."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.conf import settings
from django.db import connection as django_connection

from storage.backups.faults import BackupFault
from storage.backups.sql import log as log_sql
from storage.embedded import postgres, state
from storage.postgres.connections import Connection
from storage.postgres.database import engine_errors
from storage.postgres.sending import send
from storage.postgres.statements import R, Statement

# Keeps the log until the target has it; the other one for as long as a base backup is made.
LOG_SLOT, BASE_SLOT = "homeport_log", "homeport_base"


class Place(NamedTuple):
    """A position in the log: its timeline, the byte, and how large its segments are."""

    timeline: int
    byte: int
    segment_bytes: int

    @property
    def segment(self) -> str:
        """The name of the segment that holds the byte."""
        number = self.byte // self.segment_bytes
        high, low = divmod(number, 0x1_0000_0000 // self.segment_bytes)
        return f"{self.timeline:08X}{high:08X}{low:08X}"

    @property
    def offset(self) -> int:
        """The byte's place in its segment."""
        return self.byte % self.segment_bytes

    @property
    def text(self) -> str:
        """As PostgreSQL writes it."""
        return write_position(self.byte)


def read_position(text: str) -> int:
    """The byte that PostgreSQL means."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def write_position(byte: int) -> str:
    """A byte as PostgreSQL writes it."""
    return f"{byte >> 32:X}/{byte & 0xFFFF_FFFF:X}"


def bundled() -> state.Postgres:
    """How to reach the bundled PostgreSQL. Raises BackupFault when the database is another one."""
    local = settings.LOCAL_STATE
    if settings.DATABASE_URL or local is None:
        raise BackupFault("The database is one of your own (DATABASE_URL): back it up with its own tools.")
    return local.postgres


class Engine:
    """A connection as the role for backups, for as long as it is open. Its methods raise EngineUnreachable."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_slot(self, name: str) -> log_sql.Slot | None:
        """A slot, None when there is none."""
        found = self._run(log_sql.find_slot(name))
        return found[0] if found else None

    def make_slot(self, name: str) -> None:
        """Have the log kept from now on, and no longer from where a slot of this name kept it."""
        self._run(log_sql.drop_slot(name))
        self._run(log_sql.make_slot(name))

    def drop_slot(self, name: str) -> None:
        """Keep no more log for this slot, if there is one."""
        self._run(log_sql.drop_slot(name))

    def advance_slot(self, name: str, place: Place) -> None:
        """Let go what lies before."""
        self._run(log_sql.advance_slot(name, place.text))

    def find_end(self) -> Place:
        """How far the log is on the disk."""
        (found,) = self._run(log_sql.read_position())
        return Place(found.timeline, read_position(found.position), found.segment_bytes)

    def _run(self, statement: Statement[R]) -> list[R]:
        with engine_errors():
            return send(self._connection, statement)


@contextmanager
def open_engine() -> Iterator[Engine]:
    """Connect as the role for backups. Raises BackupFault and EngineUnreachable."""
    local = bundled()
    role = {"user": postgres.BACKUP_ROLE, "password": postgres.backup_password(local)}
    with engine_errors():
        connection = Connection.open(**{**django_connection.get_connection_params(), **role}, autocommit=True)
    try:
        yield Engine(connection)
    finally:
        connection.close()
