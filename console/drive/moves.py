"""Creating folders, renaming, moving, deleting and undoing, for the scripts of the Drive pages."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.drive.context import open_drive
from console.drive.if_exists import read_if_exists
from console.json_views import answers_json, json_response, read_asked, read_list, read_text
from console.page import PageRequest
from storage import jobs
from storage.drive import deletion as file_deletion
from storage.drive import folder_sizes, moves
from storage.drive import folders as storage_folders
from storage.drive.deletion import Progress
from storage.drive.moves import Chosen
from storage.models import Role


@require_POST
@answers_json
def clashes(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """Which of many names are taken, so that a person is asked once for all of them."""
    at = open_drive(request, collection_id, drive)
    asked = read_list(read_asked(request).get("names"), "names")
    return json_response({"taken": moves.find_taken(drive_id=at.id, names_given=asked)})


@require_POST
@answers_json
def counts(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """The number and size of chosen files. Counted only on request, as it reads every file."""
    at = open_drive(request, collection_id, drive)
    chosen = _read_chosen(read_asked(request))
    held = moves.count_chosen(drive_id=at.id, chosen=chosen)
    return json_response({"files": held.files, "folders": len(chosen.folders), "size_bytes": held.size_bytes})


@require_POST
@answers_json
def sizes(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """What is in `folders`, each with its number of files and bytes; `all` is false where there is more."""
    at = open_drive(request, collection_id, drive)
    asked = read_list(read_asked(request).get("folders"), "folders")
    measured = folder_sizes.measure_folders(drive_id=at.id, paths=asked)
    return json_response(
        {
            "sizes": {
                path: {"files": size.files, "size_bytes": size.size_bytes, "all": size.is_all}
                for path, size in measured.items()
            }
        }
    )


@require_http_methods(["GET", "HEAD", "POST"])
@answers_json
def folders(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """GET: the folders right in `?folder=`, as places to move something to. POST: a new one."""
    if request.method == "POST":
        at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
        name = read_text(read_asked(request).get("name"), "name")
        storage_folders.make_folder(access=at.access, drive_id=at.id, path=name)
        return json_response({"name": name}, status=201)
    at = open_drive(request, collection_id, drive)
    found, more = storage_folders.list_folders(drive_id=at.id, folder=request.GET.get("folder", ""))
    return json_response({"folders": found, "more": more})


@require_POST
@answers_json
def rename(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    asked = read_asked(request)
    new = read_text(asked.get("to"), "to")
    files = moves.rename(
        access=at.access,
        drive_id=at.id,
        old=read_text(asked.get("from"), "from"),
        new=new,
        if_exists=read_if_exists(asked.get("if_exists")),
    )
    return json_response({"name": new, "files": files})


@require_POST
@answers_json
def move(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    asked = read_asked(request)
    files = moves.move(
        access=at.access,
        drive_id=at.id,
        chosen=_read_chosen(asked),
        to=read_text(asked.get("to"), "to"),
        if_exists=read_if_exists(asked.get("if_exists")),
    )
    return json_response({"files": files})


@require_POST
@answers_json
def delete(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """200 when everything is deleted, 202 when the rest is deleted in the background."""
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    chosen = _read_chosen(read_asked(request))
    return _answer(file_deletion.delete(access=at.access, drive_id=at.id, chosen=chosen))


@require_GET
@answers_json
def deletion(request: PageRequest, collection_id: str, drive: str, deletion_id: int) -> HttpResponse:
    at = open_drive(request, collection_id, drive)
    return json_response(_describe(file_deletion.find_deletion(drive_id=at.id, deletion_id=deletion_id)))


@require_POST
@answers_json
def undo(request: PageRequest, collection_id: str, drive: str, deletion_id: int) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    return _answer(file_deletion.undo(access=at.access, drive_id=at.id, deletion_id=deletion_id))


def _answer(progress: Progress) -> HttpResponse:
    if not progress.has_ended:
        jobs.start(jobs.continue_file_deletions)
    jobs.make_room_if_short()
    return json_response(_describe(progress), status=200 if progress.has_ended else 202)


def _describe(progress: Progress) -> dict[str, object]:
    """`restored` and `kept_both` say what undoing did: how many came back, and those under another name."""
    return {
        "id": progress.id,
        "files": progress.files,
        "size_bytes": progress.size_bytes,
        "done": progress.done,
        "ended": progress.has_ended,
        "undone": progress.is_undone,
        "undo_seconds": progress.undo_seconds,
        "restored": progress.done if progress.is_undone else 0,
        "kept_both": progress.renamed,
    }


def _read_chosen(asked: dict[str, Any]) -> Chosen:
    return moves.choose(read_list(asked.get("names"), "names"), read_list(asked.get("folders"), "folders"))
