"""Imports for the command: a file is sent here in parts, read and checked here, and stored as the command says.

An import is the one of the console's page (`storage/archive/importing/imports.py`): whoever looks there sees it.
"""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase

from console import access
from console.cli_api.gate import TokenRequest
from console.json_views import json_response, read_asked, read_text
from console.streams import FileBody
from storage import jobs, limits, names
from storage.archive.importing import imports, plans
from storage.archive.importing.plans import WAYS, Choice, Reading
from storage.archive.reading.columns import TYPES, Type
from storage.errors import InvalidInput
from storage.models import Import, Role
from storage.numbers import BEYOND, read_number
from storage.postgres.caller import Access
from storage.postgres.database import release_connection

_PROBLEMS_TOLD = 100


def start(request: TokenRequest, collection_id: str, name: str) -> HttpResponseBase:
    """`{"file_name", "size", "key", "types"}`: an import into this Base. Answers as `show`."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    asked = read_asked(request)
    size_bytes = asked.get("size")
    if type(size_bytes) is not int:
        raise InvalidInput("`size` is not a whole number")
    reading = Reading(_read_name(asked.get("key", "key")), _read_types(asked.get("types", {})))
    import_ = imports.start_import(
        collection_id=collection_id,
        file_name=read_text(asked.get("file_name"), "file_name"),
        size_bytes=size_bytes,
        asked_by=request.user,
        plan=imports.plan_to_check(into=names.check_name(name), readings={"*": reading}),
    )
    return json_response(_describe(import_), status=201)


def add_part(request: TokenRequest, collection_id: str, name: str, import_id: UUID) -> HttpResponseBase:
    """The body as the bytes from `?start=` on. The last ones request the check."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    at = read_number(request.GET.get("start", ""))
    if at is None or at >= BEYOND:
        raise InvalidInput("`start` is not a number of bytes")
    content = FileBody(request.META)
    content.check_size()
    release_connection()
    who = Access(collection_id, person_id=request.user.pk)
    import_ = imports.append_part(access=who, import_id=import_id, start=at, content=content)
    if import_.state == Import.State.CHECKING:
        jobs.start(jobs.continue_archives)
    return json_response(_describe(import_))


def show(request: TokenRequest, collection_id: str, name: str, import_id: UUID) -> HttpResponseBase:
    """`{"id", "part_size", "state", "received", "size", "bytes_done", "bytes_expected", "reason", "found", "report", ...}`.

    `found` is what the check found, a Base each; `report` what was stored of it.
    """
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    return json_response(_describe(imports.find_import(collection_id=collection_id, import_id=import_id)))


def run(request: TokenRequest, collection_id: str, name: str, import_id: UUID) -> HttpResponseBase:
    """`{"way"}`: store what was checked; "update", "merge", "add" or "replace", null for what is usual."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    way = read_asked(request).get("way")
    if way is not None and way not in WAYS[:4]:
        raise InvalidInput(f"`way` is one of {', '.join(WAYS[:4])}")
    import_ = imports.find_import(collection_id=collection_id, import_id=import_id)
    plan = plans.read_plan(import_.plan) if "portions" in import_.plan else None
    choices = [
        Choice(way) if way and portion.kind == "base" else _usual(portion)
        for portion in (plan.portions if plan else [])
    ]
    imports.request_run(collection_id=collection_id, import_id=import_id, choices=choices)
    jobs.start(jobs.continue_archives)
    return json_response(_describe(imports.find_import(collection_id=collection_id, import_id=import_id)))


def delete(request: TokenRequest, collection_id: str, name: str, import_id: UUID) -> HttpResponseBase:
    """Forget a file that was only to be looked at, or is not to be imported after all."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    imports.delete_import(collection_id=collection_id, import_id=import_id)
    jobs.make_room_if_short()
    return json_response({"deleted": str(import_id)})


def _usual(portion: plans.Portion) -> Choice:
    """Somebody looks at the report alone: what breaks off is stored up to there."""
    return Choice("update" if portion.is_table else "merge") if portion.is_legal else plans.suggest_choice(portion)


def _describe(import_: Import) -> dict[str, Any]:
    plan = plans.read_plan(import_.plan) if "portions" in import_.plan else None
    return {
        "id": str(import_.id),
        "part_size": limits.ARCHIVE_PART_BYTES,
        "state": import_.state,
        "received": import_.size_bytes,
        "size": import_.size_expected,
        "bytes_done": import_.bytes_done,
        "bytes_expected": import_.bytes_expected,
        "reason": import_.reason,
        "found": [_describe_portion(portion) for portion in plan.portions] if plan else [],
        "report": [
            {
                "name": each.name,
                "into": each.into,
                "stored": each.stored,
                "new": each.new,
                "replaced": each.replaced,
                "unchanged": each.unchanged,
                "left_out": each.skipped,
                "broken": each.broken,
            }
            for each in plans.read_report(import_.report)
        ],
        "problems_total": import_.problems_total,
        "problems": [
            {"place": each.place, "spot": each.spot, "key": each.key, "what": each.what}
            for each in imports.list_problems(import_)[:_PROBLEMS_TOLD]
        ],
    }


def _describe_portion(portion: plans.Portion) -> dict[str, Any]:
    return {
        "kind": portion.kind,
        "name": portion.name,
        "told": portion.told,
        "is_table": portion.is_table,
        "items": portion.count,
        "left_out": portion.faults,
        "known": portion.known,
        "new": portion.new,
        "keyless": portion.keyless,
        "broken": portion.broken,
        "columns": [
            {"name": column.name, "type": column.type, "samples": column.samples} for column in portion.columns
        ],
    }


def _read_types(given: object) -> dict[str, Type]:
    """Raises InvalidInput."""
    if not isinstance(given, dict) or not all(kind in TYPES for kind in given.values()):
        raise InvalidInput(f"`types` is not an object of column names and types, which are {', '.join(TYPES)}")
    return {_read_name(name): kind for name, kind in given.items()}


def _read_name(given: object) -> str:
    """The name of a column. Raises InvalidInput."""
    name = read_text(given, "key")
    if not names.is_text(name):
        raise InvalidInput("The name of a column holds what no attribute's name can")
    return name
