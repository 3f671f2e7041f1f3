"""A Base or Drive as a whole: the dialogs that rename, duplicate, move, empty and delete it, and the way back.

They stand in the lists and on the page of the Base or Drive itself; `?back=list` says to which of the two one returns.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from console import access
from console.error_status import status_of
from console.page import PageRequest, go_to, show_dialog
from console.stores.forms import DestinationForm, NewNameForm, TypedNameForm
from storage import jobs, limits, names
from storage.base import changes
from storage.collections import stores, usage
from storage.collections.roles import CollectionAccess
from storage.collections.stores import LABELS, Kind
from storage.drive import duplication
from storage.errors import (
    AlreadyTaken,
    BaseNotFound,
    CollectionNotFound,
    DeletionNotFound,
    DiskFull,
    DriveNotFound,
    EngineUnreachable,
    Forbidden,
    InvalidInput,
    Unauthorized,
    UndoOver,
)
from storage.models import Base, Drive, Duplication, Role
from storage.postgres.caller import Access

_FORM_METHODS = ["GET", "HEAD", "POST"]
_DESTINATIONS_MAX = 1_000
# Most copies are made by then.
_AT_ONCE_SECONDS = 2.0
_LISTS: dict[Kind, str] = {"base": "bases", "drive": "drives"}


@contextmanager
def _found() -> Iterator[None]:
    """Somebody else may have renamed or deleted it since the page was opened, or in this very moment: raises Http404."""
    try:
        yield
    except (BaseNotFound, DriveNotFound) as error:
        raise Http404(error.messages[0]) from None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A Base or Drive, for a person who may write in its collection."""

    granted: CollectionAccess
    kind: Kind
    store: Base | Drive
    access: Access

    def show(
        self,
        request: HttpRequest,
        template: str,
        form: object,
        title: str,
        *,
        status: int | None = None,
        **context: object,
    ) -> HttpResponse:
        more = {"granted": self.granted, "kind": self.kind, "label": LABELS[self.kind], "store": self.store, **context}
        back = f"{LABELS[self.kind]}s" if _returns_to_list(request) else ""
        return show_dialog(request, template, form=form, status=status, title=title, back=back, **more)


@require_http_methods(_FORM_METHODS)
@_found()
def rename(request: PageRequest, collection_id: str, kind: str, name: str) -> HttpResponse:
    at = _open(request, collection_id, kind, name)
    form = NewNameForm(request.POST or None, initial={"name": name})
    if request.method == "POST" and form.is_valid():
        new_name = form.cleaned_data["name"]
        try:
            stores.rename_store(access=at.access, kind=at.kind, name=name, new_name=new_name)
            said = f"{LABELS[at.kind]} “{name}” is called “{new_name}” now. The API answers at the new name."
            return _return(request, at, new_name, said)
        except (InvalidInput, AlreadyTaken) as error:
            form.add_error("name", error.messages[-1])
    return at.show(request, "stores/rename.html", form, f"Rename “{name}”")


@require_http_methods(_FORM_METHODS)
@_found()
def duplicate(request: PageRequest, collection_id: str, kind: str, name: str) -> HttpResponse:
    """Items or files are copied one after another: each as it is then."""
    at = _open(request, collection_id, kind, name)
    form = NewNameForm(request.POST or None, initial={"name": f"{name}-copy"[: limits.NAME_MAX_CHARACTERS]})
    if request.method == "POST" and form.is_valid():
        new_name = form.cleaned_data["name"]
        try:
            is_over = _duplicate_base(at, new_name) if at.kind == "base" else _duplicate_drive(at, new_name)
            said = f"This is a copy of “{name}”." if is_over else f"“{name}” is being copied."
            return go_to(request, at.kind, collection_id, new_name, said=said)
        except DiskFull as error:
            form.add_error(None, f"{error.messages[0]}.")
            return at.show(request, "stores/duplicate.html", form, f"Duplicate “{name}”", status=status_of(error))
        except (InvalidInput, AlreadyTaken) as error:
            form.add_error("name", error.messages[-1])
    return at.show(request, "stores/duplicate.html", form, f"Duplicate “{name}”")


def _duplicate_base(at: "_Opened", new_name: str) -> bool:
    """Whether all items are copied already."""
    asked = changes.duplicate_base(access=at.access, base=at.store.name, new_name=new_name)
    copied = changes.work_a_while(change_id=asked.pk, seconds=_AT_ONCE_SECONDS)
    if copied.finished_at is None:
        jobs.start(jobs.continue_changes)
    return copied.finished_at is not None


