"""Names of zip entries that unpack safely on every system: inside the folder, and without refused characters. Pure.

Names in a Drive are opaque text: as paths they may be absolute, lead upwards (`../x`), mean a device (`CON`), differ by case
alone, stand beside `a` and `a/b` at once, or be 1,024 bytes long. An entry keeps as much of the name as is safe; what the
file is really called stands in the zip's manifest.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import count

# Characters that Windows refuses, control characters, and direction marks that could hide a file's ending.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"\\|?*\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)
# At the end the whole run is one, and only its first character begins it.
_BLANK_ENDS = re.compile(r"^ +|(?<![. ])[. ]+$")
# Most file systems allow 255 bytes, some after their own encoding. A number may be added.
_LABEL_MAX_BYTES = 180
_ENDING_MAX_BYTES = 20
_ENTRY_MAX_BYTES = 1_000


class EntryNames:
    """Gives each name of one zip an entry of its own, as they come. Ask in the same order, and the answers are the same."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        # Hashes of folded paths: of a million files these take 100 MB less than the paths themselves.
        self._files = {_steps(entry)[-1] for entry in reserved}
        self._folders: set[int] = set()
        # The last number used for each path.
        self._numbers: dict[int, int] = {}

    def for_base(self, name: str) -> str:
        """`bases/<name>.json`."""
        return self.give(f"{name}.json", within="bases/")

    def for_file(self, drive: str, name: str) -> str:
        """`drives/<drive>/<name>`."""
        return self.give(name, within=f"drives/{safe_label(drive)}/")

    def for_code(self, micro: str, name: str) -> str:
        """`micros/<micro>/<name>`."""
        return self.give(name, within=f"micros/{safe_label(micro.replace('/', '_'))}/")

    def give(self, name: str, *, within: str = "") -> str:
        """The entry for a name in the folder `within`, which is safe already and ends in `/`."""
        entry = within + safe_path(name)
        steps = _steps(entry)
        if not self._is_reachable(entry, steps):
            entry = self._apart(within, entry, name)
            steps = _steps(entry)
        if not self._is_free(steps[-1]):
            entry = self._numbered(entry, steps[-1])
            steps = _steps(entry)
        self._files.add(steps[-1])
        self._folders.update(steps[:-1])
        return entry

    def keep_folders(self, path: str) -> None:
        """No file is to be called like a folder on the way to this safe path."""
        self._folders.update(_steps(path)[:-1])

    def _apart(self, within: str, entry: str, name: str) -> str:
        """An entry in a folder of its own, for a name whose path is too long or leads through a file."""
        label = entry.rpartition("/")[2]
        for attempt in count():
            candidate = f"{within}~{_digest(f'{within}{name}/{attempt}')}/{label}"
            if self._is_reachable(candidate, _steps(candidate)):
                return candidate
        raise AssertionError("digests never end")

    def _numbered(self, entry: str, whole: int) -> str:
        """The first entry with a number that unpacks to a place of its own."""
        folder, slash, label = entry.rpartition("/")
        stem, dot, ending = _split(label)
        for number in count(self._numbers.get(whole, 2)):
            candidate = f"{folder}{slash}{stem} ({number}){dot}{ending}"
            if self._is_free(_steps(candidate)[-1]):
                self._numbers[whole] = number + 1
                return candidate
        raise AssertionError("numbers never end")

    def _is_reachable(self, entry: str, steps: list[int]) -> bool:
        return len(entry.encode()) <= _ENTRY_MAX_BYTES and self._files.isdisjoint(steps[:-1])

    def _is_free(self, whole: int) -> bool:
        return whole not in self._files and whole not in self._folders


def name_entries(names: Iterable[str], *, base: str = "", reserved: Iterable[str] = ()) -> dict[str, str]:
    """The entry for each name, all known beforehand, without the folder `base` that they are in.

    A folder's name ends in `/`, its entry does not. None of the entries is a `reserved` one. A name that is safe already
    stays as it is, unless an earlier one would be the same file somewhere, or a folder.
    """
    given = EntryNames(reserved)
    inside = {name: name[len(base) :].removesuffix("/") for name in names}
    for path in inside.values():
        given.keep_folders(safe_path(path))
    # Those that can keep their names come first, so that no changed one takes another's.
    order = sorted(inside, key=lambda name: (safe_path(inside[name]) != name[len(base) :], name))
    return {name: given.give(inside[name]) for name in order}


def safe_path(name: str) -> str:
    """A name with each of its steps safe."""
    return "/".join(safe_label(step) for step in name.split("/"))


@lru_cache(maxsize=4_096)
def safe_label(label: str) -> str:
    """One name for a file or folder that every system takes; the same when it is one already."""
    safe = _UNSAFE.sub("_", label)
    safe = _BLANK_ENDS.sub("_", safe) or "_"
    return _no_device(_cut(_no_device(safe)))


def _no_device(label: str) -> str:
    return f"_{label}" if _DEVICE.match(label) else label


def _cut(label: str) -> str:
    """A name that is too long loses the end of its stem, or of itself when the ending alone is too long."""
    if len(label.encode()) <= _LABEL_MAX_BYTES:
        return label
    stem, dot, ending = _split(label)
    if len(ending.encode()) > _ENDING_MAX_BYTES:
        stem, dot, ending = label, "", ""
    room = _LABEL_MAX_BYTES - len(f"{dot}{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + ending


def _split(label: str) -> tuple[str, str, str]:
    """Stem, dot and ending; a name that begins with its only dot is all stem."""
    stem, dot, ending = label.rpartition(".")
    return (stem, dot, ending) if stem else (label, "", "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _steps(entry: str) -> list[int]:
    """A number for each folder on the way to an entry, and for the entry: the same for paths that some system confuses."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", entry).casefold())
    way, found = hashlib.blake2b(digest_size=8), []
    for step in folded.split("/"):
        # A slash behind each, so that `a/b` and `ab` differ; what comes before is hashed once.
        way.update(f"{step}/".encode())
        found.append(int.from_bytes(way.copy().digest(), "big"))
    return found
