"""A streamed zip of chosen files and folders: nothing is written to disk, and its size is known in advance.

The files are those of the moment it was asked for; their bytes are still there while it goes out, as garbage is kept
longer. A file whose bytes are missing all the same breaks the connection off: its end never comes, so nobody takes what
there is for the whole.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import closing

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from zipstream import ZipStream

from console.downloads import describe_disposition
from console.drive.context import DriveContext, open_drive
from console.error_status import status_of
from console.json_views import read_list
from console.page import PageRequest
from storage.archive.entry_names import name_entries, safe_label
from storage.drive import files, folders, moves
from storage.drive.drives import note_zip
from storage.drive.files import Download, StoredFile
from storage.drive.moves import Chosen
from storage.errors import FileNotFound, InvalidInput, StorageError
from storage.exact_json import parse
from storage.postgres.database import release_connection

# The entry that says what files were called whose names had to be changed.
MANIFEST = "original names.json"
_PIECE_BYTES = 65_536


@require_http_methods(["GET", "HEAD", "POST"])
def download(request: PageRequest, collection_id: str, drive: str) -> HttpResponseBase:
    """GET: `?name=` and `?folder=`, each as often as needed. POST: the form field `chosen`, JSON with `names` and `folders`.

    The browser itself asks, so what cannot be done is said on a page.
    """
    at = open_drive(request, collection_id, drive)
    try:
        return _send(request, at)
    except StorageError as error:
        context = {"granted": at.granted, "tab": "drives", "drive": drive, "reason": error.messages[-1]}
        return render(request, "drive/no_zip.html", context, status=status_of(error))


def _send(request: PageRequest, at: DriveContext) -> HttpResponseBase:
    chosen = _read_chosen(request)
    found = files.list_chosen(drive_id=at.id, names_given=chosen.names, ranges=chosen.ranges)
    base = _common_folder(chosen)
    empty = [path for path in _unfilled(chosen, found) if folders.is_there(drive_id=at.id, path=path)]
    if not found and not empty:
        raise FileNotFound("These files no longer exist")
    zipped = make_zip(found, base=base, empty=empty)
    headers = {
        "Content-Length": str(len(zipped)),
        "Content-Disposition": describe_disposition(f"{_zip_label(chosen, base, at.name)}.zip", stores=True),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }
    if request.method == "HEAD":
        return HttpResponse(headers=headers, content_type="application/zip")
    note_zip(collection_id=at.access.collection_id, drive=at.name, files=len(found), size_bytes=len(zipped))
    release_connection()
    return StreamingHttpResponse(_in_pieces(zipped), headers=headers, content_type="application/zip")


def make_zip(found: dict[str, StoredFile], *, base: str = "", empty: Iterable[str] = ()) -> ZipStream:
    """A zip of these files, by their names without the folder `base`; read as it is iterated. Its `len` is its size."""
    zipped = ZipStream(sized=True)
    hollow = [path for path in empty if path]
    entries = name_entries([*found, *hollow], base=base, reserved=[MANIFEST])
    changed = {entry: name for name, entry in entries.items() if entry != name[len(base) :].removesuffix("/")}
    if changed:
        zipped.add(json.dumps(changed, ensure_ascii=False, indent=1).encode(errors="replace"), MANIFEST)
    for name, file in found.items():
        zipped.add(_read(file), entries[name], size=file.size_bytes)
    for path in hollow:
        zipped.mkdir(entries[path])
    return zipped


def _read(file: StoredFile) -> Iterator[bytes]:
    """The file's bytes; S3 is asked when the first is wanted."""
    with closing(Download(file, start=0, length=file.size_bytes)) as download:
        yield from download


def _in_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Thousands of little headers and files in fewer, larger pieces."""
    gathered: list[bytes] = []
    size = 0
    for chunk in chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size >= _PIECE_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def _read_chosen(request: HttpRequest) -> Chosen:
    if request.method != "POST":
        return moves.choose(request.GET.getlist("name"), request.GET.getlist("folder"))
    try:
        asked = parse(request.POST.get("chosen", "").encode())
    except InvalidInput:
        asked = None
    if not isinstance(asked, dict):
        raise InvalidInput("`chosen` is not a JSON object")
    return moves.choose(read_list(asked.get("names"), "names"), read_list(asked.get("folders"), "folders"))


def _common_folder(chosen: Chosen) -> str:
    """The folder that everything chosen is in."""
    parents = [folders.folder_of(path) for path in (*chosen.names, *chosen.folders)]
    common = min(parents, key=len)
    while not all(parent.startswith(common) for parent in parents):
        common = folders.folder_of(common)
    return common


def _unfilled(chosen: Chosen, found: Iterable[str]) -> Iterator[str]:
    """The chosen folders that no file is in. The names are sorted, so the first that could be in one tells."""
    names = list(found)
    for path in chosen.folders:
        index = bisect_left(names, path)
        if index == len(names) or not names[index].startswith(path):
            yield path


def _zip_label(chosen: Chosen, base: str, drive: str) -> str:
    """What the zip is called: as the one folder that was chosen, or the folder that all are in, or the Drive."""
    path = chosen.folders[0] if len(chosen.folders) == 1 and not chosen.names else base
    return safe_label(folders.label_of(path).rstrip("/")) if path.strip("/") else drive
