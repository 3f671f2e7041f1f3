"""Restores rows of files from the objects' metadata, after the database was lost or restored from an old backup.

A whole file's object names its file. A file of several parts has a manifest, which names it and lists its parts. One of
a single part has no more than that part, so a lone part counts as a file; an upload that was still open when the
database was lost cannot be told from it, unless it had come further than its first part.

Of several objects for one name the newest counts. Names that the index has are left as they are. An object says the
name that its file was stored under: what was renamed or moved since comes back where it was, as deleted files do.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from storage import disk_space, names
from storage.drive import content_types, drives
from storage.drive.files import Stored, point_file
from storage.drive.reconcile import alone, find_orphans, note_listing
from storage.drive.sql import blobs as blobs_sql
from storage.errors import BlobMissing
from storage.models import Collection, File
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run
from storage.s3 import blobs
from storage.s3.blobs import Owner, StoredBlob


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that can be added: where it belongs and its blobs."""

    owner: Owner
    modified_at: datetime
    blob_ids: list[UUID]
    manifest_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The files that were entered, as collection id, Drive and name; and how many objects belong to none."""

    files: list[Owner]
    left_over: int


def rebuild() -> Rebuilt:
    """Enter every file whose objects are all there. Raises EngineUnreachable, DiskFull, InvalidInput (another at work)."""
    disk_space.check_space_for_items()
    with alone():
        note_listing()
        orphans = {blob.id: blob for blob in find_orphans()}
        # An object without a Drive is part of an export or import, and no file.
        owners = {blob_id: owner for blob_id in orphans if (owner := blobs.find_owner(blob_id)) and owner.drive}
        newest: dict[tuple[str, str, str], Candidate] = {}
        for candidate in find_candidates(orphans, owners):
            newest[candidate.owner[:3]] = candidate
        entered = [candidate for candidate in newest.values() if _enter(candidate, orphans)]
        used = {blob_id for candidate in entered for blob_id in (*candidate.blob_ids, candidate.manifest_id)}
        return Rebuilt([candidate.owner for candidate in entered], len(orphans.keys() - used))


def find_candidates(orphans: dict[UUID, StoredBlob], owners: dict[UUID, Owner]) -> list[Candidate]:
    """The files that these objects make up, oldest first. Raises EngineUnreachable."""
    found, ended_uploads = [], set()
    for blob_id, owner in owners.items():
        if owner.is_manifest:
            parts = blobs.read_manifest(blob_id, orphans[blob_id].size_bytes)
            if all(part in orphans for part in parts):
                found.append(Candidate(owner, orphans[blob_id].modified_at, parts, blob_id))
            ended_uploads |= {owners[part].upload_id for part in parts if part in owners}
        elif not owner.part:
            found.append(Candidate(owner, orphans[blob_id].modified_at, [blob_id]))
    for upload_id, parts in _parts_by_upload(owners).items():
        if upload_id not in ended_uploads and all(owners[part].part == 1 for part in parts):
            last = max(parts, key=lambda part: orphans[part].modified_at)
            found.append(Candidate(owners[last], orphans[last].modified_at, [last]))
    return sorted(found, key=lambda candidate: candidate.modified_at)


def _parts_by_upload(owners: dict[UUID, Owner]) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = {}
    for blob_id, owner in owners.items():
        if owner.part:
            found.setdefault(owner.upload_id, []).append(blob_id)
    return found


def _enter(candidate: Candidate, orphans: dict[UUID, StoredBlob]) -> bool:
    """Add one file; False when the database has its name, or its bytes cannot be read."""
    owner = candidate.owner
    names.check_file_name(owner.name)
    Collection.objects.get_or_create(id=owner.collection_id, defaults={"name": f"Recovered {owner.collection_id}"})
    drive_id = drives.ensure_drive(collection_id=owner.collection_id, name=owner.drive)
    if File.objects.filter(drive_id=drive_id, name=owner.name).exists():
        return False
    try:
        parts = [_read(orphans[blob_id]) for blob_id in candidate.blob_ids]
        extra = [_read(orphans[candidate.manifest_id])] if candidate.manifest_id else []
    except BlobMissing:
        return False
    with engine_errors(), transaction.atomic():
        for stored in (*parts, *extra):
            run(blobs_sql.adopt_blob(*stored))
        point_file(
            Access(owner.collection_id),
            owner.drive,
            owner.name,
            drive_id=drive_id,
            parts=parts,
            manifest=candidate.manifest_id,
            content_type=owner.content_type or content_types.guess(owner.name),
        )
    return True


def _read(blob: StoredBlob) -> Stored:
    return Stored(blob.id, blob.size_bytes, *blobs.find_hashes(blob.id, blob.size_bytes))
