"""The steps of signing in, whichever way somebody came: a first proof, a second one where it is set up, the session.

A session that has passed the first step alone has no person: it remembers for ten minutes who it may become, and every page
is closed to it but the second step.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme

from console.accounts.second_factor import factors
from console.accounts.throttle import know_browser

SECOND_STEP_SECONDS = 10 * 60
# So long after signing in, or after a proof, one may add what signs in; taking it away always asks for a proof.
PROOF_SECONDS = 10 * 60

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_PENDING = "second_step"
_PROVED_AT = "proved_at"


@dataclass(frozen=True, slots=True)
class Pending:
    """Somebody who has passed the first step, and where they want to go."""

    person: User
    next_url: str


def begin(request: HttpRequest, person: User, *, next_url: str = "") -> HttpResponse:
    """After a first proof: on to the second step, or in. `next_url` is followed on this server alone."""
    if not factors.has_second_factor(person):
        return complete(request, person, next_url=next_url)
    logout(request)
    hold_briefly(request)
    request.session[_PENDING] = {
        "person": person.pk,
        "password": person.get_session_auth_hash(),
        "at": time.time(),
        "next": next_url,
    }
    return redirect("second-step")


def find_pending(request: HttpRequest) -> Pending | None:
    """Who has passed the first step in this browser; None after ten minutes, or when the password changed meanwhile."""
    kept: dict[str, Any] | None = request.session.get(_PENDING)
    if kept is None or time.time() - kept["at"] > SECOND_STEP_SECONDS:
        return None
    person = User.objects.filter(pk=kept["person"], is_active=True).first()
    if person is None or not constant_time_compare(kept["password"], person.get_session_auth_hash()):
        return None
    return Pending(person, kept["next"])


def complete(request: HttpRequest, person: User, *, next_url: str = "") -> HttpResponse:
    """All proofs are there: a new session of this person's, and on to where they want to go."""
    start_session(request, person)
    response = follow(request, next_url, otherwise=settings.LOGIN_REDIRECT_URL)
    know_browser(request, response, person)
    return response


def start_session(request: HttpRequest, person: User) -> None:
    """Sign somebody in. The session gets another name, and forgets what was asked on the way."""
    request.session.pop(_PENDING, None)
    request.session.set_expiry(None)
    login(request, person, backend=_BACKEND)
    note_proof(request)


def hold_briefly(request: HttpRequest) -> None:
    """A session of nobody's, made for a question and its answer, is deleted soon."""
    if not request.user.is_authenticated:
        request.session.set_expiry(SECOND_STEP_SECONDS)


def keep(request: HttpRequest) -> None:
    """Store the session now. Else that is done after the view, where nobody gives back a try that breaks off."""
    request.session.save()


def note_proof(request: HttpRequest) -> None:
    """Somebody has just shown who they are."""
    request.session[_PROVED_AT] = time.time()


def has_proved_lately(request: HttpRequest) -> bool:
    return time.time() - float(request.session.get(_PROVED_AT, 0)) < PROOF_SECONDS


def follow(request: HttpRequest, next_url: str, *, otherwise: str) -> HttpResponse:
    """On to an address on this server; to a page by name when it is none."""
    is_ours = url_has_allowed_host_and_scheme(
        next_url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(next_url if is_ours else otherwise)
