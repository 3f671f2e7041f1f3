"""Statements that drop the history of Bases that nobody can reach any more."""

from typing import NamedTuple

from storage.postgres.statements import NoRow, Statement, Total


class FormerId(NamedTuple):
    base_id: int


def list_former_ids(collection_id: str) -> Statement[FormerId]:
    """Rows: the ids that the collection's Bases once had, and that no Base has now."""
    return Statement(
        """
        SELECT DISTINCT t.base_id FROM storage_baseturn t WHERE t.collection_id = $1 AND t.base_id <> 0
            AND NOT EXISTS (SELECT FROM storage_base b WHERE b.id = t.base_id)
    """,
        [collection_id],
        FormerId,
    )


def delete_versions_of(base_id: int, limit: int) -> Statement[Total]:
    """Delete up to `limit` versions of a Base's items. Row: how many."""
    return Statement(
        """
        WITH deleted AS (
            DELETE FROM storage_itemversion WHERE base_id = $1 AND id IN (
                SELECT id FROM storage_itemversion WHERE base_id = $1 ORDER BY id LIMIT $2)
            RETURNING 1)
        SELECT count(*) FROM deleted
    """,
        [base_id, limit],
        Total,
    )


def forget_bases(base_ids: list[int], collection_id: str) -> Statement[NoRow]:
    """Forget where the history of these Bases begins, and what ids those of the collection had. No row."""
    return Statement(
        """
        WITH beginnings AS (DELETE FROM storage_historybeginning WHERE base_id = ANY ($1::bigint[]))
        DELETE FROM storage_baseturn WHERE collection_id = $2
    """,
        [base_ids, collection_id],
        NoRow,
    )
