"""The query bar above the table: reads its text, counts the matches, lists the operators."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import access
from console.base import query_text
from console.base.explanations import describe_way, explain_clause, write_examples
from console.base.query_snippets import write_snippets
from console.base.query_text import Mistake, Understood
from console.base.row_pages import access_of, find_base
from console.connect.addresses import addresses_for
from console.json_views import answers_json, json_response
from storage.base import items, overviews
from storage.base.query import Predicate
from storage.exact_json import parse

_SAMPLE_ITEMS = 50


@require_safe
@answers_json
def understand(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """`?q=` as strict JSON, what is wrong with it and where, and client code that runs it."""
    access.by_person(request, collection_id)
    find_base(collection_id, name)
    understood = query_text.understand(request.GET.get("q", ""))
    return json_response(
        {
            "kind": understood.kind,
            "query": understood.query,
            "changed": understood.changed,
            "error": _describe(understood.mistake),
            "code": _snippets(request, understood, f"/v1/{collection_id}/{name}", name),
        }
    )


@require_safe
@answers_json
def count(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """How many items there are and match `?q=`, which index answers it, and if none match, why."""
    access.by_person(request, collection_id)
    find_base(collection_id, name)
    predicate = query_text.understand(request.GET.get("q", "")).checked()
    caller = access_of(request, collection_id)
    found = overviews.count_items(access=caller, base=name, predicate=predicate)
    way = overviews.find_way(access=caller, base=name, predicate=predicate)
    why = _why_none(request, collection_id, name, predicate) if found.total and not found.matched else []
    return json_response(
        {
            "total": found.total,
            "exact": found.is_exact,
            "held": found.last_counted,
            "matched": found.matched,
            "scanned": found.looked_at,
            "whole": found.is_whole,
            "index": describe_way(way),
            "wants_index": bool(way.wanted),
            "clauses": [{"text": text} for text in why],
        }
    )


@require_safe
def operators(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """Every operator, with an example made of this Base's own attributes."""
    access.by_person(request, collection_id)
    find_base(collection_id, name)
    examples = write_examples(_samples(request, collection_id, name))
    return render(request, "base/_operators.html", {"examples": examples})


def _why_none(request: HttpRequest, collection_id: str, name: str, predicate: Predicate) -> list[str]:
    """Why nothing matches, condition by condition."""
    if predicate.words is not None:
        return [f"no key or value contains “{predicate.words}” as whole words"]
    known = list(dict.fromkeys(attribute for item in _samples(request, collection_id, name) for attribute in item))
    counted = overviews.explain_query(access=access_of(request, collection_id), base=name, predicate=predicate)
    return [explain_clause(clause, known=known) for clause in counted]


def _samples(request: HttpRequest, collection_id: str, name: str) -> list[dict[str, object]]:
    page = items.query_items(
        access=access_of(request, collection_id), base=name, predicate=Predicate(), limit=_SAMPLE_ITEMS
    )
    return [parse(text.encode()) for text in page.items]


def _snippets(request: HttpRequest, understood: Understood, path: str, name: str) -> dict[str, str] | None:
    """Client code; None for a search, which the public API does not have, and for a query with a mistake."""
    if understood.kind == "search" or understood.mistake is not None:
        return None
    value = parse((understood.query or "{}").encode())
    return write_snippets(value, base=name, address=addresses_for(request).origin + path)


def _describe(mistake: Mistake | None) -> dict[str, object] | None:
    if mistake is None:
        return None
    return {"message": mistake.message, "at": mistake.at._asdict() if mistake.at else None}
