"""The pages of imports: upload and check an archive, choose what to import, watch the progress, read the report."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import access
from console.archives.forms import NewImportForm, is_as_checked, read_choices, read_readings
from console.json_views import answers_json, json_response
from console.page import UNPROCESSABLE, PageRequest, go_to, show_dialog
from console.streams import FileBody
from storage import jobs, limits
from storage.archive.importing import imports, plans
from storage.archive.importing.plans import Choice
from storage.collections import usage
from storage.collections.roles import CollectionAccess
from storage.errors import ArchiveNotFound, InvalidInput
from storage.micros import micros
from storage.models import Import, Role
from storage.numbers import BEYOND, read_number
from storage.postgres.caller import Access
from storage.postgres.database import release_connection

_State = Import.State
_COLUMNS_SHOWN = 200
_TYPES = (("text", "text"), ("number", "number"), ("boolean", "true or false"), ("json", "JSON"))


@require_safe
def index(request: PageRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    found = imports.list_imports(collection_id)
    is_moving = any(each.state in (_State.CHECKING, _State.RUNNING) for each in found)
    context = {"granted": granted, "tab": "exports", "part": "imports", "imports": found, "is_moving": is_moving}
    return render(request, "archives/imports.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@answers_json
def new(request: PageRequest, collection_id: str) -> HttpResponse:
    """The page that sends a file; its script begins with a POST of the file's name and size."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    if request.method != "POST":
        context = {"granted": granted, "tab": "exports", "part": "imports", "part_bytes": limits.ARCHIVE_PART_BYTES}
        return render(request, "archives/new_import.html", context)
    form = NewImportForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("The file is empty or too large to import")
    chosen = form.cleaned_data
    started = imports.start_import(
        collection_id=collection_id, file_name=chosen["name"], size_bytes=chosen["size"], asked_by=request.user
    )
    return json_response(_addresses(started))


@require_POST
@answers_json
def add_part(request: PageRequest, collection_id: str, import_id: UUID) -> HttpResponse:
    """The next bytes of the archive, from `?start=` on. The answer says how many have arrived, also when it is a 409."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    start = read_number(request.GET.get("start", ""))
    if start is None or start >= BEYOND:
        raise InvalidInput("`start` is not a number of bytes")
    content = FileBody(request.META)
    content.check_size()
    release_connection()
    import_ = imports.append_part(
        access=Access(collection_id, person_id=request.user.pk), import_id=import_id, start=start, content=content
    )
    if import_.state == _State.CHECKING:
        jobs.start(jobs.continue_archives)
    return json_response({"received": import_.size_bytes})


@require_safe
def show(request: PageRequest, collection_id: str, import_id: UUID) -> HttpResponse:
    """One import, in any state; the page polls while work is running."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    return _page(request, granted, _import(collection_id, import_id))


@require_POST
def check(request: PageRequest, collection_id: str, import_id: UUID) -> HttpResponse:
    """Check it again, its columns read as the form says."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    return _check_again(request, _import(collection_id, import_id))


def _check_again(request: PageRequest, import_: Import) -> HttpResponse:
    plan = plans.read_plan(import_.plan) if "portions" in import_.plan else None
    readings = read_readings(plan, request.POST) if plan else {}
    try:
        imports.request_check(collection_id=import_.collection_id, import_id=import_.id, readings=readings)
    except ArchiveNotFound as error:
        raise Http404(error.messages[0]) from None
    jobs.start(jobs.continue_archives)
    return redirect("import", import_.collection_id, import_.id)


@require_POST
def run(request: PageRequest, collection_id: str, import_id: UUID) -> HttpResponse:
    """Import as chosen. Where the form reads the columns in another way than they were checked, they are checked first."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    import_ = _import(collection_id, import_id)
    plan = plans.read_plan(import_.plan) if "portions" in import_.plan else None
    choices = read_choices(plan, request.POST) if plan else []
    if plan and any(not is_as_checked(plan, name, each) for name, each in read_readings(plan, request.POST).items()):
        return _check_again(request, import_)
    try:
        imports.request_run(collection_id=collection_id, import_id=import_id, choices=choices)
    except ArchiveNotFound as error:
        raise Http404(error.messages[0]) from None
    except InvalidInput as error:
        return _page(request, granted, import_, choices=choices, error=error.messages[0])
    jobs.start(jobs.continue_archives)
    return redirect("import", collection_id, import_id)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: PageRequest, collection_id: str, import_id: UUID) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    import_ = _import(collection_id, import_id)
    if request.method == "POST":
        imports.delete_import(collection_id=collection_id, import_id=import_id)
        jobs.make_room_if_short()
        return go_to(request, "imports", collection_id, said="Import deleted.")
    is_moving = import_.state in (_State.CHECKING, _State.RUNNING)
    title = "Stop and delete this import?" if is_moving else "Delete this import?"
    return show_dialog(request, "archives/delete_import.html", granted=granted, found=import_, title=title)


