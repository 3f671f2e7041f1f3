"""Statements about the server as a whole: its queue of jobs, what it stores, its database."""

from datetime import datetime
from typing import NamedTuple

from storage.postgres.statements import Statement


class QueuedJobs(NamedTuple):
    """Jobs of one name in one state; `oldest_seconds` since the first of them came into it."""

    name: str
    state: str
    jobs: int
    oldest_seconds: float


class LastStart(NamedTuple):
    """The time for which a periodic job was put into the queue last, in seconds since 1970."""

    name: str
    at: int


class Workers(NamedTuple):
    """Job workers that gave a sign of life within the last minute, and jobs that failed within the last hour."""

    alive: int
    failed_jobs: int
    last_failed: str


class Stored(NamedTuple):
    """What is stored, as last counted; `counted_at` is None before the first time."""

    collections: int
    people: int
    bases: int
    items: int
    item_bytes: int
    drives: int
    files: int
    file_bytes: int
    micros: int
    counted_at: datetime | None


class Database(NamedTuple):
    """The state of PostgreSQL. `is_sure` says whether what it confirms is on its disk; `held_seconds` how long the oldest
    transaction that has written, or was prepared for it, has been open; `now` is its clock, in seconds since 1970."""

    version: str
    started_at: datetime
    is_read_only: bool
    is_sure: bool
    size_bytes: int
    connections: int
    busy_connections: int
    most_connections: int
    held_seconds: float
    now: float


def list_queued_jobs() -> Statement[QueuedJobs]:
    """Jobs that wait, run or have failed."""
    return Statement(
        """
        SELECT job.task_name, job.status::text, count(*),
               coalesce(extract(epoch FROM clock_timestamp() - min(greatest(came.at, job.scheduled_at))), 0)::float8
        FROM procrastinate_jobs job
        LEFT JOIN LATERAL (SELECT max(event.at) AS at FROM procrastinate_events event WHERE event.job_id = job.id) came
            ON true
        WHERE job.status IN ('todo', 'doing', 'failed')
        GROUP BY 1, 2
        ORDER BY 1, 2
    """,
        [],
        QueuedJobs,
    )


def list_last_starts() -> Statement[LastStart]:
    """Every periodic job that was put into the queue at least once."""
    return Statement(
        """
        SELECT task_name, max(defer_timestamp)
        FROM procrastinate_periodic_defers
        GROUP BY 1
        ORDER BY 1
    """,
        [],
        LastStart,
    )


def count_workers() -> Statement[Workers]:
    """One row."""
    return Statement(
        """
        WITH failed AS MATERIALIZED (
            SELECT job.task_name AS name, event.at
            FROM procrastinate_events event JOIN procrastinate_jobs job ON job.id = event.job_id
            WHERE event.type = 'failed' AND event.at > now() - interval '1 hour')
        SELECT (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '1 minute'),
               (SELECT count(*) FROM failed),
               coalesce((SELECT name FROM failed ORDER BY at DESC LIMIT 1), '')
    """,
        [],
        Workers,
    )


def sum_stored() -> Statement[Stored]:
    """One row."""
    return Statement(
        """
        SELECT (SELECT count(*) FROM storage_collection),
               (SELECT count(*) FROM auth_user WHERE is_active),
               (SELECT count(*) FROM storage_base),
               coalesce(base.items, 0)::bigint, coalesce(base.size_bytes, 0)::bigint,
               (SELECT count(*) FROM storage_drive),
               coalesce(drive.files, 0)::bigint, coalesce(drive.size_bytes, 0)::bigint,
               (SELECT count(*) FROM storage_micro),
               (SELECT counted_at FROM storage_count)
        FROM (SELECT sum(items) AS items, sum(size_bytes) AS size_bytes FROM storage_basefigures) base,
             (SELECT sum(files) AS files, sum(size_bytes) AS size_bytes FROM storage_drivefigures) drive
    """,
        [],
        Stored,
    )


def read_database() -> Statement[Database]:
    """One row. Of sessions of others only that is seen which everybody may see."""
    return Statement(
        """
        SELECT current_setting('server_version'), pg_postmaster_start_time(), pg_is_in_recovery(),
               current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean,
               pg_database_size(current_database()),
               count(*), count(*) FILTER (WHERE session.state <> 'idle'), current_setting('max_connections')::int,
               greatest(
                   0,
                   extract(epoch FROM clock_timestamp()
                       - min(session.xact_start) FILTER (WHERE session.backend_xid IS NOT NULL)),
                   (SELECT extract(epoch FROM clock_timestamp() - min(prepared)) FROM pg_prepared_xacts))::float8,
               extract(epoch FROM clock_timestamp())::float8
        FROM pg_stat_activity session
        WHERE session.backend_type = 'client backend'
    """,
        [],
        Database,
    )
