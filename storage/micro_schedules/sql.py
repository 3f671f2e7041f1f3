"""Statements of schedules: which are due, and what becomes of them."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, Statement


class DueRow(NamedTuple):
    micro_id: str
    expression: str
    set_at: datetime
    due_at: datetime
    now: datetime


def claim_due(limit: int) -> Statement[DueRow]:
    """Rows: up to `limit` schedules that are due, the longest first, which nobody else claims until the transaction ends.

    Their Micros are held as well, so that none is deleted meanwhile; one that somebody changes is left for the next time.
    """
    return Statement(
        """
        SELECT s.micro_id, s.expression, s.set_at, s.next_at, now()
        FROM storage_microschedule s JOIN storage_micro m ON m.id = s.micro_id
            JOIN storage_collection c ON c.id = m.collection_id
        WHERE s.next_at <= now() AND c.scratch_of IS NULL ORDER BY s.next_at, s.micro_id LIMIT $1
        FOR UPDATE OF s SKIP LOCKED FOR KEY SHARE OF m SKIP LOCKED
    """,
        [limit],
        DueRow,
    )


def queue_due(
    *,
    micro_ids: list[str],
    run_ids: list[UUID],
    due_at: list[datetime],
    next_at: list[datetime | None],
    waiting_max: int,
    left_out: str,
) -> Statement[Affected]:
    """Move claimed schedules, given as columns, on to their next times, and queue a run of each. Rows: one for each run.

    A run whose Micro has `waiting_max` waiting already is left out, for the reason `left_out`.
    """
    return Statement(
        """
        WITH claimed AS (
            SELECT * FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
                AS n(micro_id, run_id, due_at, next_at)
        ), under_way AS (
            SELECT r.micro_id, count(*) FILTER (WHERE r.state = 'queued') AS waiting, bool_or(r.kind = 'cron') AS is_overlapping
            FROM storage_microrun r WHERE r.micro_id = ANY ($1::text[]) AND r.state IN ('queued', 'running')
            GROUP BY r.micro_id
        ), moved AS (
            UPDATE storage_microschedule s SET next_at = c.next_at,
                overlapped_at = CASE WHEN u.is_overlapping THEN now() ELSE s.overlapped_at END
            FROM claimed c LEFT JOIN under_way u USING (micro_id) WHERE s.micro_id = c.micro_id
            RETURNING s.micro_id, s.limit_seconds, c.run_id, c.due_at, coalesce(u.is_overlapping, false) AS is_overlapping,
                coalesce(u.waiting, 0) >= $5 AS is_left_out
        )
        INSERT INTO storage_microrun (id, micro_id, kind, action, due_at, asked_at, state, limit_seconds, is_overlapping,
            attempts, finished_at, input, answer, is_cut, is_forgotten, reason)
        SELECT run_id, micro_id, 'cron', '', due_at, now(), CASE WHEN is_left_out THEN 'skipped' ELSE 'queued' END,
            limit_seconds, is_overlapping, 0, CASE WHEN is_left_out THEN now() END, '', '', false, false,
            CASE WHEN is_left_out THEN $6 ELSE '' END
        FROM moved ON CONFLICT DO NOTHING RETURNING 1
    """,
        [micro_ids, run_ids, due_at, next_at, waiting_max, left_out],
        Affected,
    )
