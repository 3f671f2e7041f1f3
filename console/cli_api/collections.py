"""Collections, for a terminal: those that a person may see."""

from django.http.response import HttpResponseBase

from console import access
from console.cli_api.gate import TokenRequest
from console.json_views import json_response, read_asked, read_text
from storage import limits
from storage.collections import collections, usage
from storage.models import Role


def list_all(request: TokenRequest) -> HttpResponseBase:
    """`{"collections": [{"id", "name", "role", "created_at"}, ...]}`, by name."""
    found = usage.list_holdings(person=request.user, limit=limits.CLI_COLLECTIONS_MAX).collections
    told = [
        {"id": each.id, "name": each.name, "role": each.role, "created_at": each.created_at.isoformat()}
        for each in found
    ]
    return json_response({"collections": told})


def create(request: TokenRequest) -> HttpResponseBase:
    """`{"name"}`: a new collection, as listed. For owners of the server alone; anybody else gets 404."""
    access.server_owner(request)
    made = collections.create_collection(read_text(read_asked(request).get("name"), "name"))
    told = {"id": made.id, "name": made.name, "role": Role.OWNER, "created_at": made.created_at.isoformat()}
    return json_response(told, status=201)
