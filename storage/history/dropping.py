"""Dropping the history of a collection that was deleted: nobody can reach it any more."""

from storage import limits
from storage.history.sql import dropping as dropping_sql
from storage.postgres.database import run, run_one


def drop_history_of(collection_id: str, base_ids: list[int]) -> None:
    """Delete all versions of these Bases' items, and of what the collection's Bases held before they were emptied or deleted.

    In batches; doing it again does the rest. Raises EngineUnreachable.
    """
    every_id = sorted({*base_ids, *(row.base_id for row in run(dropping_sql.list_former_ids(collection_id)))})
    for base_id in every_id:
        while run_one(dropping_sql.delete_versions_of(base_id, limits.DELETE_BATCH_ROWS)).total:
            pass
    run(dropping_sql.forget_bases(every_id, collection_id))
