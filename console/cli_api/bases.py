"""Bases for the command, beyond the public API: which there are, and the query bar's language, with revisions to edit by.

Edits are saved by the table's own `console/base/saves.py`.
"""

from typing import Any

from django.http.response import HttpResponseBase

from console import access
from console.base.query_text import Understood, understand
from console.cli_api.gate import TokenRequest
from console.json_views import json_response, json_text_response, read_object, read_text
from storage import jobs, limits, names
from storage.base import bases, items, overviews
from storage.base.query import Predicate
from storage.collections import usage
from storage.errors import InvalidInput
from storage.exact_json import dump
from storage.postgres.caller import Access

_EXPORTS = ("json", "jsonl", "csv")


def list_all(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    """`{"bases": [{"name", "items", "size_bytes"}, ...]}`, as last counted; null for what is not counted yet."""
    access.by_person(request, collection_id)
    if usage.is_count_due():
        jobs.start(jobs.count_everything)
    told = [
        {
            "name": base.name,
            "items": base.figures.items if hasattr(base, "figures") else None,
            "size_bytes": base.figures.size_bytes if hasattr(base, "figures") else None,
        }
        for base in usage.list_bases(collection_id)
    ]
    return json_response({"bases": told})


def query(request: TokenRequest, collection_id: str, name: str) -> HttpResponseBase:
    """`{"q", "limit", "last", "sort"}`, where `q` is what the query bar takes: words, or a query in any notation.

    `{"items", "revisions", "paging"}` as the public API has it, the revisions as texts. Raises BaseNotFound.
    """
    access.by_person(request, collection_id)
    asked = read_object(request)
    predicate = _predicate(asked)
    bases.find_base(collection_id=collection_id, name=names.check_name(name))
    page = items.query_items(
        access=Access(collection_id, person_id=request.user.pk),
        base=name,
        predicate=predicate,
        limit=_limit(asked.get("limit")),
        last=names.check_key(asked["last"]) if asked.get("last") else None,
        descending=asked.get("sort") == "desc",
    )
    paging = {"size": len(page.items)} | ({} if page.last is None else {"last": page.last})
    told = f'{{"paging":{dump(paging).decode()},"revisions":{dump(list(map(str, page.revisions))).decode()}'
    return json_text_response(f'{told},"items":[{",".join(page.items)}]}}'.encode())


def begin_export(request: TokenRequest, collection_id: str, name: str) -> HttpResponseBase:
    """`{"q", "format"}`: note in the audit log that somebody takes out what `q` finds. How many items match, if that is known."""
    access.by_person(request, collection_id)
    asked = read_object(request)
    predicate = _predicate(asked)
    kind = asked.get("format")
    if kind not in _EXPORTS:
        raise InvalidInput("Bad format", f"An export is one of {', '.join(_EXPORTS)}")
    base = bases.find_base(collection_id=collection_id, name=names.check_name(name))
    text = read_text(asked.get("q"), "q")
    bases.note_export(collection_id=collection_id, name=base.name, query=text, kind=str(kind))
    who = Access(collection_id, person_id=request.user.pk)
    counted = overviews.count_items(access=who, base=name, predicate=predicate)
    return json_response({"matches": counted.matched if counted.is_whole and counted.is_exact else None})


def _predicate(asked: dict[str, Any]) -> Predicate:
    """Raises InvalidInput, with the place of what is wrong."""
    understood = understand(read_text(asked.get("q"), "q"))
    if understood.predicate is None:
        raise InvalidInput("Bad query", _mistake(understood))
    return understood.predicate


def _mistake(understood: Understood) -> str:
    mistake = understood.mistake
    if mistake is None:
        return "The query cannot be read"
    at = mistake.at
    return mistake.message if at is None else f"{mistake.message} (line {at.line}, column {at.column})"


def _limit(limit: object) -> int:
    if limit is None:
        return limits.QUERY_LIMIT_MAX
    if type(limit) is not int or limit < 1:
        raise InvalidInput("Bad limit", "`limit` is not a whole number from 1 on")
    return min(limit, limits.QUERY_LIMIT_MAX)
