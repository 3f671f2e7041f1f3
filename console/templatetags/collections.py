"""What stands beside all pages of one collection."""

from typing import Any

from django import template

from storage.base import bases
from storage.drive import drives
from storage.models import Collection

register = template.Library()

_LISTED = 300


@register.inclusion_tag("collections/_side_list.html", takes_context=True)
def side_list(context: template.Context, collection: Collection) -> dict[str, Any]:
    """All Bases and Drives of the collection, by name: the first of very many."""
    match = context["request"].resolver_match
    shown = f"{match.url_name}/{match.kwargs.get('drive') or match.kwargs.get('name')}" if match else ""
    found = {
        "bases": bases.list_base_names(collection_id=collection.id, limit=_LISTED + 1),
        "drives": drives.list_drive_names(collection_id=collection.id, limit=_LISTED + 1),
    }
    parts = [
        {
            "list": name,
            "kind": name[:-1],
            "label": name.capitalize(),
            "shape": {"bases": "table-2", "drives": "folder"}[name],
            "names": names[:_LISTED],
            "more": len(names) > _LISTED,
        }
        for name, names in found.items()
    ]
    return {"collection": collection, "parts": parts, "shown": shown}
