"""A Drive as a page: a folder's entries, a page of them at a time, and one file's preview beside or above it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.drive import duplications
from console.drive import files as drive_files
from console.drive.context import DriveContext, open_drive
from console.drive.kinds import kind_label, kind_of
from console.page import PageRequest
from storage import limits
from storage.drive import drives, folders
from storage.drive.folders import Entry, Listing
from storage.errors import InvalidInput, StorageError
from storage.scrubbing import problems as scrubbing

# What previews need: they are files of this server, and a PDF is shown in a frame by the browser's own viewer.
_shows_files: Callable[..., Any] = csp_update({"media-src": ["'self'"], "frame-src": ["'self'"]})
_COLUMNS = (
    ("name", "Name", "name"),
    ("size", "Size", "size"),
    ("type", "Type", "type"),
    ("modified", "Modified", "changed"),
)
_DRIVES_IN_MENU = 1_000
# What one wants to see first of these: the largest, the latest.
_DOWN_FIRST = ("size", "modified")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list as the template shows it."""

    name: str
    label: str
    kind: str
    kind_label: str
    is_previewable: bool
    is_picture: bool
    size_bytes: int | None
    content_type: str
    changed_at: datetime | None


@require_safe
@_shows_files
def drive(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """`?folder=`, `?sort=`, `?q=` (search below the folder), `?last=` (the next page), `?file=` (its preview)."""
    at = open_drive(request, collection_id, drive)
    context = _context(request, at)
    context["drive_names"] = drives.list_drive_names(collection_id=collection_id, limit=_DRIVES_IN_MENU)
    context |= duplications.tell(at)
    context["damages"] = scrubbing.list_damages_of_drive(collection_id=collection_id, drive=at.name)
    file = request.GET.get("file", "")
    if file:
        try:
            context |= {"file": file, "preview": drive_files.find_preview(at, file)}
        except StorageError as error:
            # The folder can be seen all the same when the bytes cannot be had.
            context["note"] = f"“{folders.label_of(file)}” cannot be shown: {error.messages[0]}."
    return render(request, "drive/page.html", context)


@require_safe
def rows(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """The entries alone, for the page that scrolls."""
    at = open_drive(request, collection_id, drive)
    return render(request, "drive/_rows.html", _context(request, at))


def _context(request: HttpRequest, at: DriveContext) -> dict[str, object]:
    folder, text = request.GET.get("folder", ""), request.GET.get("q", "").strip()
    last, wanted = request.GET.get("last", ""), folders.read_sort(request.GET.get("sort", ""))
    try:
        if text:
            found = folders.search(drive_id=at.id, folder=folder, text=text, last=last)
        else:
            found = folders.list_folder(drive_id=at.id, folder=folder, sort=wanted, last=last)
    except InvalidInput as error:
        raise Http404(error.messages[-1]) from None
    return {
        "granted": at.granted,
        "tab": "drives",
        "drive": at.name,
        "folder": folder,
        "crumbs": _crumbs(at.name, folder),
        "columns": _columns(found),
        "entries": [_row(entry) for entry in found.entries],
        "sort": _sort_text(found),
        "q": text,
        "last": found.last,
        "note": _note(found, wanted_key=wanted.key, is_search=bool(text)),
        "file": "",
    }


def _crumbs(drive: str, folder: str) -> list[dict[str, str]]:
    """The Drive, then each folder on the way down; one whose name is empty has an empty label."""
    crumbs = [{"label": drive, "folder": ""}]
    for position, character in enumerate(folder):
        if character == "/":
            path = folder[: position + 1]
            crumbs.append({"label": folders.label_of(path)[:-1], "folder": path})
    return crumbs


def _columns(found: Listing) -> list[dict[str, str]]:
    columns = []
    for key, label, css_class in _COLUMNS:
        is_sorted = found.sort.key == key
        descends = not found.sort.descending if is_sorted else key in _DOWN_FIRST
        columns.append(
            {
                "label": label,
                "class": css_class,
                "sort": "" if (key, descends) == ("name", False) else f"{'-' if descends else ''}{key}",
                "direction": ("descending" if found.sort.descending else "ascending") if is_sorted else "",
            }
        )
    return columns


def _sort_text(found: Listing) -> str:
    """The sort as in the address; empty for by name."""
    text = f"{'-' if found.sort.descending else ''}{found.sort.key}"
    return "" if text == "name" else text


def _note(found: Listing, *, wanted_key: str, is_search: bool) -> str:
    if not is_search and found.sort.key != wanted_key:
        return (
            f"This folder has more than {limits.SORTED_FILES_MAX:,} files, so it is sorted by name. "
            f"Sorting it by {wanted_key} would take too long."
        )
    return ""


def _row(entry: Entry) -> Row:
    is_folder = entry.kind == "folder"
    kind = "" if is_folder else kind_of(entry.name, entry.content_type)
    return Row(
        name=entry.name,
        label=folders.label_of(entry.name).removesuffix("/") if is_folder else folders.label_of(entry.name),
        kind=entry.kind,
        kind_label="Folder" if is_folder else kind_label(entry.name, entry.content_type),
        is_previewable=kind not in ("", "other"),
        is_picture=kind == "image",
        size_bytes=entry.size_bytes,
        content_type=entry.content_type,
        changed_at=entry.changed_at,
    )
