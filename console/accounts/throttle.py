"""Limits on wrong passwords. Each try is counted before its password is looked at, and given back unless that was wrong.

An address may try one name a few times and all names some times more; an IPv6 address counts as its /64. A name has a limit
over all addresses too, so that many of them together do not guess for ever. Nobody can use that to lock a person out: a
browser in which the person has signed in before, by all steps and with the password of now, has a cookie that says so, and is
counted by itself.
"""

import secrets
import unicodedata
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from console.client_addresses import network_of
from storage import limits
from storage.throttles import tries
from storage.throttles.tries import Counter, Limit, Try

_WINDOW = limits.SIGN_IN_WINDOW_SECONDS
FOR_ONE_NAME = Limit("sign-in name from address", limits.SIGN_IN_TRIES_FOR_ONE_NAME, _WINDOW)
FROM_ONE_ADDRESS = Limit("sign-in address", limits.SIGN_IN_TRIES_FROM_ONE_ADDRESS, _WINDOW)
FROM_KNOWN_BROWSER = Limit("sign-in known browser", limits.SIGN_IN_TRIES_FROM_KNOWN_BROWSER, _WINDOW)
FROM_ANYWHERE = Limit("sign-in name", limits.SIGN_IN_TRIES_FROM_ANYWHERE, limits.SIGN_IN_ANYWHERE_SECONDS)
PASSWORD_CHANGE = Limit("password change", limits.PASSWORD_CHANGE_TRIES, _WINDOW)

KNOWN_COOKIE = "homeport_known"
_KNOWN_SECONDS = 365 * 24 * 60 * 60
_SALT = "homeport.known-browser"
_NAME_MAX_CHARACTERS = 150


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try to sign in. `browser` is what is known of the browser, "" when this name has not signed in with it before.

    `typed` is the name as Django reads it, `name` is how it is counted.
    """

    address: str
    typed: str
    browser: str = ""

    @property
    def name(self) -> str:
        return self.typed.lower()

    @classmethod
    def of(cls, request: HttpRequest, name: str) -> "Attempt":
        """The try that a request makes, with a name as somebody typed it."""
        # As Django reads the field: otherwise a name could be written in many ways, each with tries of its own.
        typed = unicodedata.normalize("NFKC", name[:_NAME_MAX_CHARACTERS]).strip()
        return cls(network_of(request.META["REMOTE_ADDR"]), typed, find_browser(request, typed))

    def begin(self) -> Try:
        """Count the try, if it may be made. Raises EngineUnreachable and DiskFull."""
        return tries.take_try(self._counters)

    @property
    def forgets(self) -> list[Counter]:
        """What a right password begins anew: the wrong ones of this person from here."""
        return self._counters[:1]

    @property
    def _counters(self) -> list[Counter]:
        """First the one that is about this person alone."""
        if self.browser:
            return [Counter(FROM_KNOWN_BROWSER, (self.name, self.browser))]
        return [
            Counter(FOR_ONE_NAME, (self.address, self.name)),
            Counter(FROM_ONE_ADDRESS, (self.address,)),
            Counter(FROM_ANYWHERE, (self.name,)),
        ]


def forget_tries_at(person: User) -> None:
    """Whoever has tried from anywhere counts no more. Who has just tried too often at one place still waits there."""
    tries.forget_tries([Counter(FROM_ANYWHERE, (person.get_username().lower(),))])


def find_browser(request: HttpRequest, name: str) -> str:
    """What tells this browser from others in which the person has signed in; "" when they never did with this password."""
    try:
        known, browser, password = signing.loads(
            request.COOKIES.get(KNOWN_COOKIE, ""), salt=_SALT, max_age=_KNOWN_SECONDS
        )
    except (signing.BadSignature, ValueError):
        return ""
    person = User.objects.filter(username=name).first() if known == name else None
    return browser if person is not None and constant_time_compare(password, _password_mark(person)) else ""


def know_browser(request: HttpRequest, response: HttpResponse, person: User) -> None:
    """The person has signed in with this browser: know it from now on."""
    name = person.get_username()
    if find_browser(request, name):
        return
    response.set_cookie(
        KNOWN_COOKIE,
        signing.dumps([name, secrets.token_urlsafe(12), _password_mark(person)], salt=_SALT),
        max_age=_KNOWN_SECONDS,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )


def _password_mark(person: User) -> str:
    """Another one with each password: who knew an old one has no tries of their own at the new one."""
    return person.get_session_auth_hash()[:16]
