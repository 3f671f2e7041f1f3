"""Drive as the console shows it: folders first, then files, sorted and searched, by pages.

Folders follow from names exactly as in the API's listing with `recursive=false`: what stands behind the prefix is cut
behind its first `/`. So `a//b` is in the folder `a//`, whose own name is empty, and `/lead` in `/`. In addition there are
empty folders that somebody made. The pages' gate has already checked the person's access.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from django.db import transaction

from storage import disk_space, limits, names
from storage.drive.sql import folders as folders_sql
from storage.drive.sql import moves as moves_sql
from storage.drive.sql.folders import SortKey
from storage.errors import DriveNotFound, InvalidInput, NamesTaken
from storage.numbers import read_number
from storage.postgres import rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run, run_one

_CURSOR = re.compile(r"(folder|file|row):(.*)", re.DOTALL)
# Above every legal name by bytes: none has as many characters.
ABOVE_ALL = "\U0010ffff" * (limits.FILE_NAME_MAX_BYTES // 4 + 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a listing. A folder's name ends in `/` and nothing else is known of it."""

    name: str
    kind: Literal["folder", "file"]
    size_bytes: int | None = None
    content_type: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """What a listing is sorted by. Folders come first in any case, by name."""

    key: SortKey = "name"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of entries, and where the next one begins (empty: there is none). `sort` is the order actually used."""

    entries: list[Entry]
    last: str
    sort: Sort


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The names of the files before and after one in its folder, empty for none, and when it came to exist."""

    previous: str
    following: str
    created_at: datetime | None


def read_sort(text: str) -> Sort:
    """What `size` or `-size` means; names for anything else."""
    key = text.removeprefix("-")
    return Sort(key, text.startswith("-")) if key in get_args(SortKey) else Sort()  # type: ignore[arg-type]


def find_drive(*, collection_id: str, name: str) -> int:
    """The Drive's id. Raises DriveNotFound."""
    rows = run(moves_sql.find_drive(collection_id, name)) if names.is_name(name) else []
    if not rows:
        raise DriveNotFound(f"No Drive in this collection is called {name}")
    return rows[0].id


def check_folder(path: str) -> str:
    """A folder's path, unchanged: empty for the top, else with a slash at its end. Raises InvalidInput."""
    if path and not path.endswith("/"):
        raise InvalidInput("Bad folder", "A folder's path ends in `/`")
    return names.check_name_part(path)


def end_of_folder(path: str) -> str | None:
    """The lowest name above all in the folder; None for the top."""
    return f"{path[:-1]}0" if path else None


def range_of(path: str) -> tuple[str, str]:
    """From where (included) to where (not) the names in the folder go, at any depth."""
    return path, end_of_folder(path) or ABOVE_ALL


def folder_of(name: str) -> str:
    """The parent folder of a file or folder."""
    return name[: name[:-1].rfind("/") + 1]


def all_folders_of(name: str) -> Iterator[str]:
    """The folders that a file is in, the top first."""
    yield ""
    yield from (name[: at + 1] for at, character in enumerate(name) if character == "/")


def label_of(name: str) -> str:
    """What a file or folder is called in its folder, a folder with its slash."""
    return name[len(folder_of(name)) :]


def list_folder(*, drive_id: int, folder: str, sort: Sort, last: str = "") -> Listing:
    """A page of a folder's direct entries, after `last`. A missing folder is empty.

    Files are sorted by something else than names as long as there are no more than 10,000 of them: all have to be
    looked at for the first page already. Raises InvalidInput (the folder, `last`).
    """
    check_folder(folder)
    most = limits.ROWS_PER_PAGE
    phase, place = _read_cursor(last)
    entries: list[Entry] = []
    if phase == "folder":
        backwards = sort.descending and sort.key == "name"
        paths = _list_folders(drive_id, folder, last=place, limit=most + 1, descending=backwards)
        entries = [Entry(path, "folder") for path in paths[:most]]
        if len(paths) > most:
            return Listing(entries, f"folder:{entries[-1].name}", _real_sort(drive_id, folder, sort))
        phase, place = "file", ""
    files, cursor, sort = _list_files(drive_id, folder, sort, phase, place, most - len(entries))
    return Listing(entries + files, cursor, sort)


def list_folders(*, drive_id: int, folder: str) -> tuple[list[str], bool]:
    """The folders right in a folder, whole paths, and whether there are more than fit. Raises InvalidInput."""
    found = _list_folders(drive_id, check_folder(folder), last="", limit=limits.FOLDERS_PER_LIST + 1, descending=False)
    return found[: limits.FOLDERS_PER_LIST], len(found) > limits.FOLDERS_PER_LIST


