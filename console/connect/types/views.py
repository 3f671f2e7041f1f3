"""The types of a Base, to copy and to download: in one language at a time."""

from collections.abc import Callable
from typing import NamedTuple

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import access
from console.connect.types import json_schema, pydantic_models, rows, typescript
from console.connect.types.type_names import TypeNames
from console.downloads import describe_disposition
from storage import limits, names
from storage.base import bases
from storage.errors import BaseNotFound, InvalidInput
from storage.item_types.learning import Learned, learn_types
from storage.item_types.shapes import Shape
from storage.models import Base
from storage.postgres.caller import Access


class Language(NamedTuple):
    """What it is called, who writes it, and its files. `write` is given the Base's name, the shape and what that is of."""

    label: str
    write: Callable[[str, Shape, str], str]
    file_name: str
    content_type: str


LANGUAGES = {
    "typescript": Language("TypeScript", typescript.write, "{}.ts", "text/plain"),
    "pydantic": Language("pydantic", pydantic_models.write, "{}.py", "text/x-python"),
    "json-schema": Language("JSON Schema", json_schema.write, "{}.schema.json", "application/schema+json"),
}
_BASES_MAX = 1_000


@require_safe
def types(request: HttpRequest, collection_id: str) -> HttpResponse:
    """`?base=`, else the first one, `?as=` a language."""
    granted = access.by_person(request, collection_id)
    base_names = bases.list_base_names(collection_id=collection_id, limit=_BASES_MAX)
    base = _find_base(collection_id, request.GET.get("base") or base_names[0]) if base_names else None
    context = {
        "granted": granted,
        "tab": "connect",
        "base_names": base_names,
        "base": base,
        "languages": LANGUAGES,
        "language": _language(request),
    }
    if base is not None:
        learned = learn_types(access=Access(collection_id, person_id=request.user.pk), base=base.name)
        context |= {
            "learned": learned,
            "learned_from": describe(learned),
            "code": _write(request, base, learned),
            "rows": rows.list_rows(learned.learner.items),
            "most_rows": rows.ROWS_MAX,
        }
    return render(request, "connect/types.html", context)


@require_safe
def file(request: HttpRequest, collection_id: str) -> HttpResponse:
    """The code alone, as a file."""
    access.by_person(request, collection_id)
    base = _find_base(collection_id, request.GET.get("base", ""))
    learned = learn_types(access=Access(collection_id, person_id=request.user.pk), base=base.name)
    language = LANGUAGES[_language(request)]
    response = HttpResponse(_write(request, base, learned), content_type=f"{language.content_type}; charset=utf-8")
    name = language.file_name.format(TypeNames(base.name).module)
    response["Content-Disposition"] = describe_disposition(name, stores=True)
    return response


def _find_base(collection_id: str, name: str) -> Base:
    """Raises Http404."""
    try:
        return bases.find_base(collection_id=collection_id, name=names.check_name(name))
    except (BaseNotFound, InvalidInput) as error:
        raise Http404(error.messages[0]) from None


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("as", "")
    return asked if asked in LANGUAGES else next(iter(LANGUAGES))


def _write(request: HttpRequest, base: Base, learned: Learned) -> str:
    about = f"An item of the Base {base.name}, learned from {describe(learned)}."
    return LANGUAGES[_language(request)].write(base.name, learned.learner.items, about)


def describe(learned: Learned) -> str:
    """How many items it was learned from, in words: `all 12 items`, `10,000 of about 1,000,000 items`."""
    if learned.is_all:
        return "its only item" if learned.total == 1 else f"all {intcomma(learned.total)} items"
    about = "" if learned.is_exact else "more than " if learned.total <= limits.COUNT_EXACT_MAX else "about "
    return f"{intcomma(learned.looked_at)} of {about}{intcomma(learned.total)} items"
