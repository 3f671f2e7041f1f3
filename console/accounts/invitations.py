"""Invitation links: signed here, valid once, for a week. The link is shown to the inviting person and not stored."""

from django.contrib.auth.models import User
from django.core import signing
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse

from console.accounts.forms import NewAccountForm
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import invitations
from storage.errors import InvalidInput, InvitationSpent
from storage.models import Invitation

_SALT = "homeport.invitation"


def make_link(request: HttpRequest, invitation: Invitation) -> str:
    """The invitation's address, on the host that the inviting person uses."""
    return request.build_absolute_uri(reverse("join", args=[signing.dumps(invitation.pk, salt=_SALT)]))


def read_link(token: str) -> Invitation:
    """The invitation of a link. Raises InvitationSpent when it was used or withdrawn, is too old, or was not made here."""
    try:
        invitation_id = signing.loads(token, salt=_SALT, max_age=invitations.INVITATION_LASTS)
    except signing.BadSignature:
        raise InvitationSpent() from None
    return invitations.find_invitation(invitation_id)


def accept(invitation: Invitation, *, person: User | NewAccountForm) -> User:
    """Accept an invitation, with an account or with a new one from a valid form.

    Raises InvitationSpent, and InvalidInput when somebody else has just taken the name; creates no account then.
    """
    # This hashes the password: not while others wait for what the transaction holds.
    newcomer: User = person if isinstance(person, User) else person.save(commit=False)
    with transaction.atomic():
        if newcomer.pk is None:
            try:
                with transaction.atomic():
                    newcomer.save()
            except IntegrityError:
                raise InvalidInput("A user with that username already exists.") from None
            audit.record(Verb.ACCOUNT_CREATED, about=newcomer.username)
        invitations.accept_invitation(invitation_id=invitation.pk, person=newcomer)
        return newcomer