def _import(collection_id: str, import_id: UUID) -> Import:
    try:
        return imports.find_import(collection_id=collection_id, import_id=import_id)
    except ArchiveNotFound as error:
        raise Http404(error.messages[0]) from None


def _page(
    request: PageRequest,
    granted: CollectionAccess,
    import_: Import,
    *,
    choices: list[Choice] | None = None,
    error: str = "",
) -> HttpResponse:
    plan = plans.read_plan(import_.plan) if "portions" in import_.plan else None
    rows = _rows(granted.collection.id, plan, choices) if plan else []
    context = {
        "granted": granted,
        "tab": "exports",
        "part": "imports",
        "found": import_,
        "plan": plan,
        "rows": rows,
        "has_readings": any(row["keys"] or row["portion"].is_table for row in rows),
        "report": plans.read_report(import_.report),
        "problems": imports.list_problems(import_),
        "is_moving": import_.state in (_State.CHECKING, _State.RUNNING),
        "error": error,
        "part_bytes": limits.ARCHIVE_PART_BYTES,
        "addresses": _addresses(import_),
    }
    return render(request, "archives/import.html", context, status=UNPROCESSABLE if error else 200)


def _rows(collection_id: str, plan: plans.Plan, choices: list[Choice] | None) -> list[dict[str, Any]]:
    """Each portion of the plan with what is chosen for it, and whether there is one of that kind and name already."""
    known = {("base", each.name) for each in usage.list_bases(collection_id)}
    known |= {("drive", each.name) for each in usage.list_drives(collection_id)}
    known |= {("micro", each.name) for each in micros.list_micros(collection_id)}
    exists = [(portion.kind, portion.name) in known for portion in plan.portions]
    chosen = choices or [
        plans.suggest_choice(portion, exists=each) for portion, each in zip(plan.portions, exists, strict=True)
    ]
    return [
        {
            "portion": portion,
            "choice": choice,
            "exists": there,
            "ways": _ways(portion, exists=there),
            "columns": portion.columns[:_COLUMNS_SHOWN],
            "columns_left_out": max(len(portion.columns) - _COLUMNS_SHOWN, 0),
            "types": _TYPES,
            "keys": _keys(portion) if plan.made_by != "Homeport" else [],
            "index": index,
            "new_name": choice.name or plans.suggest_name(f"{portion.name}-2"),
        }
        for index, (portion, choice, there) in enumerate(zip(plan.portions, chosen, exists, strict=True))
    ]


def _ways(portion: plans.Portion, *, exists: bool) -> list[tuple[str, str]]:
    """What can be done with a portion, each with what comes of it."""
    other = [("rename", "Import under another name"), ("skip", "Skip")]
    if not portion.is_legal:
        return other
    if portion.kind == "micro":
        return [*([] if exists else [("merge", "Create and deploy")]), *other]
    if not exists:
        return [("update" if portion.is_table else "merge", f"Import: {_count(portion.good, portion.kind)}"), *other]
    if portion.kind == "drive":
        return [("merge", "Merge with existing data"), ("replace", "Replace existing data"), *other]
    new, known = f"{portion.new:,} new", f"{portion.known:,}"
    ways = [
        ("update", f"Update attributes in the file: {known} updated, {new}"),
        ("merge", f"Replace whole items: {known} replaced, {new}"),
        ("add", f"Add new items only: {new}, {known} left as they are"),
        ("replace", f"Replace all data of the Base: {known} replaced, {new}, others deleted"),
    ]
    return [*(ways if portion.is_table else [ways[1], ways[0], *ways[2:]]), *other]


def _keys(portion: plans.Portion) -> list[tuple[str, str]]:
    """Each attribute of JSON that can be the key, with what says which one it is. None where there is nothing to choose."""
    found = {each.name: each for each in portion.candidates}
    if not found.keys() - {"key"}:
        return []
    told = {
        name: f"{name} · {_count(each.items, 'base')} · {', '.join(each.samples)}"
        if each
        else f"{name} · made for each"
        for name, each in ({"key": None} | found).items()
    }
    return list(told.items())


def _count(count: int, kind: str) -> str:
    noun = "item" if kind == "base" else "file"
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _addresses(import_: Import) -> dict[str, Any]:
    ids = [import_.collection_id, import_.id]
    return {
        "parts": reverse("import-part", args=ids),
        "page": reverse("import", args=ids),
        "received": import_.size_bytes,
    }
