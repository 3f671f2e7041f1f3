"""Second factors in the audit log: each change of one says so by a signal, in its own transaction."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth.models import User
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from console.client_addresses import network_of
from storage.audit import actors
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.postgres.database import engine_errors


@receiver(authenticator_added)
def record_added(sender: object, user: User, authenticator: Authenticator, **_: Any) -> None:
    audit.record(Verb.FACTOR_ADDED, about=_name(authenticator), details=_whose(user))


@receiver(authenticator_removed)
def record_removed(sender: object, user: User, authenticator: Authenticator, **_: Any) -> None:
    audit.record(Verb.FACTOR_REMOVED, about=_name(authenticator), details=_whose(user))


@receiver(authenticator_reset)
def record_codes(sender: object, user: User, **_: Any) -> None:
    audit.record(Verb.RECOVERY_CODES_MADE, details=_whose(user))


@receiver(authentication_failed)
def record_failure(sender: object, request: HttpRequest, user: User, **_: Any) -> None:
    """The password before it was right."""
    with engine_errors(), transaction.atomic():
        address = network_of(request.META.get("REMOTE_ADDR", ""))
        audit.record_failed_sign_in(account=user.get_username(), address=address, how="second factor")


def _name(factor: Authenticator) -> str:
    if factor.type == Authenticator.Type.WEBAUTHN:
        return f"passkey “{factor.data.get('name', '')}”"
    return "authenticator app" if factor.type == Authenticator.Type.TOTP else "recovery codes"


def _whose(user: User) -> dict[str, object]:
    """Nothing for one's own."""
    return {} if actors.current().person_id == user.pk else {"of": user.get_username(), "person": user.pk}
