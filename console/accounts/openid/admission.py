"""Who of those that the provider has signed in is let in here, and as whom.

An account of the provider's belongs to a person here by its subject. It is linked by the person, signed in, on the account
page; by an invitation's link; or by an e-mail address that the provider has verified and an owner of this server has noted
for the person. An address that nobody has verified links nothing.
"""

import re
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from console.accounts import invitations
from console.accounts.openid.configured import provider_id
from console.accounts.openid.errors import SignInRefused
from console.accounts.openid.id_tokens import verified_email
from storage import disk_space
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import InvitationSpent

_NAME_MAX_CHARACTERS = 140


def find_link(person: User) -> SocialAccount | None:
    """The provider's account that signs this person in."""
    return _links().filter(user=person).first()


def admit(claims: dict[str, Any], *, invitation_token: str = "") -> tuple[User, bool]:
    """The person that these claims are of, and whether they are new here, by the invitation. Raises SignInRefused."""
    _check_domain(claims)
    is_new = False
    try:
        with transaction.atomic():
            person = _find_person(claims)
            if person is None:
                person = _make_person(claims, invitation_token)
                is_new = True
    except IntegrityError:  # the same account came in twice at once, and the other one made the link
        person = _find_person(claims)
    if person is None:
        told = verified_email(claims)
        raise SignInRefused(
            f"Nobody here belongs to your account{f' {told}' if told else ''} at {settings.OIDC_NAME}."
            " Ask an owner of this server for an invitation. If you have an account here, sign in with its password and"
            " link the two on its page."
        )
    if not person.is_active:
        raise SignInRefused("Your account here is closed.")
    return person, is_new


def link(person: User, claims: dict[str, Any]) -> None:
    """Let this account of the provider's sign a person in from now on, and no other. Raises SignInRefused."""
    _check_domain(claims)
    try:
        with transaction.atomic():
            _links().filter(user=person).delete()
            _link(person, claims)
    except IntegrityError:  # an account of the provider's is one person's
        raise SignInRefused(f"This account at {settings.OIDC_NAME} belongs to somebody else here.") from None


def unlink(person: User) -> None:
    """The provider signs this person in no longer, nor does the address that would link the two again."""
    with transaction.atomic():
        _links().filter(user=person).delete()
        EmailAddress.objects.filter(user=person).delete()
        audit.record(Verb.OPENID_UNLINKED, about=person.get_username())


def note_email(person: User, email: str) -> None:
    """Note a person's address, as an owner of the server knows it: who has it at the provider is this person; "" for none.

    Raises SignInRefused when it is somebody else's.
    """
    with transaction.atomic():
        EmailAddress.objects.filter(user=person).delete()
        if email:
            if EmailAddress.objects.filter(email=email.lower()).exists():
                raise SignInRefused("Somebody else here has this address.")
            EmailAddress.objects.create(user=person, email=email.lower(), verified=True, primary=True)
        details = {"person": person.pk, "email": email.lower() or None}
        audit.record(Verb.EMAIL_NOTED, about=person.get_username(), details=details)


def find_email(person: User) -> str:
    """The address that is noted for a person, "" for none."""
    found = EmailAddress.objects.filter(user=person, verified=True).first()
    return found.email if found else ""


def _links() -> "QuerySet[SocialAccount]":
    return SocialAccount.objects.filter(provider=provider_id())


def _find_person(claims: dict[str, Any]) -> User | None:
    """Whose account it is: by its subject, else by an address, for a person who has no account of the provider's yet."""
    linked = _links().filter(uid=claims["sub"]).select_related("user").first()
    if linked is not None:
        return linked.user
    email = verified_email(claims)
    noted = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first() if email else None
    if noted is None or find_link(noted.user) is not None:
        return None
    _link(noted.user, claims)
    return noted.user


def _make_person(claims: dict[str, Any], invitation_token: str) -> User | None:
    """A new account for somebody who was invited, or for anybody where that is allowed."""
    if not invitation_token and not settings.OIDC_SIGN_UP:
        return None
    disk_space.check_space_for_items()
    person = User(username=_free_name(claims))
    person.set_unusable_password()
    person.save()
    audit.record(Verb.ACCOUNT_CREATED, about=person.get_username(), details={"by": "OpenID Connect"})
    _link(person, claims)
    email = verified_email(claims)
    if email and not EmailAddress.objects.filter(email=email).exists():
        EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    if invitation_token:
        try:
            invitations.accept(invitations.read_link(invitation_token), person=person)
        except InvitationSpent:
            raise SignInRefused("The invitation was used, withdrawn, or is too old. Ask for another one.") from None
    return person


def _link(person: User, claims: dict[str, Any]) -> None:
    shown = {name: claims[name] for name in ("email", "preferred_username") if isinstance(claims.get(name), str)}
    SocialAccount.objects.create(user=person, provider=provider_id(), uid=claims["sub"], extra_data=shown)
    audit.record(Verb.OPENID_LINKED, about=person.get_username())


def _check_domain(claims: dict[str, Any]) -> None:
    allowed = settings.OIDC_DOMAINS
    if allowed and verified_email(claims).rpartition("@")[2] not in allowed:
        raise SignInRefused(f"This server takes verified addresses at {', '.join(allowed)} alone.")


def _free_name(claims: dict[str, Any]) -> str:
    """A name that nobody has, as near as may be to what the provider calls the person."""
    told = claims.get("preferred_username") or verified_email(claims).partition("@")[0] or claims.get("name") or ""
    wanted = re.sub(r"[^\w.@+-]+", "-", str(told)).strip("-")[:_NAME_MAX_CHARACTERS] or "person"
    names = [wanted, *(f"{wanted}-{number}" for number in range(2, 1000))]
    taken = {
        name.lower() for name in User.objects.filter(username__istartswith=wanted).values_list("username", flat=True)
    }
    return next(name for name in names if name.lower() not in taken)
