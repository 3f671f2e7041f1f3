"""Statements on the database's log, and the slots that keep it for backups. All but `beat` are the backup role's."""

from datetime import datetime
from typing import NamedTuple

from storage.postgres.statements import NoRow, Statement


class Slot(NamedTuple):
    """`position` is the oldest of the log that is kept for it; None when that was too much, and is gone."""

    position: str | None


class Position(NamedTuple):
    """How far the log is on the disk, its timeline, and how large its segments are."""

    position: str
    timeline: int
    segment_bytes: int


class Beat(NamedTuple):
    moment: datetime


def find_slot(name: str) -> Statement[Slot]:
    """Row: the slot, unless there is none."""
    return Statement(
        """
        SELECT CASE WHEN wal_status <> 'lost' THEN restart_lsn::text END FROM pg_replication_slots WHERE slot_name = $1
    """,
        [name],
        Slot,
    )


def make_slot(name: str) -> Statement[NoRow]:
    """Have the log kept from now on. No row."""
    return Statement("SELECT FROM pg_create_physical_replication_slot($1, true)", [name], NoRow)


def drop_slot(name: str) -> Statement[NoRow]:
    """Keep no more log for this slot, if there is one. No row."""
    return Statement(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", [name], NoRow
    )


def advance_slot(name: str, position: str) -> Statement[NoRow]:
    """Let go what lies before a position. No row."""
    return Statement("SELECT FROM pg_replication_slot_advance($1, $2::text::pg_lsn)", [name, position], NoRow)


def read_position() -> Statement[Position]:
    """Row: how far the log is safe."""
    return Statement(
        """
        SELECT pg_current_wal_flush_lsn()::text, (SELECT timeline_id FROM pg_control_checkpoint()),
               pg_size_bytes(current_setting('wal_segment_size'))
    """,
        [],
        Position,
    )


def beat() -> Statement[Beat]:
    """Write the moment into the plan, so that a transaction ends right behind it. Row: that moment."""
    return Statement(
        "UPDATE storage_backupplan SET beat_at = clock_timestamp() WHERE id = 1 RETURNING beat_at", [], Beat
    )
