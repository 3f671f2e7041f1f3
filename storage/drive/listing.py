"""Files with what tells their bytes apart, for who wants to move only what differs. The gate has checked the person's access.

A file's hash is its ETag: the MD5 of its bytes, or of the MD5s of its parts (`make_etag` in `files.py`). How long the parts are
is told with it, so that anybody who has the bytes can work the same out.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from storage import limits, names
from storage.drive import folders
from storage.drive.files import find_bounds
from storage.drive.sql import moves as moves_sql
from storage.postgres.database import run


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file. `parts` are lengths in bytes, each with how many parts of it follow one another."""

    name: str
    size_bytes: int
    content_type: str
    etag: str
    changed_at: datetime
    parts: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class FilesPage:
    """Files in byte order of their names, and the name to go on from when more follow."""

    files: list[ListedFile]
    last: str | None


def list_with_hashes(*, drive_id: int, prefix: str = "", last: str = "") -> FilesPage:
    """Up to 1,000 files whose names begin with `prefix`, after `last`. Raises InvalidInput for what no name could be."""
    names.check_name_part(prefix)
    names.check_name_part(last)
    most = limits.NAMES_PER_LIST
    start, end = find_bounds(prefix=prefix, last=last, recursive=True)
    rows = run(moves_sql.list_chosen(drive_id, [], [(start, end or folders.ABOVE_ALL)], most + 1))
    files = [
        ListedFile(row.name, row.size_bytes, row.content_type, row.etag, row.changed_at, _runs(row.blob_sizes))
        for row in rows[:most]
    ]
    return FilesPage(files, files[-1].name if len(rows) > most else None)


def _runs(sizes: list[int]) -> list[tuple[int, int]]:
    return [(size, len(list(alike))) for size, alike in groupby(sizes)]
