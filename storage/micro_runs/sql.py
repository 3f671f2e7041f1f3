"""Statements of runs: which is next, whose worker is gone, and what is no longer kept."""

from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import NoRow, Statement, Total


class RunId(NamedTuple):
    id: UUID


def hold_claims() -> Statement[NoRow]:
    """Until the transaction ends nobody else claims a run: so that no Micro gets more at once than it may. No row."""
    return Statement("SELECT pg_advisory_xact_lock(hashtext('homeport runs of micros'))", [], NoRow)


def claim_run(*, is_long: bool, of_one_at_once: int) -> Statement[RunId]:
    """Begin the run that has waited longest, of the long ones or of the others, whose Micro has room for one. Row: its id."""
    return Statement(
        """
        UPDATE storage_microrun r SET state = 'running', attempts = r.attempts + 1, started_at = now(), heartbeat_at = now()
        FROM (
            SELECT q.id FROM storage_microrun q
            WHERE q.state = 'queued' AND (q.limit_seconds IS NOT NULL) = $1 AND (
                SELECT count(*) FROM storage_microrun o WHERE o.micro_id = q.micro_id AND o.state = 'running') < $2
            ORDER BY q.asked_at, q.id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) n WHERE r.id = n.id RETURNING r.id
    """,
        [is_long, of_one_at_once],
        RunId,
    )


def drop_runs_beyond(*, kept: int, days: int, limit: int) -> Statement[Total]:
    """Drop up to `limit` ended runs that are not among their Micro's newest `kept`, or older than so many days. Row: how many."""
    return Statement(
        """
        WITH dropped AS (
            DELETE FROM storage_microrun WHERE id IN (
                SELECT id FROM (
                    SELECT id, state, asked_at, row_number() OVER (PARTITION BY micro_id ORDER BY asked_at DESC, id DESC) AS n
                    FROM storage_microrun) r
                WHERE r.state IN ('done', 'failed', 'skipped', 'cancelled')
                    AND (r.n > $1 OR r.asked_at < now() - make_interval(days => $2::int)) LIMIT $3)
            RETURNING 1)
        SELECT count(*) FROM dropped
    """,
        [kept, days, limit],
        Total,
    )


def forget_bodies_beyond(*, kept: int, limit: int) -> Statement[Total]:
    """Drop input and answer of up to `limit` ended runs that are not among their Micro's newest `kept`. Row: how many."""
    return Statement(
        """
        WITH emptied AS (
            UPDATE storage_microrun SET input = '', answer = '', is_forgotten = true WHERE id IN (
                SELECT id FROM (
                    SELECT id, state, is_forgotten, input, answer,
                        row_number() OVER (PARTITION BY micro_id ORDER BY asked_at DESC, id DESC) AS n
                    FROM storage_microrun) r
                WHERE r.n > $1 AND NOT r.is_forgotten AND r.state IN ('done', 'failed', 'skipped', 'cancelled')
                    AND (r.input <> '' OR r.answer <> '') LIMIT $2)
            RETURNING 1)
        SELECT count(*) FROM emptied
    """,
        [kept, limit],
        Total,
    )
