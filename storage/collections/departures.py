"""What ends with a person's right in a collection, in the transaction that takes the right.

Invitations end with the right to invite; imports that are under way, share links and development keys with the right to write.
Uploads and drafts are only reached by who began them. Other data keys, exports, snapshots and their schedule are the
collection's and stay: the pages that remove somebody name the keys the person made, and offer to revoke them.
"""

from typing import NamedTuple

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.db.models.functions import Now

from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import keys
from storage.models import Deletion, Drive, Import, Invitation, Membership, Role, ShareLink

_UNDER_WAY = (Import.State.UPLOADING, Import.State.CHECKING, Import.State.RUNNING)
_WHY = "The person who asked for this import may no longer write to the collection. What was stored before stays."


def end_without_right(person: User, *, collection_id: str, role: Role | None) -> None:
    """End what this person began and may no longer, now that `role` is their role (None: no access).

    The person is held (`hold_people`). A worker that has such an import stops before its next batch.
    """
    if person.is_superuser:
        return
    if role is not Role.OWNER:
        for invitation in Invitation.objects.filter(collection_id=collection_id, invited_by=person):
            audit.record(
                Verb.INVITATION_WITHDRAWN,
                collection_id=collection_id,
                about=invitation.note,
                details={"role": invitation.role, "invitation": invitation.pk, "of": person.username},
            )
            invitation.delete()
    if role is None or not role.reaches(Role.MEMBER):
        fail_imports(person, collection_id=collection_id)
        revoke_share_links(person, collection_id=collection_id)
        keys.revoke_dev_keys(person.pk, collection_id=collection_id)


def fail_imports(person: User, *, collection_id: str | None = None) -> None:
    """End this person's imports that are under way, in one collection or (None) in all."""
    mine = Import.objects.filter(asked_by=person, state__in=_UNDER_WAY, is_direct=False)
    if collection_id is not None:
        mine = mine.filter(collection_id=collection_id)
    mine.update(state=Import.State.FAILED, reason=_WHY, finished_at=Now(), touched_at=Now())


def revoke_share_links(person: User, *, collection_id: str | None = None) -> None:
    """Revoke the share links that this person made, in one collection or (None) in all: they know them by heart."""
    mine = list(_good_links().filter(made_by=person))
    found = _places({link.drive_id for link in mine})
    _revoke(
        {
            link: place
            for link in mine
            if (place := found.get(link.drive_id)) and collection_id in (None, place.collection_id)
        }
    )


def revoke_links_of_strangers(*, drive_id: int, drive: str, collection_id: str) -> None:
    """A Drive has come into this collection: revoke the links to it whose makers may not write there."""
    roles = [role for role in Role if role.reaches(Role.MEMBER)]
    members = Membership.objects.filter(collection_id=collection_id, role__in=roles).values_list("person_id", flat=True)
    theirs = _good_links().filter(drive_id=drive_id).exclude(made_by__is_superuser=True).exclude(made_by__in=members)
    _revoke(dict.fromkeys(theirs, _Place(collection_id, drive)))


class _Place(NamedTuple):
    """Where a Drive is."""

    collection_id: str
    name: str


def _good_links() -> QuerySet[ShareLink]:
    """Locked, with who made them."""
    good = ShareLink.objects.filter(revoked_at=None, expires_at__gt=Now())
    return good.select_related("made_by").select_for_update(of=("self",))


def _places(drive_ids: set[int]) -> dict[int, _Place]:
    """Of these Drives, those that are set aside among them, as they can come back."""
    drives = Drive.objects.filter(pk__in=drive_ids)
    found = {drive.pk: _Place(drive.collection_id, drive.name) for drive in drives}
    for deletion in Deletion.objects.filter(drive_ids__overlap=list(drive_ids), undone_at=None):
        for drive_id in deletion.drive_ids:
            found.setdefault(drive_id, _Place(deletion.collection_id, deletion.name))
    return found


def _revoke(links: dict[ShareLink, _Place]) -> None:
    for link, place in links.items():
        details = {"link": link.pk, "prefix": link.prefix, "drive": place.name}
        details |= {"of": link.made_by.username} if link.made_by else {}
        audit.record(Verb.LINK_REVOKED, collection_id=place.collection_id, about=link.file_name, details=details)
    ShareLink.objects.filter(pk__in=[link.pk for link in links]).update(revoked_at=Now())
