"""Collections, for a terminal: those that a person may see."""

from django.http.response import HttpResponseBase

from console.cli_api.gate import TokenRequest
from console.json_views import json_response
from storage import limits
from storage.collections import usage


def list_all(request: TokenRequest) -> HttpResponseBase:
    """`{"collections": [{"id", "name", "role", "created_at"}, ...]}`, by name."""
    found = usage.list_holdings(person=request.user, limit=limits.CLI_COLLECTIONS_MAX).collections
    told = [
        {"id": each.id, "name": each.name, "role": each.role, "created_at": each.created_at.isoformat()}
        for each in found
    ]
    return json_response({"collections": told})
