"""Brings bytes that the bucket lost back from backups, beside the running server."""

from storage.backups.faults import Missing
from storage.backups.restoring import reading
from storage.backups.sql import restored as restored_sql
from storage.backups.targets.places import Place
from storage.postgres.database import snapshot
from storage.s3 import blobs


def bring_back(place: Place) -> tuple[int, int]:
    """Put every blob into the bucket that the database names and the bucket lacks; how many, and how many the place lacks too.

    Raises BackupFault, also for a blob that is damaged there, EngineUnreachable and DiskFull.
    """
    brought = lacking = 0
    with snapshot() as seen:
        for blob in seen.rows(restored_sql.list_blobs()):
            if blobs.find_size(blob.id) == blob.size_bytes:
                continue
            try:
                content = reading.read_blob(place, blob)
            except Missing:
                lacking += 1
                continue
            blobs.put(blob.id, length=len(content), chunks=[content], owner=reading.owner_of(blob))
            brought += 1
    return brought, lacking
