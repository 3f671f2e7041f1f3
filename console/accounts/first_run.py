"""The first account: `serve` prints a link where the person who runs the server chooses a name and a password.

The link is signed, expires, and stops working once there is an account, so it works once. All other accounts need an
invitation.
"""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.urls import reverse

from console import own_address
from console.accounts.forms import NewAccountForm
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.postgres.database import run
from storage.postgres.sql import locks as locks_sql

LINK_MAX_AGE_SECONDS = 24 * 60 * 60
_SALT = "homeport.first-run"


def sign_in_url() -> str:
    """The first address for the person who started the server: the one-time link, or the sign-in page once there are accounts."""
    origin = own_address.url(settings.PORT, scheme="http")
    if get_user_model().objects.exists():
        return origin + reverse("sign-in")
    return origin + reverse("welcome", args=[signing.dumps("welcome", salt=_SALT)])


def is_open(token: str) -> bool:
    """Whether this link is valid: signed here, not expired, and there is no account yet."""
    try:
        signing.loads(token, salt=_SALT, max_age=LINK_MAX_AGE_SECONDS)
    except signing.BadSignature:
        return False
    return not get_user_model().objects.exists()


def create_first_person(form: NewAccountForm) -> User | None:
    """Create the first account, which owns the server; None when there is one already. `form` is valid."""
    person: User = form.save(commit=False)  # hashes the password: not while others wait for the lock
    with transaction.atomic():
        # If two people use the link at the same moment, the lock makes the second one see the first.
        run(locks_sql.lock_first_run())
        if get_user_model().objects.exists():
            return None
        person.is_superuser = True
        person.save()
        audit.record(Verb.ACCOUNT_CREATED, about=person.username, details={"owns_server": True})
        return person
