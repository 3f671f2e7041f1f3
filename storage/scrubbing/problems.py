"""What people are told of damaged bytes."""

from datetime import datetime
from typing import NamedTuple

from storage.findings import Finding
from storage.postgres.database import run
from storage.scrubbing import sql
from storage.scrubbing.sql import FoundDamage


class DamagedFile(NamedTuple):
    """A file by its name, what is wrong with it in words, since when it is known, and what it is if no file any more."""

    name: str
    said: str
    found_at: datetime
    part_of: str


_NAMED = 3
_COUNTED = 1_000

_SAID = {"missing": "is gone", "changed": "has other bytes than were stored", "unreadable": "cannot be read"}


def find_problems() -> list[Finding]:
    """One finding for all that is damaged now, with the first few by name. One statement."""
    found = run(sql.find_damages(_COUNTED))
    if not found:
        return []
    named = "; ".join(describe(damage) for damage in found[:_NAMED])
    more = f"; and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    return [
        Finding(
            "damaged_files",
            "bad",
            f"The bytes of stored files are damaged: {named}{more}.",
            "Look at the disk of the S3 service. Put a good copy in the file's place, or restore a backup; what can be healed by"
            " itself is tried every hour.",
        )
    ]


def list_damages(collection_id: str | None = None) -> list[FoundDamage]:
    """What is damaged now in a collection, or anywhere, the oldest first; at most 100."""
    return run(sql.find_damages(100, collection_id))


def list_damages_of_drive(*, collection_id: str, drive: str) -> list[DamagedFile]:
    """The damaged files of a Drive, the oldest first; a file in parts once. At most 100."""
    found: dict[str, DamagedFile] = {}
    for damage in list_damages(collection_id):
        if damage.drive_name == drive and damage.name:
            said = _SAID[damage.kind]
            found.setdefault(damage.name, DamagedFile(damage.name, said, damage.found_at, damage.part_of))
    return list(found.values())


def describe(damage: FoundDamage) -> str:
    """One damaged blob in words: what it belongs to, what is wrong, since when."""
    if damage.name:
        what = f"“{damage.name}” in the Drive “{damage.drive_name}” of collection {damage.collection_id}"
        what += f" ({damage.part_of})" if damage.part_of else ""
    elif damage.collection_id:
        what = f"{damage.part_of} of collection {damage.collection_id}"
    else:
        what = f"{damage.part_of} ({damage.blob_id})"
    return f"{what} {_SAID[damage.kind]}, found on {damage.found_at:%Y-%m-%d %H:%M} UTC"
