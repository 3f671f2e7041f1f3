"""Statements by which a reader knows how far every version is there to be read."""

from typing import NamedTuple

from storage.postgres.statements import Statement

# A condition that a follower refuses as it does a write (25006), which ends the connection that led to one: it may lack what has
# been settled at the leader. Nothing is drawn anywhere.
LEADS = "CASE WHEN pg_is_in_recovery() THEN nextval('storage_item_version') END IS NULL"


class Drawn(NamedTuple):
    drawn: int
    transaction: int | None
    written: int | None


class Progress(NamedTuple):
    oldest: int
    flushed: int


def draw_line(settled: int) -> Statement[Drawn]:
    """Row: the last id that was drawn, as 4,096 are at a time; and where that is above `settled`, the number of a transaction
    that begins after it was, and how much of the log is written by then.

    Whoever has drawn an id up to there had changed an item before, and so has a transaction with a lower number. A number of
    our own is asked for, since a snapshot's `xmax` is only one above the last that has ended, and writers may run beyond it.

    Where commits wait for a standby, it writes to the log itself, and so returns when the standby has all of it as well: an id
    that only this server knows of could be drawn again by one that takes over.

    The sequence goes to the log 32 draws ahead of itself (`log_cnt` counts them down): a standby is ahead of its leader, and a
    leader that steps down in good order stays behind, to lead again perhaps. So one that has just taken over draws an id for
    nobody first, which brings the others up to it.
    """
    return Statement(
        f"""
        WITH line AS MATERIALIZED (
            SELECT CASE WHEN is_called THEN last_value + 4095 ELSE 0 END AS drawn, log_cnt FROM storage_item_version
            WHERE {LEADS})
        SELECT drawn,
               CASE WHEN drawn > $1 THEN pg_current_xact_id()::text::bigint END,
               CASE WHEN drawn > $1 THEN pg_wal_lsn_diff(
                   CASE WHEN current_setting('synchronous_standby_names') = '' THEN pg_current_wal_insert_lsn()
                       ELSE pg_logical_emit_message(true, 'homeport',
                           CASE WHEN log_cnt = 0 THEN nextval('storage_item_version')::text ELSE '' END)
                   END, '0/0')::bigint END
        FROM line
    """,
        [settled],
        Drawn,
    )


def read_progress() -> Statement[Progress]:
    """Row: the lowest number of a transaction that runs, or of the next one; how much of the log is safe on the disk."""
    return Statement(
        f"""
        SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
               pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint
        WHERE {LEADS}
    """,
        [],
        Progress,
    )
