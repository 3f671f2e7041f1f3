"""Saved views of a Base: what the page's script asks for, in JSON."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from console import access
from console.base.query_text import understand
from console.base.row_pages import access_of, find_base
from console.json_views import answers_json, json_response, read_asked, read_text
from storage.base import saved_views
from storage.models import Base, Role, SavedView


@require_http_methods(["GET", "HEAD", "POST"])
@answers_json
def views(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """All of them; by POST `{"name", "q", "sort", "columns", "replace"}` is kept as well."""
    access.by_person(request, collection_id, at_least=Role.MEMBER if request.method == "POST" else Role.READER)
    base = find_base(collection_id, name)
    if request.method == "POST":
        asked = read_asked(request)
        query = read_text(asked.get("q", ""), "q")
        understand(query).checked()
        saved_views.save_view(
            access=access_of(request, collection_id),
            base=name,
            name=read_text(asked.get("name"), "name"),
            query=query,
            sort=read_text(asked.get("sort", ""), "sort"),
            columns=read_text(asked.get("columns", ""), "columns"),
            replace=asked.get("replace") is True,
        )
    return json_response({"views": tell_views(base)})


@require_POST
@answers_json
def delete(request: HttpRequest, collection_id: str, name: str, view_id: int) -> HttpResponse:
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    base = find_base(collection_id, name)
    saved_views.delete_view(access=access_of(request, collection_id), base=name, view_id=view_id)
    return json_response({"views": tell_views(base)})


def tell_views(base: Base) -> list[dict[str, Any]]:
    return [_tell(view) for view in saved_views.list_views(base_id=base.pk)]


def _tell(view: SavedView) -> dict[str, Any]:
    return {"id": view.pk, "name": view.name, "q": view.query, "sort": view.sort, "columns": view.columns}
