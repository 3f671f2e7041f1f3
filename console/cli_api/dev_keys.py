"""Development keys: what `deta dev` gives the app that it runs, and takes away again.

A member gets one, who could read the key of a Micro of theirs as well. It ends by itself within a day, whatever becomes of the
machine that it was made for, and with their right to write.
"""

from datetime import timedelta

from django.conf import settings
from django.http.response import HttpResponseBase

from console import access
from console.cli_api.gate import TokenRequest
from console.connect.addresses import addresses_for
from console.json_views import json_response, read_asked, read_text
from storage import limits
from storage.collections import keys
from storage.errors import DataKeyNotFound
from storage.models import DataKey, Role
from storage.postgres import clock


def create(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    """`{"device"}`, the machine's name. `{"id", "key", "expires_at"}`, and what `show` says."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    device = read_text(read_asked(request).get("device", ""), "device").strip()
    made = keys.create_key(
        collection_id=collection_id,
        name=f"{keys.DEV_KEY_NAME} on {device}"[: limits.DATA_KEY_NAME_MAX_CHARACTERS] if device else keys.DEV_KEY_NAME,
        expires_at=clock.now() + timedelta(seconds=limits.DEV_KEY_SECONDS),
        made_by=request.user,
    )
    expires_at = made.data_key.expires_at
    about = {"id": made.data_key.pk, "key": made.text, "expires_at": expires_at.isoformat() if expires_at else None}
    return json_response(about | _surroundings(request), status=201)


def show(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    """For who has a key already: `{"host", "authority"}`.

    `host` is `name[:port]` of https, where the published clients find this server, empty where it has none; `authority` is the
    certificate that they have to trust for it, in PEM, empty when everybody does.
    """
    access.by_person(request, collection_id)
    return json_response(_surroundings(request))


def _surroundings(request: TokenRequest) -> dict[str, str]:
    at = addresses_for(request)
    path = settings.DATA / "tls" / "ca.pem"
    return {
        "host": at.tls_host,
        "authority": path.read_text("ascii") if at.is_own_authority and path.is_file() else "",
    }


def revoke(request: TokenRequest, collection_id: str, key_id: int) -> HttpResponseBase:
    """Revoke one of one's own; one that is revoked already stays so. Raises DataKeyNotFound for any other key."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    mine = DataKey.objects.filter(
        collection_id=collection_id, id=key_id, made_by=request.user, name__startswith=keys.DEV_KEY_NAME
    )
    if not mine.exists():
        raise DataKeyNotFound()
    keys.revoke_key(collection_id=collection_id, key_id=key_id)
    return json_response({})
