"""Compares the bucket with the database, and repairs differences (`manage.py reconcile`).

Nothing that Homeport does leads here, crashes included; a bucket or a database that was restored, or that somebody else
wrote to, does. The listing goes into a temporary table, so that its size does not matter. Making files out of objects
that the database does not know is left to rebuild.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from storage import limits
from storage.drive.sql import blobs as blobs_sql
from storage.drive.sql import files as files_sql
from storage.drive.sql import moves as moves_sql
from storage.errors import EngineUnreachable, InvalidInput
from storage.postgres.database import engine_errors, run
from storage.postgres.locks import only_worker
from storage.s3 import blobs
from storage.s3.blobs import StoredBlob


class FileAddress(NamedTuple):
    """A file by names, for people; and its Drive's id."""

    collection_id: str
    drive: str
    name: str
    drive_id: int


@dataclass(frozen=True, slots=True)
class Report:
    """What differs.

    `orphaned`: objects that no row knows. `unreferenced`: blobs that no file, deleted file or part refers to.
    `missing`: blobs whose object is gone or has another size. `damaged`: the files made of those.
    """

    orphaned: list[StoredBlob]
    unreferenced: list[UUID]
    missing: list[UUID]
    damaged: list[FileAddress]

    @property
    def is_clean(self) -> bool:
        return not (self.orphaned or self.unreferenced or self.missing)


def compare() -> Report:
    """Compare without changes. Files may be written meanwhile. Raises EngineUnreachable, InvalidInput (another at work)."""
    with alone():
        return _compare()


def repair() -> Report:
    """Compare, then delete orphaned objects, unreferenced blobs and damaged files. Returns what differed.

    Open uploads forget parts whose bytes are gone, so that ending them says which are missing; deleted files whose bytes
    are gone cannot come back. Rebuild first if the
    database lost files: their objects are what is called orphaned here. Raises as `compare` does.
    """
    with alone():
        report = _compare()
        refused = blobs.delete(blob.id for blob in report.orphaned)
        run(blobs_sql.drop_parts_of(report.missing))
        run(moves_sql.forget_damaged(report.missing))
        run(blobs_sql.drop_thumbnails_of(report.missing))
        run(blobs_sql.discard_unreferenced())
        for place in report.damaged:
            with engine_errors(), transaction.atomic():
                run(files_sql.lock_file(place.drive_id, place.name))
                # It may have been written again by now, and be whole.
                if place in _files_of(report.missing):
                    run(files_sql.delete_files(place.drive_id, [place.name]))
        if refused:
            raise EngineUnreachable(f"S3 would not delete {len(refused)} of the orphaned objects; the rest is repaired")
        return report


@contextmanager
def alone() -> Iterator[None]:
    """Lock the sweeper out, on the one connection that has the temporary table."""
    with only_worker("blobs") as is_ours:
        if not is_ours:
            raise InvalidInput("The sweeper or another reconcile is at work, please try again")
        yield


def _compare() -> Report:
    note_listing()
    # What was put, or swept, while the listing went on is looked up once more.
    missing = [blob_id for blob_id, size in run(blobs_sql.find_missing()) if blobs.find_size(blob_id) != size]
    orphaned = [blob for blob in find_orphans() if blobs.find_size(blob.id) is not None]
    unreferenced = [blob_id for (blob_id,) in run(blobs_sql.find_unreferenced())]
    return Report(orphaned, unreferenced, missing, _files_of(missing))


def note_listing() -> None:
    """Write what the bucket holds into the session's temporary table."""
    run(blobs_sql.make_seen())
    run(blobs_sql.empty_seen())
    listing = blobs.list_blobs()
    while batch := list(islice(listing, limits.SWEEP_BATCH_ROWS)):
        ids, sizes, modified = (list(column) for column in zip(*batch, strict=True))
        run(blobs_sql.note_seen(ids, sizes, modified))


def find_orphans() -> list[StoredBlob]:
    """Objects of the noted listing that no row knows, oldest first."""
    return [StoredBlob(*row) for row in run(blobs_sql.find_orphans())]


def _files_of(blob_ids: list[UUID]) -> list[FileAddress]:
    return [FileAddress(*row) for row in run(blobs_sql.find_files_of(blob_ids))] if blob_ids else []
