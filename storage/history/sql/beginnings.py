"""Statements on where the history of Bases begins."""

from datetime import datetime
from typing import NamedTuple

from storage.postgres.statements import NoRow, Statement


class FoundBeginning(NamedTuple):
    version_id: int
    at: datetime


def find_beginning(base_id: int) -> Statement[FoundBeginning]:
    """Row: the version and the moment up to which nothing is sure to be there."""
    return Statement(
        "SELECT max(version_id), max(at) FROM storage_historybeginning WHERE base_id = ANY (ARRAY[0, $1])",
        [base_id],
        FoundBeginning,
    )


def raise_beginnings(base_ids: list[int], version_id: int, at: datetime | None) -> Statement[NoRow]:
    """Let the history of Bases begin behind this version and moment (None: now), unless it begins later already. No row."""
    return Statement(
        """
        INSERT INTO storage_historybeginning (base_id, version_id, at)
        SELECT base_id, $2, coalesce($3, clock_timestamp()) FROM unnest($1::bigint[]) AS b(base_id) ORDER BY 1
        ON CONFLICT (base_id) DO UPDATE SET at = greatest(storage_historybeginning.at, excluded.at),
            version_id = greatest(storage_historybeginning.version_id, excluded.version_id)
    """,
        [base_ids, version_id, at],
        NoRow,
    )
