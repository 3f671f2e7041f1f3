"""Another name for a file whose own is taken: `photo.jpg` becomes `photo (2).jpg`, and that `photo (3).jpg`."""

import re
from collections.abc import Collection, Iterator
from itertools import count, islice

from storage import limits, sql
from storage.database import run

# The label's stem, its number if it has one, and its ending; a dot in front or at the end begins none.
_LABEL = re.compile(r"(?P<stem>.*?)(?: \((?P<number>[2-9]|[1-9]\d{1,5})\))?(?P<ending>\.[^.]+)?", re.DOTALL)
_AT_ONCE = 64


def find_free_name(drive_id: int, name: str, *, besides: Collection[str] = ()) -> str:
    """The first name in line that no file of the Drive has, nor is in `besides`. Nobody keeps it free."""
    candidates = list_candidates(name)
    while True:
        batch = [candidate for candidate in islice(candidates, _AT_ONCE) if candidate not in besides]
        taken = {found for (found,) in run(*sql.find_existing(drive_id, batch))}
        for candidate in batch:
            if candidate not in taken:
                return candidate


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
