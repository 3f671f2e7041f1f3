"""Statements on recorded requests: kept in batches, listed without their bodies, found again, pinned, dropped.

`storage_event` is partitioned by its id, which begins with the time: a partition for each day, and one for all else. Every
statement names the collection and goes down the primary key, `(collection_id, id)`, newest first, so that it costs
what it looks at, however much there is. What a filter without an index looks at is bounded.
"""

from typing import NamedTuple
from uuid import UUID

from storage.sql.access import Params, Statement

_LINE = """id, method, path, query, status, duration_us, bytes_in, bytes_out, key_id, origin, replay_of, is_pinned,
            size_bytes"""
_COLUMNS = """collection_id, id, method, path, query, status, duration_us, bytes_in, bytes_out, key_id, origin, replay_of,
    size_bytes, details, request_body, response_body"""


class EventSpan(NamedTuple):
    """The events of a collection from `since` (included) to `before` (not)."""

    collection_id: str
    since: UUID
    before: UUID


class EventConditions(NamedTuple):
    """What a listed event has to be; None, "" and False ask for nothing. `path` and `text` are found anywhere, in any case."""

    status_from: int | None = None
    status_to: int | None = None
    method: str = ""
    path: str = ""
    key_id: int | None = None
    text: str = ""
    slower_us: int | None = None
    origin: str = ""
    is_pinned: bool = False


def copy_events() -> str:
    """For `COPY`, whose rows are in the order of these columns."""
    return f"COPY storage_event ({_COLUMNS}) FROM STDIN"


def insert_event(row: tuple[object, ...]) -> Statement:
    """Keep one event, in the columns of `copy_events`. No row."""
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    return f"INSERT INTO storage_event ({_COLUMNS}) VALUES ({places})", list(row)


def count_events(rows: list[tuple[str, int, int, int, int, int]]) -> Statement:
    """Add to what each minute held. Rows of collection id, minute since 1970, requests, errors, bytes, lost. No row."""
    collections, minutes, requests, errors, sizes, lost = (list(column) for column in zip(*sorted(rows), strict=True))
    return (
        """
        INSERT INTO storage_eventminute AS m (collection_id, minute, requests, errors, size_bytes, lost)
        SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::int[])
        ON CONFLICT (collection_id, minute) DO UPDATE SET requests = m.requests + excluded.requests,
            errors = m.errors + excluded.errors, size_bytes = m.size_bytes + excluded.size_bytes,
            lost = m.lost + excluded.lost
    """,
        [collections, minutes, requests, errors, sizes, lost],
    )


def find_key_ids(digests: list[bytes]) -> Statement:
    """Rows: digest, collection's id, id of those that are data keys."""
    return "SELECT digest, collection_id, id FROM storage_datakey WHERE digest = ANY ($1::bytea[])", [digests]


def list_events(
    span: EventSpan, conditions: EventConditions, *, limit: int, max_rows: int, max_bytes: int | None = None
) -> Statement:
    """Up to `limit` events that meet the conditions, newest first, out of the newest `max_rows`, and `max_bytes` of them.

    Row: id, method, path, query, status, duration in microseconds, bytes in and out, key's id, origin, replay of,
    is pinned, size in bytes, key's name.
    """
    params = Params()
    looked = _looked_at(params, span, conditions, columns=f"{_LINE}, request_body, response_body", max_rows=max_rows)
    tests = " AND ".join(_tests(params, conditions, max_bytes)) or "true"
    return (
        f"""
        SELECT e.id, e.method, e.path, e.query, e.status, e.duration_us, e.bytes_in, e.bytes_out, e.key_id, e.origin,
               e.replay_of, e.is_pinned, e.size_bytes, k.name
        FROM (SELECT {_LINE} FROM ({looked}) l WHERE {tests} ORDER BY id DESC LIMIT {params.add(limit)}) e
        LEFT JOIN storage_datakey k ON k.id = e.key_id
        ORDER BY e.id DESC
    """,
        params,
    )


def find_end_of_look(
    span: EventSpan, conditions: EventConditions, *, max_rows: int, max_bytes: int | None = None
) -> Statement:
    """Row: the oldest id that `list_events` looked at, how many it were, whether there are older ones in the span."""
    params = Params()
    looked = _looked_at(params, span, conditions, columns="id, size_bytes", max_rows=max_rows)
    size = "true" if max_bytes is None else f"seen_bytes - size_bytes < {params.add(max_bytes)}"
    return (
        f"""
        SELECT l.id, l.number, EXISTS (
            SELECT 1 FROM storage_event o WHERE o.collection_id = $1 AND o.id < l.id AND o.id >= $3)
        FROM (
            SELECT id, size_bytes, row_number() OVER newest AS number, sum(size_bytes) OVER newest AS seen_bytes
            FROM ({looked}) s WINDOW newest AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING)
        ) l
        WHERE {size} ORDER BY l.number DESC LIMIT 1
    """,
        params,
    )