def _duplicate_drive(at: "_Opened", new_name: str) -> bool:
    """Whether all files are copied already."""
    copied = duplication.ask_for_duplication(access=at.access, drive=at.store.name, new_name=new_name)
    if duplication.is_small(copied):
        # Once it is noted, the job worker tries again.
        with suppress(EngineUnreachable):
            copied = duplication.work_a_while(duplication_id=copied.pk, seconds=_AT_ONCE_SECONDS)
    if copied.finished_at is None:
        jobs.start(jobs.continue_duplications)
    return copied.state == Duplication.State.DONE and not copied.left_out


@require_http_methods(_FORM_METHODS)
@_found()
def move(request: PageRequest, collection_id: str, kind: str, name: str) -> HttpResponse:
    at = _open(request, collection_id, kind, name)
    destinations = _destinations(request, collection_id)
    form = DestinationForm(request.POST or None, choices=destinations)
    if request.method == "POST" and form.is_valid():
        to = form.cleaned_data["collection"]
        try:
            stores.move_store(access=at.access, kind=at.kind, name=name, to_collection_id=to)
            said = f"{LABELS[at.kind]} “{name}” moved here, to the collection “{dict(destinations)[to]}”."
            return go_to(request, at.kind, to, name, said=said)
        except (InvalidInput, AlreadyTaken, CollectionNotFound) as error:
            form.add_error("collection", error.messages[-1])
        except (Forbidden, Unauthorized):
            form.add_error("collection", "You can no longer write in that collection.")
    return at.show(request, "stores/move.html", form, f"Move “{name}”", destinations=destinations)


@require_http_methods(_FORM_METHODS)
@_found()
def empty(request: PageRequest, collection_id: str, kind: str, name: str) -> HttpResponse:
    at = _open(request, collection_id, kind, name)
    if request.method == "POST":
        stores.empty_store(access=at.access, kind=at.kind, name=name)
        return _after_removal(request, at, f"{LABELS[at.kind]} “{name}” is empty.")
    return at.show(request, "stores/empty.html", None, f"Empty “{name}”?", undo_minutes=limits.UNDO_SECONDS // 60)


@require_http_methods(_FORM_METHODS)
@_found()
def delete(request: PageRequest, collection_id: str, kind: str, name: str) -> HttpResponse:
    at = _open(request, collection_id, kind, name)
    form = TypedNameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data["typed_name"]
        try:
            stores.delete_store(access=at.access, kind=at.kind, name=name, typed_name=typed)
            return _after_removal(request, at, f"{LABELS[at.kind]} “{name}” deleted.")
        except InvalidInput as error:
            form.add_error("typed_name", error.messages[0])
    minutes = limits.UNDO_SECONDS // 60
    return at.show(request, "stores/delete.html", form, f"Delete “{name}”?", undo_minutes=minutes)


@require_POST
def undo(request: PageRequest, collection_id: str, store_deletion_id: int) -> HttpResponse:
    """Back to the list that offers it."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    try:
        found = stores.bring_back(
            access=Access(collection_id, person_id=request.user.pk), deletion_id=store_deletion_id
        )
    except (DeletionNotFound, UndoOver) as error:
        raise Http404(error.messages[0]) from None
    jobs.start(jobs.continue_deletions)
    kind = cast(Kind, found.kind)
    return go_to(request, _LISTS[kind], collection_id, said=f"{LABELS[kind]} “{found.name}” is back.")


def _open(request: HttpRequest, collection_id: str, kind: str, name: str) -> _Opened:
    """Raises Http404 and PermissionDenied as the gate does, and Http404 when there is none."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    if kind not in LABELS:
        raise Http404("Neither a Base nor a Drive")
    try:
        store = stores.find_store(collection_id=collection_id, kind=kind, name=names.check_name(name))
    except (BaseNotFound, DriveNotFound, InvalidInput) as error:
        raise Http404(error.messages[0]) from None
    return _Opened(granted, kind, store, Access(collection_id, person_id=request.user.pk))


def _destinations(request: PageRequest, collection_id: str) -> list[tuple[str, str]]:
    """The other collections in which the person may write, by name."""
    held = usage.list_holdings(person=request.user, limit=_DESTINATIONS_MAX).collections
    return [(each.id, each.name) for each in held if each.id != collection_id and each.role.reaches(Role.MEMBER)]


def _returns_to_list(request: HttpRequest) -> bool:
    return request.GET.get("back") == "list"


def _return(request: PageRequest, at: _Opened, name: str, said: str) -> HttpResponse:
    """To where the dialog was opened."""
    collection_id = at.granted.collection.id
    if _returns_to_list(request):
        return go_to(request, _LISTS[at.kind], collection_id, said=said)
    return go_to(request, at.kind, collection_id, name, said=said)


def _after_removal(request: PageRequest, at: _Opened, said: str) -> HttpResponse:
    """To the list, which offers to undo it. What cannot come back goes at once."""
    jobs.start(jobs.continue_deletions)
    jobs.make_room_if_short()
    return go_to(request, _LISTS[at.kind], at.granted.collection.id, said=said)
