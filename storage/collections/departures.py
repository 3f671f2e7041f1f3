"""What ends with a person's right in a collection, in the transaction that takes the right.

Invitations end with the right to invite, imports that are under way and share links with the right to write. Uploads and
drafts are only reached by who began them. Data keys, exports, snapshots and their schedule are the collection's and stay: the
pages that remove somebody name the keys the person made, and offer to revoke them.
"""

from django.contrib.auth.models import User
from django.db.models.functions import Now

from storage.audit import log as audit
from storage.audit.log import Verb
from storage.models import Import, Invitation, Role, ShareLink

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


def fail_imports(person: User, *, collection_id: str | None = None) -> None:
    """End this person's imports that are under way, in one collection or (None) in all."""
    mine = Import.objects.filter(asked_by=person, state__in=_UNDER_WAY, is_direct=False)
    if collection_id is not None:
        mine = mine.filter(collection_id=collection_id)
    mine.update(state=Import.State.FAILED, reason=_WHY, finished_at=Now(), touched_at=Now())


def revoke_share_links(person: User, *, collection_id: str | None = None) -> None:
    """Revoke the share links that this person made, in one collection or (None) in all: they know them by heart."""
    mine = ShareLink.objects.select_related("drive").filter(made_by=person, revoked_at=None, expires_at__gt=Now())
    if collection_id is not None:
        mine = mine.filter(drive__collection_id=collection_id)
    for link in mine.select_for_update(of=("self",)):
        details = {"link": link.pk, "prefix": link.prefix, "drive": link.drive.name, "of": person.username}
        audit.record(Verb.LINK_REVOKED, collection_id=link.drive.collection_id, about=link.file_name, details=details)
    mine.update(revoked_at=Now())
