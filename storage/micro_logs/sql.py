"""Statements on the logs of Micros."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import NoRow, Params, Statement, Total


class LineRow(NamedTuple):
    """A line as it is read: by its id, which grows. `source` is a `MicroLine.Source`."""

    id: int
    at: datetime
    source: int
    text: str
    deployment_id: UUID | None
    request_id: UUID | None


class MicroId(NamedTuple):
    id: str


def hold_lines() -> Statement[NoRow]:
    """Until the transaction ends, nobody else adds lines: so they become visible in the order of their ids. No row."""
    return Statement("SELECT pg_advisory_xact_lock(hashtext('homeport lines of micros'))", [], NoRow)


def add_lines(
    *,
    micro_ids: list[str],
    deployment_ids: list[UUID | None],
    request_ids: list[UUID | None],
    times: list[datetime],
    sources: list[int],
    texts: list[str],
) -> Statement[NoRow]:
    """Keep lines, given as columns, in this order. No row."""
    return Statement(
        """
        INSERT INTO storage_microline (micro_id, deployment_id, request_id, at, source, text)
        SELECT micro_id, deployment_id, request_id, at, source, text
        FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::smallint[], $6::text[])
            WITH ORDINALITY AS n(micro_id, deployment_id, request_id, at, source, text, number)
        ORDER BY number
    """,
        [micro_ids, deployment_ids, request_ids, times, sources, texts],
        NoRow,
    )


def list_lines(
    micro_id: str,
    *,
    before: int | None,
    after: int | None,
    search: str,
    sources: list[int],
    deployment_id: UUID | None,
    request_id: UUID | None,
    limit: int,
) -> Statement[LineRow]:
    """Rows: the newest lines of a Micro before an id, newest first; or with `after` the oldest after it, oldest first."""
    params = Params()
    conditions = [f"micro_id = {params.add(micro_id)}"]
    if before is not None:
        conditions.append(f"id < {params.add(before)}::bigint")
    if after is not None:
        conditions.append(f"id > {params.add(after)}::bigint")
    if search:
        conditions.append(f"strpos(lower(text), lower({params.add(search)}::text)) > 0")
    if sources:
        conditions.append(f"source = ANY ({params.add(sources)}::smallint[])")
    if deployment_id is not None:
        conditions.append(f"deployment_id = {params.add(deployment_id)}")
    if request_id is not None:
        conditions.append(f"request_id = {params.add(request_id)}")
    order = "id" if after is not None else "id DESC"
    return Statement(
        f"""
        SELECT id, at, source, text, deployment_id, request_id
        FROM storage_microline WHERE {" AND ".join(conditions)} ORDER BY {order} LIMIT {params.add(limit)}
    """,
        params,
        LineRow,
    )


def list_logged_micros() -> Statement[MicroId]:
    """Rows: the Micros that have lines, deleted ones too; one look into an index for each."""
    return Statement(
        """
        WITH RECURSIVE found AS (
            (SELECT micro_id FROM storage_microline ORDER BY micro_id LIMIT 1)
            UNION ALL
            SELECT (SELECT l.micro_id FROM storage_microline l WHERE l.micro_id > f.micro_id ORDER BY l.micro_id LIMIT 1)
            FROM found f WHERE f.micro_id IS NOT NULL)
        SELECT micro_id FROM found WHERE micro_id IS NOT NULL
    """,
        [],
        MicroId,
    )


def drop_lines_beyond(micro_id: str, *, kept: int, limit: int) -> Statement[Total]:
    """Drop up to `limit` of a Micro's lines that are older than its newest `kept`; all, when it is gone. Row: how many."""
    return Statement(
        """
        WITH edge AS (
            SELECT CASE WHEN EXISTS (SELECT FROM storage_micro WHERE id = $1::text) THEN
                (SELECT id FROM storage_microline WHERE micro_id = $1::text ORDER BY id DESC OFFSET $2 LIMIT 1)
            ELSE 9223372036854775807 END AS id
        ), dropped AS (
            DELETE FROM storage_microline WHERE id IN (
                SELECT l.id FROM storage_microline l, edge WHERE l.micro_id = $1::text AND l.id <= edge.id
                ORDER BY l.id LIMIT $3)
            RETURNING 1)
        SELECT count(*) FROM dropped
    """,
        [micro_id, kept, limit],
        Total,
    )


def drop_old_lines(days: int, limit: int) -> Statement[Total]:
    """Drop up to `limit` of the oldest lines of more than so many days ago. Row: how many."""
    return Statement(
        """
        WITH dropped AS (
            DELETE FROM storage_microline WHERE id IN (
                SELECT id FROM storage_microline WHERE at < now() - make_interval(days => $1::int)
                ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
            RETURNING 1)
        SELECT count(*) FROM dropped
    """,
        [days, limit],
        Total,
    )


# Figures
