"""Share links: each lets anybody who has it download one file, until it expires, is revoked, or the file is gone.

Only a link's SHA-256 is stored. A link belongs to a file: it follows where the file is renamed or moved, and gives what the file
holds now when it was replaced. It ends when the file is deleted, and works again when that is undone; another file that gets the
same name later is not shared by it. It goes with its Drive, and with the collection.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from storage import disk_space, limits, names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.drive import moves
from storage.drive.files import StoredFile
from storage.errors import DiskFull, FileNotFound, InvalidInput, ShareLinkNotFound
from storage.models import File, ShareLink
from storage.postgres import clock, rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run, run_one
from storage.share_links import sql as links_sql
from storage.share_links.sql import ListedLink


@dataclass(frozen=True, slots=True)
class SharedFile:
    """What a good link leads to. `password` is a hash as Django makes it, empty for none; `expires_at` is UTC."""

    link_id: int
    name: str
    password: str
    expires_at: datetime
    file: StoredFile


def create_link(
    *,
    access: Access,
    drive_id: int,
    drive: str,
    name: str,
    text: str,
    hours: int,
    password: str = "",
    made_by: User,
) -> ShareLink:
    """Make a link to a file, whose whole secret is `text` (the caller's, who shows it once). `password` is a hash.

    Raises InvalidInput (the name, the hours, too many links), FileNotFound, DiskFull, Unauthorized or Forbidden when the
    person may not write here (any more).
    """
    disk_space.check_space_for_items()
    names.check_file_name(name)
    if not 1 <= hours <= limits.SHARE_LINK_HOURS_MAX:
        raise InvalidInput(f"A link is good for 1 to {limits.SHARE_LINK_HOURS_MAX:,} hours")
    with engine_errors(), transaction.atomic():
        # Nobody renames, moves or deletes the file in the console, nor makes another link, before this one is there.
        moves.lock_drive(drive_id)
        rights.ask_again(access)
        file = File.objects.filter(drive_id=drive_id, name=name).only("created_at").first()
        if file is None:
            raise FileNotFound()
        if run_one(links_sql.count_links(drive_id)).total >= limits.SHARE_LINKS_MAX:
            raise InvalidInput(
                f"This Drive has {limits.SHARE_LINKS_MAX:,} links: those that ended are kept for a month"
            )
        link = ShareLink.objects.create(
            drive_id=drive_id,
            file_name=name,
            file_created_at=file.created_at,
            digest=_digest(text),
            prefix=text[: limits.SHARE_LINK_PREFIX_CHARACTERS],
            password=password,
            made_by=made_by,
            expires_at=clock.now() + timedelta(hours=hours),
        )
        details = {"expires_at": link.expires_at.isoformat(), "password": bool(password)}
        _record(Verb.LINK_CREATED, link, access.collection_id, drive, **details)
        return link


def find_shared(text: str) -> SharedFile:
    """What the link leads to. Raises ShareLinkNotFound for one that is unknown or has ended, or whose file is gone."""
    found = run(links_sql.find_link(_digest(text)))
    if not found:
        raise ShareLinkNotFound()
    (row,) = found
    file = StoredFile(row.size_bytes, row.content_type, row.etag, row.changed_at, row.blob_ids, row.blob_sizes)
    return SharedFile(row.id, row.file_name, row.password, row.expires_at, file)


def count_download(link_id: int) -> None:
    """Count a download that is about to begin; on a full disk nothing is counted. Raises ShareLinkNotFound when it has ended."""
    if disk_space.is_short_for_items():
        return
    try:
        counted = run(links_sql.count_download(link_id))
    except DiskFull:
        return
    if not counted:
        raise ShareLinkNotFound()


def list_links(drive_id: int) -> list[ListedLink]:
    """The Drive's links, newest first; those that ended are among them for a month."""
    return run(links_sql.list_links(drive_id, limits.SHARE_LINKS_MAX))


def find_link(*, drive_id: int, link_id: int) -> ShareLink:
    """Raises ShareLinkNotFound."""
    found = ShareLink.objects.filter(drive_id=drive_id, id=link_id).first()
    if found is None:
        raise ShareLinkNotFound()
    return found


def revoke_link(*, access: Access, drive_id: int, drive: str, link_id: int) -> None:
    """End a link: the next request with it is refused. Revoking it again changes nothing.

    Raises ShareLinkNotFound, Unauthorized or Forbidden when the person may not write here (any more).
    """
    with engine_errors(), transaction.atomic():
        rights.ask_again(access)
        link = ShareLink.objects.select_for_update().filter(drive_id=drive_id, id=link_id).first()
        if link is None:
            raise ShareLinkNotFound()
        if link.revoked_at is None:
            link.revoked_at = clock.now()
            link.save(update_fields=["revoked_at"])
            _record(Verb.LINK_REVOKED, link, access.collection_id, drive)


def forget_old() -> None:
    """Forget links that ended a month ago or earlier."""
    run(links_sql.forget_links(limits.SHARE_LINK_KEPT_SECONDS))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()


def _record(verb: Verb, link: ShareLink, collection_id: str, drive: str, **details: object) -> None:
    told = {"link": link.pk, "prefix": link.prefix, "drive": drive, **details}
    audit.record(verb, collection_id=collection_id, about=link.file_name, details=told)
