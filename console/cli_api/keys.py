"""Data keys for the command: list, create, revoke. A new key's text is in the one answer that makes it."""

from datetime import timedelta
from typing import Any

from django.http.response import HttpResponseBase

from console import access
from console.cli_api.gate import TokenRequest
from console.json_views import json_response, read_asked, read_list, read_text
from storage import limits
from storage.collections import keys
from storage.errors import InvalidInput
from storage.models import DataKey, Role
from storage.postgres import clock


def list_all(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    """`{"keys": [...]}`, oldest first, revoked ones too."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    return json_response({"keys": [_describe(key) for key in keys.list_keys(collection_id)]})


def create(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    """`{"name", "read_only", "bases", "drives", "days", "requests_per_second", "bytes_per_day"}`, all but the name optional.

    As listed, and `key`, its text.
    """
    access.by_person(request, collection_id, at_least=Role.OWNER)
    asked = read_asked(request)
    days = _number(asked, "days", most=limits.DATA_KEY_DAYS_MAX)
    made = keys.create_key(
        collection_id=collection_id,
        name=read_text(asked.get("name"), "name"),
        can_write=not asked.get("read_only"),
        base_names=_names(asked, "bases", "drives"),
        drive_names=_names(asked, "drives", "bases"),
        expires_at=None if days is None else clock.now() + timedelta(days=days),
        requests_per_second=_number(asked, "requests_per_second", most=limits.KEY_REQUESTS_PER_SECOND_MAX),
        bytes_per_day=_number(asked, "bytes_per_day", most=limits.KEY_BYTES_PER_DAY_MAX),
        made_by=request.user,
    )
    return json_response({**_describe(made.data_key), "key": made.text}, status=201)


def revoke(request: TokenRequest, collection_id: str, key_id: int) -> HttpResponseBase:
    """Revoking one again changes nothing. Raises DataKeyNotFound."""
    access.by_person(request, collection_id, at_least=Role.OWNER)
    keys.revoke_key(collection_id=collection_id, key_id=key_id)
    return json_response(_describe(keys.find_key(collection_id=collection_id, key_id=key_id)))


def _describe(key: DataKey) -> dict[str, object]:
    used = getattr(key, "use", None)
    return {
        "id": key.pk,
        "name": key.name,
        "key": f"{key.collection_id}_{key.secret_start}...{key.secret_end}",
        "read_only": not key.can_write,
        "bases": key.base_names,
        "drives": key.drive_names,
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
        "last_used_at": used.last_used_at.isoformat() if used else None,
        "requests_per_second": key.requests_per_second,
        "bytes_per_day": key.bytes_per_day,
    }


def _names(asked: dict[str, Any], kind: str, other: str) -> list[str] | None:
    """The names that a key is limited to: None for all, which it is where neither kind is limited."""
    if asked.get(kind) is None and asked.get(other) is None:
        return None
    return [read_text(name, kind) for name in read_list(asked.get(kind), kind)]


def _number(asked: dict[str, Any], name: str, *, most: int) -> int | None:
    number = asked.get(name)
    if number is None:
        return None
    if type(number) is not int or not 1 <= number <= most:
        raise InvalidInput(f"`{name}` is not a whole number from 1 to {most:,}")
    return number
