"""Statements for changes of many items: those of a batch locked, what they were kept, and put back."""

from typing import NamedTuple
from uuid import UUID

from storage.base.query import Predicate
from storage.base.sql.items import LIVE
from storage.base.sql.queries import any_of
from storage.postgres.statements import NoRow, Params, Statement, Total


class FoundItem(NamedTuple):
    key: str
    value: str
    revision: int


class Before(NamedTuple):
    key: str
    before: str | None
    revision: int


def find_matching(base_id: int, keys: list[str], predicate: Predicate, *, lock: bool) -> Statement[FoundItem]:
    """Those of these items that match now, in key order; locked until the transaction ends, if so asked.

    Row: key, value as text, revision.
    """
    params = Params()
    return Statement(
        f"""
        SELECT i.key, i.value::text, i.revision FROM storage_item i
        WHERE i.base_id = {params.add(base_id)} AND i.key = ANY ({params.add(keys)}::text[]) AND {LIVE}
            AND ({any_of(predicate, params)})
        ORDER BY i.key {"FOR UPDATE" if lock else ""}
    """,
        params,
        FoundItem,
    )


def keep_before(change_id: UUID, rows: list[Before]) -> Statement[NoRow]:
    """Keep what items were before a change. No row."""
    keys, texts, revisions = (list(column) for column in zip(*rows, strict=True))
    return Statement(
        """
        INSERT INTO storage_changeditem (change_id, key, before, revision)
        SELECT $1, n.key, n.before, n.revision FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n(key, before, revision)
    """,
        [change_id, keys, texts, revisions],
        NoRow,
    )


def take_before(change_id: UUID, limit: int) -> Statement[Before]:
    """Take the next kept items of a change off its list, in key order. Row: key, whole item as JSON or NULL, revision."""
    return Statement(
        """
        WITH taken AS (
            DELETE FROM storage_changeditem WHERE change_id = $1 AND key IN (
                SELECT key FROM storage_changeditem WHERE change_id = $1 ORDER BY key LIMIT $2)
            RETURNING key, before, revision)
        SELECT key, before, revision FROM taken ORDER BY key
    """,
        [change_id, limit],
        Before,
    )


def forget_before(change_id: UUID, limit: int) -> Statement[Total]:
    """Forget up to `limit` kept items of a change. Row: how many."""
    return Statement(
        """
        WITH gone AS (
            DELETE FROM storage_changeditem WHERE change_id = $1 AND key IN (
                SELECT key FROM storage_changeditem WHERE change_id = $1 LIMIT $2)
            RETURNING 1)
        SELECT count(*) FROM gone
    """,
        [change_id, limit],
        Total,
    )
