"""Who visits a Micro that asks for sign-in: a person whom the console sent, or a caller with an API key.

A Micro's page must not get at the console's cookies, so its host has a cookie of its own. That one holds the person's session in
the console, sealed for this Micro: it ends with the session, with the role and with the account, within two seconds.

    Micro's host -> console: "/enter/?to=HOST&path=/x&state=S", the same S in a cookie of the Micro's host
    console -> Micro's host: "/__homeport/enter?ticket=T", valid for a minute, once, and with that cookie alone
"""

import base64
import hashlib
import secrets
import threading
import time
from typing import Any

from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest

from console.accounts.second_factor import factors
from console.accounts.sessions import SessionStore
from storage.collections import roles
from storage.errors import CollectionNotFound, SecretsUnreadable
from storage.micros import sealing
from storage.models import Micro
from storage.postgres.database import one_connection
from storage.throttles import tries

VISITOR_COOKIE, STATE_COOKIE = "homeport_visitor", "homeport_state"
TICKET_SECONDS = 60
# In the variables of a request that a page sends for a person: that person, whom its gate knows. No header can put it there.
BY_HAND = "homeport.visitor"
_SALT = "homeport.front.ticket"
_ONCE = tries.Limit("micro_ticket", 1, 2 * TICKET_SECONDS)
# How long a process believes that a visitor is still let in.
_KEPT_SECONDS = 2.0
_KEPT_MOST = 4_096


def new_state() -> str:
    """What ties a ticket to the browser that it is for."""
    return secrets.token_urlsafe(16)


def make_ticket(*, session_key: str, micro: Micro, state: str) -> str:
    """Lets the person of this session in, once, within a minute, in the browser that has this state."""
    return signing.dumps([_seal(session_key, micro), micro.id, state], salt=_SALT)


def read_ticket(ticket: str, *, micro: Micro, state: str) -> str | None:
    """The value of the visitor's cookie, or None for a ticket that is not good (any more). Raises EngineUnreachable."""
    try:
        sealed, micro_id, given_state = signing.loads(ticket, salt=_SALT, max_age=TICKET_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    if micro_id != micro.id or not state or not secrets.compare_digest(given_state.encode(), state.encode()):
        return None
    digest = hashlib.sha256(ticket.encode()).hexdigest()
    return None if tries.take_try([tries.Counter(_ONCE, (digest,))]).wait_seconds else str(sealed)


class Visitors:
    """Visitors as they were known within the last two seconds."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[float, User | None]] = {}
        self._lock = threading.Lock()

    def find(self, cookie: str, micro: Micro) -> User | None:
        """The person whom this cookie lets in. Raises EngineUnreachable."""
        if not cookie:
            return None
        now = time.monotonic()
        kept = self._kept.get((cookie, micro.id))
        if kept is not None and kept[0] > now:
            return kept[1]
        with one_connection():
            person = _find_person(cookie, micro)
        with self._lock:
            if len(self._kept) >= _KEPT_MOST:
                self._kept = {name: each for name, each in self._kept.items() if each[0] > now}
            if len(self._kept) < _KEPT_MOST:
                self._kept[cookie, micro.id] = (now + _KEPT_SECONDS, person)
        return person


visitors = Visitors()


def _find_person(cookie: str, micro: Micro) -> User | None:
    try:
        session_key = sealing.unseal(base64.urlsafe_b64decode(cookie.encode()), micro_id=micro.id).decode()
    except (ValueError, SecretsUnreadable):
        return None
    person = person_of_session(session_key)
    if person is None or factors.owes_second_factor(person):
        return None
    try:
        roles.find_access(person=person, collection_id=micro.collection_id)
    except CollectionNotFound:
        return None
    return person


def person_of_session(session_key: str) -> User | None:
    """Who is signed in to the console with this session; None for nobody. Raises EngineUnreachable."""
    request: Any = HttpRequest()
    request.session = SessionStore(session_key)
    with one_connection():
        person = get_user(request)
        return person if person.is_authenticated else None


def _seal(session_key: str, micro: Micro) -> str:
    return base64.urlsafe_b64encode(sealing.seal(session_key.encode(), micro_id=micro.id)).decode()
