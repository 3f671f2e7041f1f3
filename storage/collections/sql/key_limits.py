"""What data keys may still do, of those that have limits. One row for each, shared by all processes."""

from typing import NamedTuple

from storage.postgres.statements import Statement

# What is lost with the last moment before a crash is not worth a wait for the disk in every request.
_SOON = "set_config('synchronous_commit', 'off', true) = 'off'"


class KeyLimits(NamedTuple):
    """A key's limits, None for no limit, and the bytes that it has used today."""

    digest: bytes
    key_id: int
    requests_per_second: int | None
    bytes_per_day: int | None
    used_bytes: int


class Grant(NamedTuple):
    """How many requests were granted, and how much of a request is left beyond them."""

    granted: int
    tokens: float


class UsedBytes(NamedTuple):
    used_bytes: int


_COLUMNS = """
    SELECT k.digest, k.id, k.requests_per_second, k.bytes_per_day,
           CASE WHEN a.day = current_date THEN a.used_bytes ELSE 0 END
    FROM storage_datakey k LEFT JOIN storage_datakeyallowance a ON a.data_key_id = k.id
"""


def find_limits(digest: bytes) -> Statement[KeyLimits]:
    """Row: the key of this digest, with limits or without; none when there is no such key."""
    return Statement(f"{_COLUMNS} WHERE k.digest = $1", [digest], KeyLimits)


def list_limits() -> Statement[KeyLimits]:
    """Rows: all keys that have limits."""
    return Statement(
        f"{_COLUMNS} WHERE k.requests_per_second IS NOT NULL OR k.bytes_per_day IS NOT NULL", [], KeyLimits
    )


def take_requests(key_id: int, rate: int, wanted: int) -> Statement[Grant]:
    """Take up to so many requests out of a bucket that `rate` flow into each second and that holds as many.

    No row when the key is gone.
    """
    # Who waited for another may have begun before that one: no time is counted twice.
    have = """
        least($2::int, a.tokens + $2::int * greatest(0, extract(epoch FROM statement_timestamp() - a.filled_at)::float8))
    """
    return Statement(
        f"""
        INSERT INTO storage_datakeyallowance AS a (data_key_id, tokens, filled_at, granted, day, used_bytes)
        SELECT k.id, $2::int - least($2::int, $3::int), statement_timestamp(), least($2::int, $3::int), current_date, 0
        FROM storage_datakey k WHERE k.id = $1
        ON CONFLICT (data_key_id) DO UPDATE SET filled_at = greatest(a.filled_at, statement_timestamp()),
            granted = least($3::int, floor({have})), tokens = {have} - least($3::int, floor({have}))
        WHERE {_SOON}
        RETURNING granted, tokens
    """,
        [key_id, rate, wanted],
        Grant,
    )


def add_bytes(key_id: int, used_bytes: int) -> Statement[UsedBytes]:
    """Add to what a key has used today. Row: how much that is by now; none when the key is gone."""
    return Statement(
        f"""
        INSERT INTO storage_datakeyallowance AS a (data_key_id, tokens, filled_at, granted, day, used_bytes)
        SELECT k.id, coalesce(k.requests_per_second, 0), statement_timestamp(), 0, current_date, $2::bigint
        FROM storage_datakey k WHERE k.id = $1
        ON CONFLICT (data_key_id) DO UPDATE SET day = current_date,
            used_bytes = CASE WHEN a.day = current_date THEN a.used_bytes ELSE 0 END + excluded.used_bytes
        WHERE {_SOON}
        RETURNING used_bytes
    """,
        [key_id, used_bytes],
        UsedBytes,
    )
