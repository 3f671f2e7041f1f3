"""Statements that read the versions of items, newest first, each with what it made of the item.

That is what the next version of the key found, or the item as it stands.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from storage.postgres.statements import Params, Statement

# The next version may be older by a clock that was set back, but no more than a day: this spares looking into the days before.
_NEXT = """
    LEFT JOIN LATERAL (
        SELECT n.before, n.before_revision, n.size_bytes FROM storage_itemversion n
        WHERE n.base_id = v.base_id AND n.key = v.key AND n.id > v.id AND n.at > v.at - interval '1 day'
        ORDER BY n.id LIMIT 1
    ) n ON true
    LEFT JOIN storage_item i
        ON n.before_revision IS NULL AND i.base_id = v.base_id AND i.key = v.key AND i.revision = v.revision
"""


class FoundVersion(NamedTuple):
    id: int
    at: datetime
    key: str
    kind: str
    revision: int
    before: str | None
    after: str | None
    before_is_kept: bool
    after_is_kept: bool
    by_key: int | None
    by_person: int | None
    matched: bool
    stopped: bool


class FoundState(NamedTuple):
    base_id: int
    version_id: int
    exists: bool
    value: str | None
    revision: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """The ids of a Base with the version before which each counts, the version to go on before, if any, and of one key if so."""

    ends: dict[int, int]
    last: int | None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a change must meet: the data key or the person who made it, from when on and until when (excluded), the path of an
    attribute that it changed, and its kind."""

    key_id: int | None = None
    person_id: int | None = None
    attribute: tuple[str, ...] | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_versions(
    span: Span, conditions: Conditions, *, limit: int, max_rows: int, max_bytes: int
) -> Statement[FoundVersion]:
    """Look at up to `max_rows` versions, newest first, until `limit` + 1 meet the conditions or hold `max_bytes`.

    Rows: those that meet them, and the one that it stopped at, even if it does not. What was before an item that had expired is
    left out; a value is NULL where there was none and where it is not kept.
    """
    params = Params()
    seen = _seen(span, conditions, max_rows, params)
    matches = " AND ".join(_matches(conditions, params)) or "true"
    bytes_cap = f"{params.add(max_bytes)}::bigint"
    return Statement(
        f"""
        WITH told AS (
            SELECT v.id, v.at, v.key, v.kind, v.revision, v.by_key, v.by_person, v.nth,
                CASE WHEN NOT v.was_expired THEN v.before END AS before,
                coalesce(n.before, CASE WHEN v.kind IN ('c', 'u') THEN i.value END) AS after,
                v.before_revision IS NULL OR v.before IS NOT NULL AS before_is_kept,
                v.kind IN ('d', 'e') OR n.before IS NOT NULL OR (n.before_revision IS NULL AND i.key IS NOT NULL)
                    AS after_is_kept,
                v.size_bytes + coalesce(n.size_bytes, i.size_bytes, 0) AS both_bytes
            FROM ({seen}) v {_NEXT}
        ), met AS (
            SELECT t.*, ({matches}) IS TRUE AS matched, nth = {max_rows:d} AS stopped FROM told t
        ), counted AS (
            SELECT *, coalesce(sum(both_bytes) FILTER (WHERE matched) OVER looked_at, 0) AS bytes FROM met
            WHERE matched OR stopped WINDOW looked_at AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING)
        )
        SELECT id, at, key, kind, revision, CASE WHEN matched THEN before::text END, CASE WHEN matched THEN after::text END,
            before_is_kept, after_is_kept, by_key, by_person, matched, stopped OR bytes >= {bytes_cap}
        FROM counted WHERE bytes - CASE WHEN matched THEN both_bytes ELSE 0 END < {bytes_cap}
        ORDER BY id DESC LIMIT {params.add(limit + 1)}
    """,
        params,
        FoundVersion,
    )


def _seen(span: Span, conditions: Conditions, max_rows: int, params: Params) -> str:
    """The versions to look at, numbered. One that stored over an expired item made a new one."""
    ids, ends = params.add(list(span.ends)), params.add(list(span.ends.values()))
    only = "" if span.last is None else f" AND v.id < {params.add(span.last)}::bigint"
    if span.key is not None:
        only += f" AND v.key = {params.add(span.key)}::text"
    if conditions.since is not None:
        only += f" AND v.at >= {params.add(conditions.since)}::timestamptz"
    if conditions.until is not None:
        only += f" AND v.at < {params.add(conditions.until)}::timestamptz"
    return f"""
        SELECT v.*, row_number() OVER (ORDER BY v.id DESC) AS nth,
            CASE WHEN v.was_expired THEN 'c' ELSE v.noted_kind::text END AS kind
        FROM (
            SELECT v.id, v.at, v.base_id, v.key, v.kind AS noted_kind, v.revision, v.before, v.before_revision, v.size_bytes,
                v.by_key, v.by_person, v.kind = 'u' AND {expired("v.before", "v.at")} AS was_expired
            FROM unnest({ids}::bigint[], {ends}::bigint[]) AS b(base_id, end_id) CROSS JOIN LATERAL (
                SELECT v.* FROM storage_itemversion v WHERE v.base_id = b.base_id AND v.id < b.end_id{only}
                ORDER BY v.id DESC LIMIT {max_rows:d}
            ) v ORDER BY v.id DESC LIMIT {max_rows:d}
        ) v
    """


def expired(value: str, moment: str) -> str:
    """Whether an item had expired at a moment; false for none."""
    expires = f"{value} -> '__expires'"
    return f"""(jsonb_typeof({expires}) IS NOT DISTINCT FROM 'number'
        AND ({expires})::numeric + 1 <= extract(epoch FROM {moment}))"""


def _matches(conditions: Conditions, params: Params) -> list[str]:
    found = []
    if conditions.key_id is not None:
        found.append(f"t.by_key = {params.add(conditions.key_id)}::bigint")
    if conditions.person_id is not None:
        found.append(f"t.by_person = {params.add(conditions.person_id)}::bigint")
    if conditions.kind is not None:
        found.append(f"t.kind = {params.add(conditions.kind)}::text")
    if conditions.attribute is not None:
        path = f"{params.add(list(conditions.attribute))}::text[]"
        found.append(f"t.before_is_kept AND t.after_is_kept AND t.before #> {path} IS DISTINCT FROM t.after #> {path}")
    return found


def find_states(base_ids: list[int], version_ids: list[int], key: str) -> Statement[FoundState]:
    """What an item was when a version was drawn, by the id of its Base then. A row for each pair.

    Row: id, version, whether there was one, its value as text or NULL if that is not kept, its revision.
    """
    return Statement(
        f"""
        SELECT base_id, version_id, exists, CASE WHEN exists THEN value::text END, CASE WHEN exists THEN revision END
        FROM (
            SELECT b.base_id, b.version_id, coalesce(n.before_revision, i.revision) AS revision, s.value,
                coalesce(n.before_revision, i.revision) IS NOT NULL AND NOT {expired("s.value", "t.at")} AS exists
            FROM unnest($1::bigint[], $2::bigint[]) AS b(base_id, version_id)
            JOIN storage_baseturn t ON t.version_id = b.version_id
            LEFT JOIN LATERAL (
                SELECT n.kind, n.before, n.before_revision FROM storage_itemversion n
                WHERE n.base_id = b.base_id AND n.key = $3 AND n.id > b.version_id AND n.at > t.at - interval '1 day'
                ORDER BY n.id LIMIT 1
            ) n ON true
            LEFT JOIN storage_item i ON n.kind IS NULL AND i.base_id = b.base_id AND i.key = $3
            CROSS JOIN LATERAL (SELECT coalesce(n.before, i.value) AS value) s
        ) states
    """,
        [base_ids, version_ids, key],
        FoundState,
    )
