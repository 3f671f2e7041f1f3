"""The secret of a share link: random, and signed by this server, so that a made-up one is refused without asking the database."""

import secrets

from django.core import signing
from django.http import HttpRequest
from django.urls import reverse

from storage.errors import ShareLinkNotFound
from storage.share_links import links
from storage.share_links.links import SharedFile

_SALT = "homeport.share-link"
_RANDOM_BYTES = 24


def make_token() -> str:
    """A new secret of 32 random characters, a dot, and the signature."""
    return _signer().sign(secrets.token_urlsafe(_RANDOM_BYTES))


def address_of(request: HttpRequest, token: str) -> str:
    """The whole address of a link, on the host that the person uses."""
    return request.build_absolute_uri(reverse("shared", args=[token]))


def find_shared(token: str) -> SharedFile:
    """What the link leads to. Raises ShareLinkNotFound."""
    try:
        _signer().unsign(token)
    except signing.BadSignature:
        raise ShareLinkNotFound() from None
    return links.find_shared(token)


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT, sep=".")
