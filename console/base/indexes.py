"""The indexes that a Base has got by itself: what they are of, what they cost, and dropping one."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from console import access
from console.base.row_pages import access_of, find_base
from console.page import go_to, show_dialog
from storage import limits
from storage.attribute_indexes import listing
from storage.models import Role
from storage.postgres.distribution import items_are_distributed


@require_safe
def indexes(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    granted = access.by_person(request, collection_id)
    base = find_base(collection_id, name)
    context = {
        "granted": granted,
        "tab": "bases",
        "base": base,
        "indexes": listing.list_indexes(base_id=base.pk),
        "asks": limits.ATTRIBUTE_INDEX_ASKS,
        "most": limits.ATTRIBUTE_INDEXES_PER_BASE,
        "days": limits.ATTRIBUTE_INDEX_KEPT_DAYS,
        "is_distributed": items_are_distributed(),
    }
    return render(request, "base/indexes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def drop(request: HttpRequest, collection_id: str, name: str, index_id: int) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    base = find_base(collection_id, name)
    index = listing.find_index(base_id=base.pk, index_id=index_id)
    if index is None:
        raise Http404("There is no such index")
    if request.method == "POST":
        listing.drop_index(access=access_of(request, collection_id), base=base, index=index)
        return go_to(request, "base-indexes", collection_id, name, said=f"Index of “{index}” dropped.")
    title = f"Drop the index of “{index}”?"
    return show_dialog(request, "base/drop_index.html", title=title, granted=granted, base=base, index=index)
