"""Another name for a file whose own is taken: `photo.jpg` becomes `photo (2).jpg`, and that `photo (3).jpg`."""

import re
from collections.abc import Iterable, Iterator
from itertools import count, islice

from storage import limits
from storage.drive.sql import moves as moves_sql
from storage.postgres.database import run

# The label's stem, its number if it has one, and its ending; a dot in front or at the end begins none.
_LABEL = re.compile(r"(?P<stem>.*?)(?: \((?P<number>[2-9]|[1-9]\d{1,5})\))?(?P<ending>\.[^.]+)?", re.DOTALL)
_AT_ONCE = 64


class FreeNames:
    """Hands out unused names in a Drive, each once, and none of `besides`. Other writers can still take them.

    The next request for the same name continues the count, so thousands of files with one name are as fast as others.
    """

    def __init__(self, drive_id: int, *, besides: Iterable[str] = ()) -> None:
        self._drive_id = drive_id
        self._given = set(besides)
        self._lines: dict[str, Iterator[str]] = {}

    def find(self, name: str) -> str:
        """The next one in line for this name."""
        if name not in self._lines:
            self._lines[name] = self._list_free(name)
        found = next(candidate for candidate in self._lines[name] if candidate not in self._given)
        self._given.add(found)
        return found

    def _list_free(self, name: str) -> Iterator[str]:
        candidates = list_candidates(name)
        while batch := list(islice(candidates, _AT_ONCE)):
            taken = {found for (found,) in run(moves_sql.find_existing(self._drive_id, batch))}
            yield from (candidate for candidate in batch if candidate not in taken)


def find_free_name(drive_id: int, name: str) -> str:
    """The first unused name in line. Other writers can still take it."""
    return FreeNames(drive_id).find(name)


def list_candidates(name: str) -> Iterator[str]:
    """Names like this one without end. A long one loses the end of its stem, so that they all are legal."""
    folder, slash, label = name.rpartition("/")
    shape = _LABEL.fullmatch(label)
    stem, number, ending = (shape["stem"], shape["number"], shape["ending"]) if shape else (label, None, None)
    if not stem:
        stem, ending = label, None
    for following in count(int(number or 1) + 1):
        tail = f" ({following}){ending or ''}"
        room = limits.FILE_NAME_MAX_BYTES - len(f"{folder}{slash}{tail}".encode())
        kept = stem.encode()[: max(room, 0)].decode(errors="ignore")
        yield f"{folder}{slash}{kept}{tail}"
