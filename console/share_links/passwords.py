"""Passwords of share links: tries are counted before they are looked at, and who gave the right one is not asked for an hour.

What a browser keeps is a signed list of links, in one cookie: with https a cookie cannot be bound to a path.
"""

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core import signing
from django.http import HttpRequest, HttpResponse

from console.client_addresses import network_of
from console.error_status import TooManyTries
from storage import limits
from storage.share_links.links import SharedFile
from storage.throttles import tries
from storage.throttles.tries import Counter, Limit

COOKIE = "homeport_shared"
FROM_ONE_ADDRESS = Limit("share link from address", limits.SHARE_PASSWORD_TRIES, limits.SIGN_IN_WINDOW_SECONDS)
FROM_ANYWHERE = Limit("share link", limits.SHARE_PASSWORD_TRIES_FROM_ANYWHERE, limits.SIGN_IN_ANYWHERE_SECONDS)

_SALT = "homeport.opened-share-links"
_LINKS_KEPT = 20


def is_right(request: HttpRequest, shared: SharedFile, password: str) -> bool:
    """Whether this is the link's password. Raises TooManyTries, HashingBusy, EngineUnreachable and DiskFull."""
    link = str(shared.link_id)
    own = [Counter(FROM_ONE_ADDRESS, (network_of(request.META["REMOTE_ADDR"]), link))]
    counters = [*own, Counter(FROM_ANYWHERE, (link,))]
    made = tries.take_try(counters)
    if made.wait_seconds:
        raise TooManyTries(made.wait_seconds)
    with made:
        right = check_password(password, shared.password)
        if right:
            made.succeed(forgets=own)
        return right


def is_open(request: HttpRequest, shared: SharedFile) -> bool:
    """Whether the link has no password, or this browser gave it within the hour."""
    return not shared.password or shared.link_id in _opened(request)


def keep_open(request: HttpRequest, response: HttpResponse, shared: SharedFile) -> None:
    """Let this browser do without the password for an hour."""
    opened = [link for link in _opened(request) if link != shared.link_id]
    response.set_cookie(
        COOKIE,
        signing.dumps([*opened, shared.link_id][-_LINKS_KEPT:], salt=_SALT),
        max_age=limits.SHARE_OPEN_SECONDS,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )


def _opened(request: HttpRequest) -> list[int]:
    try:
        opened: list[int] = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=limits.SHARE_OPEN_SECONDS
        )
    except signing.BadSignature:
        return []
    return opened
