"""What of a target is no longer needed: backups that are too old, and the log and files that only they needed.

A chain goes as a whole, once its last backup is too old; the newest whole one always stays. Deleting begins with the manifest:
what is interrupted leaves files without one, which the next backup removes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from storage.backups.targets import blobs
from storage.backups.targets import manifest as manifests
from storage.backups.targets.catalogue import Catalogue
from storage.backups.targets.manifest import Manifest
from storage.backups.targets.places import Place

_LINE_DIGITS = 8
# By as much may the clocks of the machines differ that have the database and the target.
_CLOCKS = timedelta(days=1)


def too_old(backups: Iterable[Manifest], *, keep_days: int, now: datetime) -> list[Manifest]:
    """Those that nothing needs any more: of each chain all or none, and never of the newest chain.

    A chain is kept while its last backup, or the moment up to which its log goes, is within the days: that is until the chain
    behind it is old enough.
    """
    oldest = now - timedelta(days=keep_days)
    chains: list[list[Manifest]] = []
    by_id: dict[str, list[Manifest]] = {}
    for each in sorted(backups, key=lambda each: each.id):
        chain = by_id.get(each.parent or "")
        if chain is None:
            chain = []
            chains.append(chain)
        chain.append(each)
        by_id[each.id] = chain
    gone: list[Manifest] = []
    for chain, behind in pairwise(chains):
        # Up to where the next one begins, this one's log brings moments back.
        if max(chain[-1].consistent_at, behind[0].consistent_at) < oldest:
            gone += chain
        else:
            break
    return gone


def prune(place: Place, known: Catalogue, *, keep_days: int, now: datetime) -> list[str]:
    """Delete what nothing needs any more; the ids of the backups that went. Raises BackupFault."""
    gone = too_old(known.backups, keep_days=keep_days, now=now)
    if not gone:
        return []
    kept = [each for each in known.backups if each not in gone]
    names = {entry.name for entry in place.entries(manifests.MANIFESTS)}
    for backup in gone:
        place.delete(name for name in names if name.startswith(f"{manifests.MANIFESTS}{backup.id}-"))
    # Of the files of all, a list says which the oldest backup needs; it goes by that before its own list is gone.
    _delete_blobs(place, kept)
    for backup in gone:
        place.delete(each.name for each in backup.files)
    _delete_log(place, known, kept)
    return [each.id for each in gone]


def remove_unfinished(place: Place, known: Catalogue, *, line: str) -> None:
    """Delete what a backup of this line of the database that was interrupted has left. Raises BackupFault.

    Another line's may be on its way at this moment, by a server that was restored beside this one.
    """
    place.tidy()
    ids = {each.id for each in known.backups}
    own = line[:_LINE_DIGITS]
    for prefix in (manifests.BASES, manifests.DATA, manifests.LISTS):
        for entry in list(place.entries(prefix)):
            found = entry.name.removeprefix(prefix).split("/")[0].split(".")[0]
            is_damaged = any(found in each for each in known.damaged)
            if manifests.is_id(found) and found not in ids and found.endswith(f"-{own}") and not is_damaged:
                place.delete([entry.name])


def _delete_blobs(place: Place, kept: list[Manifest]) -> None:
    """Of no moment that can be brought back is a blob that was there before the oldest backup began, which does not have it."""
    oldest = min(kept, key=lambda each: each.began_at)
    needed = {each.id for backup in kept for each in blobs.read_list(place, backup)}
    for entry in list(place.entries(manifests.BLOBS)):
        digits = entry.name.rsplit("/", 1)[-1]
        if entry.modified_at < oldest.began_at - _CLOCKS and len(digits) == 32 and UUID(digits) not in needed:
            place.delete([entry.name])


def _delete_log(place: Place, known: Catalogue, kept: list[Manifest]) -> None:
    """Of each line what is before its oldest backup, and all of a line whose last one goes."""
    first: dict[str, str] = {}
    for backup in kept:
        first[backup.line] = min(first.get(backup.line, backup.first_segment), backup.first_segment)
    ended = {each.line for each in known.backups} - first.keys()
    place.delete(
        each.path
        for each in known.segments
        if each.line in ended or (each.line in first and each.name[8:] < first[each.line][8:])
    )
