"""A Micro's API keys, for a terminal. A new one is only ever in the answer to its making."""

from typing import Any

from django.http import HttpResponse

from console.cli_api.gate import TokenRequest
from console.json_views import json_response, read_asked, read_text
from console.micros import shown
from storage.micros import api_keys
from storage.models import MicroKey, Role


def list_all(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """`{"keys": [{"name", "description", "prefix", "created", "last_used"}, ...]}`, oldest first."""
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    told = [
        _describe(key) | {"last_used": key.last_used_at.isoformat() if key.last_used_at else None}
        for key in api_keys.list_keys(micro_id)
    ]
    return json_response({"keys": told})


def create(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """Of `{"name", "description"}`: 201 with the key, whose `api_key` is told this once."""
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    asked = read_asked(request)
    made = api_keys.create_key(
        collection_id=collection_id,
        micro_id=micro_id,
        name=read_text(asked.get("name"), "name"),
        description=read_text(asked.get("description", ""), "description"),
        made_by=request.user,
    )
    about = _describe(made.key)
    created = about.pop("created")
    return json_response(about | {"api_key": made.text, "created": created}, status=201)


def revoke(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """The key that `?name=` names: 204. Requests with it are refused from now on."""
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    api_keys.revoke_key(collection_id=collection_id, micro_id=micro_id, name=request.GET.get("name", ""))
    return HttpResponse(status=204)


def _describe(key: MicroKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "description": key.description,
        "prefix": key.prefix,
        "created": key.created_at.isoformat(),
    }
