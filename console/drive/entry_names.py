"""Names for the entries of a zip that unpack safely everywhere: no way out of the folder, nothing a system refuses.

File names in a Drive are opaque text; as paths they could be absolute, lead upwards, differ by case alone or mean a device.
Pure: names in, names out.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import count

# What Windows refuses in a name; and marks that turn the direction of writing, so that a name reads as another.
_REFUSED = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\..*)?", re.I | re.S
)
_SEGMENT_MAX_BYTES = 200  # file systems take 255 bytes or characters; the rest is for a number behind


def name_entries(names: Iterable[str], *, base: str = "", reserved: Iterable[str] = ()) -> dict[str, str]:
    """The entry for each name: without the folder `base` that all are in, safe, and apart from each other on every system.

    A folder's name ends in `/`, its entry does not. None of the entries is a `reserved` one.
    A name that is safe already stays as it is, unless an earlier one would be the same file somewhere.
    """
    safe = {name: _safe_path(name[len(base) :].removesuffix("/")) for name in names}
    taken = {_folded("/".join(path[:depth])) for path in safe.values() for depth in range(1, len(path))}
    taken |= {_folded(entry) for entry in reserved}
    numbers: dict[str, int] = {}
    entries = {}
    # Those that can keep their names come first, so that no changed one takes another's.
    for name in sorted(safe, key=lambda each: ("/".join(safe[each]) != each[len(base) :], each)):
        entries[name] = entry = _apart("/".join(safe[name]), taken, numbers)
        taken.add(_folded(entry))
    return entries


def safe_label(label: str) -> str:
    """One name for a file or folder that every system takes."""
    name = _REFUSED.sub("_", label)
    if name != name.rstrip(". "):
        name = name.rstrip(". ") + "_"
    if _DEVICE.fullmatch(name.strip()):
        name = f"_{name}"
    return _cut(name) or "_"


def _safe_path(name: str) -> list[str]:
    return [safe_label(segment) for segment in name.split("/")]


def _folded(path: str) -> str:
    """What two paths have in common that are one file on some system: case and the way an accent is written don't count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _apart(path: str, taken: set[str], numbers: dict[str, int]) -> str:
    """The path, or the first with a number that is not taken; `numbers` remembers how far each path has come."""
    folded = _folded(path)
    if folded not in taken:
        return path
    folder, slash, label = path.rpartition("/")
    stem, dot, ending = label.rpartition(".")
    if not stem:
        stem, dot, ending = label, "", ""
    for number in count(numbers.get(folded, 2)):
        candidate = f"{folder}{slash}{stem} ({number}){dot}{ending}"
        if _folded(candidate) not in taken:
            numbers[folded] = number + 1
            return candidate
    raise AssertionError("numbers never end")


def _cut(name: str) -> str:
    """A name that is too long loses the end of its stem, or of itself when the ending alone is too long."""
    if len(name.encode()) <= _SEGMENT_MAX_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > 20:
        return name.encode()[:_SEGMENT_MAX_BYTES].decode(errors="ignore").rstrip(". ")
    room = _SEGMENT_MAX_BYTES - len(f"{dot}{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending
