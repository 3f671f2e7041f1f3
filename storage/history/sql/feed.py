"""Statements of the change feed."""

from typing import NamedTuple

from storage.base.query import Predicate
from storage.base.sql.queries import any_of, condition_of
from storage.history.sql.horizon import LEADS
from storage.postgres.caller import Access
from storage.postgres.sql.access import access
from storage.postgres.statements import Params, Statement


class FedChange(NamedTuple):
    base_id: int | None
    allowed: bool
    begins: int
    bases: int
    looked_at: int
    id: int | None
    key: str
    revision: int
    at: str
    by_key: int | None
    by_person: int | None
    value: str | None
    is_told: bool


class ChangedBase(NamedTuple):
    base_id: int


class NamedBase(NamedTuple):
    base_id: int | None


def read_changes(
    caller: Access,
    base: str,
    predicate: Predicate,
    *,
    since: int | None,
    until: int,
    limit: int,
    max_bytes: int,
    keys_only: bool = False,
) -> Statement[FedChange]:
    """The versions of a Base behind `since` (None: from the oldest that is sure to be there) up to `until`, in their order.

    Rows: base_id, allowed, the last id that isn't sure to be there, the last id that was given to a Base, how many versions
    there were to look at (one more than `limit` when more follow), id, key, revision, Unix seconds, by_key, by_person, the value
    as text or NULL, whether the change is told. One row with a NULL id when there is nothing. Cut where the values have grown
    to `max_bytes`.

    With `keys_only` an empty text stands for each value.

    What a version made stands in the next one of its key, or in the item, all read in one moment. The next one isn't looked
    for in days before this one's: should a clock have been set back by so much, this one counts as superseded.
    """
    params = Params()
    head = access(caller, base, write=False, params=params)
    after, before = _is_in(predicate, "v.after", params), _is_in(predicate, "v.before", params)
    also_before = "" if predicate == Predicate() else " + l.size_bytes"
    cap = f"{params.add(max_bytes)}::bigint"
    value = "CASE WHEN v.value IS NOT NULL THEN '' END" if keys_only else "v.value::text"
    return Statement(
        f"""{head}, place AS MATERIALIZED (
            SELECT a.base_id, a.allowed,
                   (SELECT coalesce(max(h.version_id), 0) FROM storage_historybeginning h
                    WHERE h.base_id IN (0, a.base_id)) AS begins,
                   coalesce(pg_sequence_last_value(pg_get_serial_sequence('storage_base', 'id')), 0) AS bases
            FROM access a WHERE {LEADS}
        ), looked_at AS MATERIALIZED (
            SELECT l.* FROM place p CROSS JOIN LATERAL (
                SELECT * FROM storage_itemversion l
                WHERE p.allowed AND l.base_id = p.base_id AND l.id <= {params.add(until)}::bigint
                    AND l.id > coalesce({params.add(since)}::bigint, p.begins)
                ORDER BY l.id LIMIT {params.add(limit + 1)}::int
            ) l
        ), valued AS (
            SELECT l.id, l.key, l.revision, l.at, l.by_key, l.by_person, l.before, l.before_revision,
                   CASE WHEN n.id IS NULL THEN i.value ELSE n.before END AS after,
                   CASE WHEN n.id IS NULL THEN i.revision IS NULL OR i.revision = l.revision
                        ELSE n.before IS NOT NULL AND n.before_revision = l.revision END OR l.kind IN ('d', 'e') AS is_known,
                   coalesce(n.size_bytes, i.size_bytes, 0){also_before} AS size_bytes
            FROM looked_at l
            LEFT JOIN LATERAL (
                SELECT * FROM storage_itemversion n
                WHERE n.base_id = l.base_id AND n.key = l.key AND n.id > l.id AND n.at >= l.at - interval '1 day'
                    AND l.kind NOT IN ('d', 'e')
                ORDER BY n.id LIMIT 1
            ) n ON true
            LEFT JOIN storage_item i ON n.id IS NULL AND i.base_id = l.base_id AND i.key = l.key AND l.kind NOT IN ('d', 'e')
        ), page AS (
            SELECT v.id, v.key, v.revision, v.at, v.by_key, v.by_person,
                   CASE WHEN m.is_in THEN v.after END AS value,
                   v.is_known AND (m.is_in OR m.was_in) AS is_told
            FROM (
                SELECT *, sum(size_bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - size_bytes AS bytes_before
                FROM valued
            ) v
            CROSS JOIN LATERAL (
                SELECT v.after IS NOT NULL AND {after} AS is_in,
                       v.before IS NULL AND v.before_revision IS NOT NULL OR {before} AS was_in
            ) m
            WHERE v.bytes_before < {cap}
        )
        SELECT p.base_id, p.allowed, p.begins, p.bases, (SELECT count(*) FROM looked_at),
               v.id, CASE WHEN v.is_told THEN v.key END, v.revision, extract(epoch FROM v.at)::text, v.by_key, v.by_person,
               CASE WHEN v.is_told THEN {value} END, v.is_told
        FROM place p LEFT JOIN page v ON true ORDER BY v.id
    """,
        params,
        FedChange,
    )


def find_changed(base_ids: list[int], *, since: int, until: int, seconds: float) -> Statement[ChangedBase]:
    """Those of these Bases that have a version behind `since` up to `until`, none of them older than so many seconds.

    A day more is looked at, for clocks that are set back.
    """
    return Statement(
        f"""
        SELECT b.id FROM unnest($1::bigint[]) AS b(id) WHERE {LEADS} AND EXISTS (
            SELECT FROM storage_itemversion v WHERE v.base_id = b.id AND v.id > $2 AND v.id <= $3
                AND v.at >= now() - make_interval(days => 1, secs => $4))
    """,
        [base_ids, since, until, seconds],
        ChangedBase,
    )


def find_bases(asked: list[tuple[str, str]]) -> Statement[NamedBase]:
    """The ids of Bases by their collections and names. Row: base_id, NULL for none; one for each, in their order."""
    return Statement(
        """
        SELECT b.id FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked(collection_id, name, place)
        LEFT JOIN storage_base b ON b.collection_id = asked.collection_id AND b.name = asked.name ORDER BY asked.place
    """,
        [[collection_id for collection_id, _ in asked], [name for _, name in asked]],
        NamedBase,
    )


def _is_in(predicate: Predicate, value: str, params: Params) -> str:
    """Whether a value of this key, which isn't NULL, matches."""
    if predicate == Predicate():
        return "true"
    conditions = [] if predicate.key is None else [condition_of(predicate.key, params)]
    conditions.append(any_of(predicate, params))
    matches = " AND ".join(f"({condition})" for condition in conditions)
    return f"(SELECT {value} IS NOT NULL AND ({matches}) IS TRUE FROM (SELECT v.key, {value}) AS i(key, value))"
