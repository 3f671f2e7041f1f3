"""Sign-ins and sign-outs in the audit log, however they come about: Django says of each by a signal."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from storage.audit import actors
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.postgres.database import engine_errors


@receiver(user_logged_in)
def record_sign_in(sender: object, request: HttpRequest, user: User, **_: Any) -> None:
    """The session is stored together with its entry. Without the entry the browser gets no session."""
    address = request.META.get("REMOTE_ADDR", "")
    try:
        with engine_errors(), transaction.atomic():
            request.session.save()
            audit.record(Verb.SIGNED_IN, by=actors.person(user, address=address))
    except BaseException:
        request.session = type(request.session)()
        raise


@receiver(user_logged_out)
def record_sign_out(sender: object, request: HttpRequest, user: User | None, **_: Any) -> None:
    """Sent before the session ends: whoever signs somebody out does both in one transaction."""
    if user is not None and user.is_authenticated:
        with engine_errors(), transaction.atomic():
            audit.record(Verb.SIGNED_OUT, by=actors.person(user, address=request.META.get("REMOTE_ADDR", "")))


@receiver(user_login_failed)
def record_failure(sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Only the name of an account that exists is kept: people type passwords into the field for the name."""
    tried = str(credentials.get("username") or "")
    with engine_errors(), transaction.atomic():
        found = User.objects.filter(username=tried).first() if "\x00" not in tried else None
        address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
        audit.record_failed_sign_in(account=found.username if found else "", address=address)
