"""Sign-ins and sign-outs in the audit log, however they come about: Django says of each by a signal.

Of wrong passwords the page tells itself, once the try is counted for good.

An address in an entry of a stranger's is its network (`network_of`), as limits on tries count it.
"""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from console.client_addresses import network_of
from storage.audit import actors
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.names import is_text
from storage.postgres.database import engine_errors
from storage.throttles import tries
from storage.throttles.tries import Counter, Limit

# A refused try is told once an hour for each network and account, and writes nothing more: it must cost the server little.
_TOLD = Limit("refused sign-in told", 1, 3_600)


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


def record_failure(request: HttpRequest, *, name: str) -> None:
    """A password that was wrong. Raises EngineUnreachable, DiskFull."""
    with engine_errors(), transaction.atomic():
        audit.record_failed_sign_in(account=_find_account(name), address=network_of(request.META["REMOTE_ADDR"]))


def record_refusal(request: HttpRequest, *, name: str, how: str = "password") -> None:
    """A try that was refused before it was looked at, as there were too many. Raises EngineUnreachable, DiskFull."""
    network = network_of(request.META["REMOTE_ADDR"])
    with engine_errors(), transaction.atomic():
        account = _find_account(name)
        if not tries.take_try([Counter(_TOLD, (network, account, how))]).wait_seconds:
            audit.record_refused_sign_in(account=account, address=network, how=how)


def _find_account(tried: str) -> str:
    """The name if an account has it, else "": people type passwords into the field for the name."""
    found = User.objects.filter(username=tried).first() if is_text(tried) else None
    return found.username if found else ""
