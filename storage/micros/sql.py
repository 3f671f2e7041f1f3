"""Statements of Micros: what should run, what was printed, how many requests there were."""

from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import NoRow, Statement, Total


class WantedRow(NamedTuple):
    micro_id: str
    collection_id: str
    subdomain: str
    version: int
    idle_minutes: int
    is_kept_warm: bool
    sealed_variables: bytes
    sealed_data_key: bytes
    deployment_id: UUID
    dependencies_id: UUID | None
    runtime: str


class InUse(NamedTuple):
    deployment_id: UUID
    dependencies_id: UUID | None


class Hour(NamedTuple):
    micro_id: str
    requests: int
    errors: int


class Minute(NamedTuple):
    minute: int
    requests: int
    errors: int


class KeyOfMicro(NamedTuple):
    id: int


_WANTED = """
    SELECT m.id, m.collection_id, m.subdomain, m.version, m.idle_minutes, m.is_kept_warm, m.sealed_variables,
        m.sealed_data_key, d.id, d.dependencies_id, d.runtime
    FROM storage_micro m"""


def list_wanted() -> Statement[WantedRow]:
    """Rows: every Micro whose code is deployed, with the deployment that serves."""
    return Statement(f"{_WANTED} JOIN storage_deployment d ON d.id = m.deployment_id ORDER BY m.id", [], WantedRow)


def find_wanted(deployment_id: UUID) -> Statement[WantedRow]:
    """Row: a Micro with this deployment of it, whether it serves or not."""
    return Statement(
        f"{_WANTED} JOIN storage_deployment d ON d.micro_id = m.id WHERE d.id = $1", [deployment_id], WantedRow
    )


def list_places_in_use() -> Statement[InUse]:
    """Rows: deployments that serve or are being made, and what was installed for them."""
    return Statement(
        """
        SELECT d.id, d.dependencies_id FROM storage_deployment d JOIN storage_micro m ON m.id = d.micro_id
        WHERE d.id = m.deployment_id OR d.state IN ('queued', 'building', 'starting')
    """,
        [],
        InUse,
    )


# Lines


def add_minutes(rows: list[tuple[str, int, int, int]]) -> Statement[NoRow]:
    """Add to what each minute held. Rows of Micro's id, minute since 1970, requests, errors, no two of one minute. No row."""
    columns = [list(column) for column in zip(*sorted(rows), strict=True)]
    return Statement(
        """
        INSERT INTO storage_microminute AS m (micro_id, minute, requests, errors)
        SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[])
        ON CONFLICT (micro_id, minute) DO UPDATE SET requests = m.requests + excluded.requests,
            errors = m.errors + excluded.errors
    """,
        columns,
        NoRow,
    )


def sum_minutes(micro_ids: list[str], minutes: int) -> Statement[Hour]:
    """Rows: requests and errors of the last so many minutes, of those of these Micros that had any."""
    return Statement(
        """
        SELECT micro_id, sum(requests)::bigint, sum(errors)::bigint FROM storage_microminute
        WHERE micro_id = ANY ($1::text[]) AND minute > extract(epoch FROM now())::bigint / 60 - $2
        GROUP BY micro_id
    """,
        [micro_ids, minutes],
        Hour,
    )


def list_minutes(micro_id: str, minutes: int) -> Statement[Minute]:
    """Rows by time: the minutes among the last so many in which a Micro had requests."""
    return Statement(
        """
        SELECT minute, requests, errors FROM storage_microminute
        WHERE micro_id = $1 AND minute > extract(epoch FROM now())::bigint / 60 - $2 ORDER BY minute
    """,
        [micro_id, minutes],
        Minute,
    )


def drop_minutes(kept_minutes: int, limit: int) -> Statement[Total]:
    """Drop up to `limit` minutes that are older, or of Micros that are gone. Row: how many."""
    return Statement(
        """
        WITH dropped AS (
            DELETE FROM storage_microminute WHERE (micro_id, minute) IN (
                SELECT t.micro_id, t.minute FROM storage_microminute t
                WHERE t.minute < extract(epoch FROM now())::bigint / 60 - $1
                OR NOT EXISTS (SELECT FROM storage_micro m WHERE m.id = t.micro_id) LIMIT $2)
            RETURNING 1)
        SELECT count(*) FROM dropped
    """,
        [kept_minutes, limit],
        Total,
    )


# API keys


def use_key(micro_id: str, digest: bytes, rest_seconds: int) -> Statement[KeyOfMicro]:
    """Note the use of an API key of a Micro, unless that was done within `rest_seconds`. Row: its id, if there is such a key."""
    return Statement(
        """
        WITH found AS (SELECT id FROM storage_microkey WHERE digest = $2 AND micro_id = $1),
        noted AS (
            UPDATE storage_microkey k SET last_used_at = now() FROM found
            WHERE k.id = found.id AND (k.last_used_at IS NULL OR k.last_used_at < now() - make_interval(secs => $3)))
        SELECT id FROM found
    """,
        [micro_id, digest, rest_seconds],
        KeyOfMicro,
    )