def search(*, drive_id: int, folder: str, text: str, last: str = "") -> Listing:
    """A page of the folders and files below a folder whose own name holds the text, whatever its case.

    A request scans 100,000 names at most, so a page may be short or empty although more follow.
    """
    check_folder(folder)
    _, place = _read_cursor(last)
    start, end = (f"{place}\x01" if place else folder), end_of_folder(folder)
    entries = [] if last else [Entry(path, "folder") for path in _search_folders(drive_id, folder, text)]
    room = limits.ROWS_PER_PAGE
    statement = folders_sql.search_files(
        drive_id, _folded(text), start=start, end=end, look_at=limits.SEARCH_ROWS, limit=room + 1
    )
    found, looked_at = run_one(statement)
    cursor = f"file:{found[room - 1]}" if len(found) > room else f"file:{looked_at}" if looked_at else ""
    return Listing(entries + _files(run(folders_sql.get_rows(drive_id, found[:room]))), cursor, Sort())


def find_neighbours(*, drive_id: int, name: str) -> Neighbours:
    """The neighbours of a file in its folder. Raises nothing when the file does not exist."""
    before, after, created_at = run_one(folders_sql.find_neighbours(drive_id, folder_of(name), name))
    return Neighbours(before or "", after or "", created_at)


def make_folder(*, access: Access, drive_id: int, path: str) -> None:
    """Make a folder, which stays until a file is in it.

    Raises InvalidInput, NamesTaken when there is one, DiskFull, Unauthorized or Forbidden when the person may not write here (any
    more).
    """
    disk_space.check_space_for_items()
    if not check_folder(path) or not label_of(path).strip("/ "):
        raise InvalidInput("Bad folder", "A folder's name is not blank")
    if len(path.encode()) >= limits.FILE_NAME_MAX_BYTES:
        raise InvalidInput("Bad folder", "The name is too long: no file could be in this folder")
    with engine_errors(), transaction.atomic():
        if is_there(drive_id=drive_id, path=path) or not run(folders_sql.keep_folders(drive_id, [path])):
            raise NamesTaken([path])
        rights.ask_again(access)


def is_there(*, drive_id: int, path: str) -> bool:
    """Whether there is such a folder; the top always is."""
    return not path or run_one(folders_sql.folder_exists(drive_id, path, end_of_folder(path))).answer


def _list_folders(drive_id: int, folder: str, *, last: str, limit: int, descending: bool) -> list[str]:
    end = end_of_folder(folder)
    statement = folders_sql.list_folders(
        drive_id, folder=folder, end=end, last=last, limit=limit, descending=descending
    )
    return [path for (path,) in run(statement)]


def _list_files(
    drive_id: int, folder: str, sort: Sort, phase: str, place: str, room: int
) -> tuple[list[Entry], str, Sort]:
    real = _real_sort(drive_id, folder, sort)
    if real.key == "name":
        # A folder that has grown too large since the previous page starts again.
        last = place if phase == "file" else ""
        statement = folders_sql.list_files_in(drive_id, folder, last=last, limit=room + 1, descending=real.descending)
        rows = _files(run(statement))
        return rows[:room], f"file:{rows[room - 1].name}" if len(rows) > room and room else _more(rows, room), real
    offset = min(read_number(place) or 0, limits.SORTED_FILES_MAX) if phase == "row" else 0
    statement = folders_sql.list_sorted_files_in(
        drive_id, folder, key=real.key, descending=real.descending, offset=offset, limit=room + 1
    )
    rows = _files(run(statement))
    return rows[:room], f"row:{offset + room}" if len(rows) > room else "", real


def _more(rows: list[Entry], room: int) -> str:
    """A page full of folders leaves all files to the next page."""
    return "file:" if rows and not room else ""


def _real_sort(drive_id: int, folder: str, sort: Sort) -> Sort:
    most = limits.SORTED_FILES_MAX
    if sort.key != "name" and run_one(folders_sql.count_files_in(drive_id, folder, most + 1)).total > most:
        return Sort()
    return sort


def _search_folders(drive_id: int, folder: str, text: str) -> list[str]:
    """The folders whose own name contains the text, out of the first 2,000."""
    statement = folders_sql.list_folders_below(
        drive_id, start=folder + "\x01", end=end_of_folder(folder), limit=limits.SEARCH_FOLDERS
    )
    paths = set()
    for (path,) in run(statement):
        while len(path) > len(folder) and path not in paths:
            paths.add(path)
            path = folder_of(path)
    wanted = _folded(text)
    return sorted((path for path in paths if wanted in _folded(label_of(path)[:-1])), key=str.encode)


def _folded(text: str) -> str:
    """The text without case and with one spelling of accents, as Postgres does it."""
    return unicodedata.normalize("NFC", text).lower()


def _read_cursor(last: str) -> tuple[str, str]:
    shape = _CURSOR.fullmatch(last)
    if last and shape is None:
        raise InvalidInput("Bad page", "`last` does not come from an earlier page")
    return (shape[1], names.check_name_part(shape[2])) if shape else ("folder", "")


def _files(rows: list[folders_sql.FileRow]) -> list[Entry]:
    return [Entry(row.name, "file", row.size_bytes, row.content_type, row.changed_at) for row in rows]