def _looked_at(params: Params, span: EventSpan, conditions: EventConditions, *, columns: str, max_rows: int) -> str:
    """The newest events of the span. What a partial index answers stands here, and so costs nothing of `max_rows`."""
    collection, before, since = (params.add(value) for value in (span.collection_id, span.before, span.since))
    indexed = ""
    if (conditions.status_from or 0) >= 400:
        indexed += " AND status >= 400"
    if conditions.is_pinned:
        indexed += " AND is_pinned"
    if conditions.origin not in ("", "app"):
        indexed += " AND origin <> 'app'"
    return f"""
        SELECT {columns} FROM storage_event
        WHERE collection_id = {collection}::text AND id < {before}::uuid AND id >= {since}::uuid{indexed}
        ORDER BY id DESC LIMIT {params.add(max_rows)}
    """


def _tests(params: Params, conditions: EventConditions, max_bytes: int | None) -> list[str]:
    tests = []
    if conditions.status_from is not None:
        tests.append(f"status >= {params.add(conditions.status_from)}")
    if conditions.status_to is not None:
        tests.append(f"status <= {params.add(conditions.status_to)}")
    if conditions.method:
        tests.append(f"method = {params.add(conditions.method)}")
    if conditions.path:
        tests.append(f"strpos(lower(path || '?' || query), lower({params.add(conditions.path)}::text)) > 0")
    if conditions.key_id is not None:
        tests.append(f"key_id = {params.add(conditions.key_id)}")
    if conditions.slower_us is not None:
        tests.append(f"duration_us >= {params.add(conditions.slower_us)}")
    if conditions.origin == "by hand":
        tests.append("origin <> 'app'")
    elif conditions.origin:
        tests.append(f"origin = {params.add(conditions.origin)}")
    if conditions.text:
        text = params.add(conditions.text)
        tests.append(
            f"(strpos(lower(request_body), lower({text}::text)) > 0"
            f" OR strpos(lower(response_body), lower({text}::text)) > 0)"
        )
    return tests


def get_event(collection_id: str, event_id: UUID) -> Statement:
    """Row: as `list_events`, then details, request body, response body."""
    return (
        """
        SELECT e.id, e.method, e.path, e.query, e.status, e.duration_us, e.bytes_in, e.bytes_out, e.key_id, e.origin,
               e.replay_of, e.is_pinned, e.size_bytes, k.name, e.details, e.request_body, e.response_body
        FROM storage_event e LEFT JOIN storage_datakey k ON k.id = e.key_id
        WHERE e.collection_id = $1 AND e.id = $2
    """,
        [collection_id, event_id],
    )


def list_replays(collection_id: str, event_id: UUID, limit: int) -> Statement:
    """Rows: id, status of the newest replays of an event."""
    return (
        """
        SELECT id, status FROM storage_event
        WHERE collection_id = $1 AND id > $2 AND origin <> 'app' AND replay_of = $2 ORDER BY id DESC LIMIT $3
    """,
        [collection_id, event_id, limit],
    )


def pin_event(collection_id: str, event_id: UUID, *, is_pinned: bool) -> Statement:
    """A row, unless there is no such event."""
    return (
        "UPDATE storage_event SET is_pinned = $3 WHERE collection_id = $1 AND id = $2 RETURNING 1",
        [collection_id, event_id, is_pinned],
    )


def count_pinned(collection_id: str) -> Statement:
    """Row: how many events of the collection are pinned."""
    return "SELECT count(*) FROM storage_event WHERE collection_id = $1 AND is_pinned", [collection_id]


def chart_events(collection_id: str, first_minute: int, width: int) -> Statement:
    """Rows: first minute since 1970 of each slice of `width` minutes that held something, requests, errors, lost."""
    return (
        """
        SELECT minute - minute % $3, sum(requests)::bigint, sum(errors)::bigint, sum(lost)::bigint
        FROM storage_eventminute WHERE collection_id = $1 AND minute >= $2 GROUP BY 1 ORDER BY 1
    """,
        [collection_id, first_minute, width],
    )


def sum_events(collection_id: str, lost_since: int) -> Statement:
    """Row: bytes kept, events lost from this minute on."""
    return (
        """
        SELECT coalesce(sum(size_bytes), 0)::bigint, coalesce(sum(lost) FILTER (WHERE minute >= $2), 0)::bigint
        FROM storage_eventminute WHERE collection_id = $1
    """,
        [collection_id, lost_since],
    )


def list_recorded() -> Statement:
    """Rows: ids of the collections whose requests are recorded."""
    return "SELECT collection_id FROM storage_recording", []
