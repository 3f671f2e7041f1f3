"""Access to collections: the only gates, one for a data key and one for a person.

The storage statement decides whether a key is known, valid and has the right; this gate only reads it.
"""

from typing import cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from console.asked import Asked
from storage.collections import keys, roles
from storage.collections.roles import CollectionAccess
from storage.errors import CollectionNotFound, Unauthorized
from storage.models import Role
from storage.postgres.caller import Access

# Set in the environment of a request that a page sends to the API for a person. A header cannot set it: those begin with `HTTP_`.
GRANTED_ACCESS = "homeport.granted_access"


def by_data_key(request: Asked, collection_id: str) -> Access:
    """The access that the request's data key asks for. Raises Unauthorized for none, or another collection's.

    It is in `X-API-Key`, or where that is missing in `Authorization: Token` (contract: Dialects). Two `X-API-Key` headers arrive
    joined by a comma, which is not the shape of a key. A person's request has the access that a page's gate gave it instead of a
    key.
    """
    granted: Access | None = request.META.get(GRANTED_ACCESS)
    if granted is not None and granted.collection_id == collection_id:
        return granted
    found = request.META.get("HTTP_X_API_KEY") or token_in(request.META.get("HTTP_AUTHORIZATION", ""))
    access = keys.read_key(found)
    if access.collection_id != collection_id:
        raise Unauthorized()
    return access


def is_by_token(request: Asked) -> bool:
    """Whether the data key is in `Authorization: Token KEY` alone, as the successor's second Python client sends it."""
    meta = request.META
    return not meta.get("HTTP_X_API_KEY") and bool(token_in(meta.get("HTTP_AUTHORIZATION", "")))


def token_in(authorization: str) -> str:
    """The KEY of a header `Authorization: Token KEY`; nothing for any other."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "token" else ""


def by_person(request: HttpRequest, collection_id: str, *, at_least: Role = Role.READER) -> CollectionAccess:
    """The collection, for a person who has at least this role in it: the first line of its pages.

    The middleware makes sure that somebody is signed in (`console/accounts/gate.py`).

    Raises Http404 for everyone without access, and PermissionDenied for a role that is too low.
    """
    try:
        granted = roles.find_access(person=cast(User, request.user), collection_id=collection_id)
    except CollectionNotFound as error:
        raise Http404(error.messages[0]) from None
    if not granted.allows(at_least):
        raise PermissionDenied(f"Your role in this collection is “{granted.role.label}”")
    return granted


def server_owner(request: HttpRequest) -> None:
    """The gate of pages for owners of the server. Anyone else gets 404: raises Http404."""
    if not cast(User, request.user).is_superuser:
        raise Http404
