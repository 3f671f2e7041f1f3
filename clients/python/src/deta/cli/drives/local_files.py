"""Files of a folder on this disk, and which names of a Drive may become one.

A name in a Drive is any text, so one may lead out of the folder, or be another name's folder: such a name is refused, never
mended. Symbolic links are not followed, neither when a folder is read nor when a file is written.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# What a download has so far stands beside its file under such a name, until it is whole.
PART_PREFIX = ".deta-part-"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NAME_MAX_BYTES = 1024
_SEGMENT_MAX_BYTES = 255
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\]')
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)


@dataclass(frozen=True)
class LocalFile:
    """A file of a folder. `name` is its path below the folder, with slashes; times are in nanoseconds."""

    name: str
    path: Path
    size: int
    modified_ns: int


@dataclass
class Folder:
    """What is in a folder, at any depth, and the names of what is left out with the reason of each.

    `skipped` is what nobody means to move, such as links; `refused` what somebody may miss.
    """

    files: dict[str, LocalFile] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def covers(self, name: str) -> bool:
        """Whether something that was left out has this name, or is a folder of it: then nobody knows that it is gone."""
        return any(above in self.skipped or above in self.refused for above in _names_above(name))


def scan(root: Path) -> Folder:
    """All files below a folder. Raises OSError when the folder itself cannot be read."""
    found = Folder()
    waiting = [("", root)]
    while waiting:
        above, folder = waiting.pop()
        try:
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            if not above:
                raise
            found.refused[above.rstrip("/")] = error.strerror or str(error)
            continue
        for entry in entries:
            name = above + entry.name
            if entry.name.startswith(PART_PREFIX):
                continue
            if why := _why_skipped(entry):
                found.skipped[name] = why
            elif why := _why_refused(name):
                found.refused[name] = why
            elif entry.is_dir(follow_symlinks=False):
                waiting.append((f"{name}/", Path(entry.path)))
            else:
                try:
                    known = entry.stat(follow_symlinks=False)
                except OSError as error:
                    found.refused[name] = error.strerror or str(error)
                else:
                    found.files[name] = LocalFile(name, Path(entry.path), known.st_size, known.st_mtime_ns)
    return found


def _why_skipped(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "a symbolic link"
    if not entry.is_dir(follow_symlinks=False) and not entry.is_file(follow_symlinks=False):
        return "neither a file nor a folder"
    return ""


def _why_refused(name: str) -> str:
    if _CONTROL.search(name):
        return "its name holds a character that a Drive does not take"
    if len(name.encode()) > _NAME_MAX_BYTES:
        return f"its name is longer than {_NAME_MAX_BYTES:,} bytes"
    return ""


def why_unsafe(name: str, *, on_windows: bool = os.name == "nt") -> str:
    """Why a name of a Drive cannot be a file's below a folder, or nothing when it can."""
    segments = name.split("/")
    if "" in segments:
        return "a folder in its name has no name"
    if "." in segments or ".." in segments:
        return "its name leads elsewhere"
    if any(len(segment.encode(errors="replace")) > _SEGMENT_MAX_BYTES for segment in segments):
        return f"a part of its name is longer than {_SEGMENT_MAX_BYTES} bytes"
    if segments[-1].startswith(PART_PREFIX):
        return "names like this are for downloads under way"
    if _CONTROL.search(name):
        return "its name holds a control character"
    if on_windows and any(map(_is_bad_on_windows, segments)):
        return "Windows does not take its name"
    return ""


def _is_bad_on_windows(segment: str) -> bool:
    return bool(_NOT_ON_WINDOWS.search(segment) or _WINDOWS_DEVICES.match(segment) or segment[-1] in ". ")


def find_double(names: Iterable[str]) -> dict[str, str]:
    """Names that are also the folder of another one, each with such a one: a disk can hold only one of the two."""
    ordered = list(names)
    known = set(ordered)
    return {above: name for name in ordered for above in _names_above(name)[:-1] if above in known}


def find_alike(names: Iterable[str]) -> dict[str, str]:
    """Names that differ from one before only by case or by how accents are written: many a disk takes them for one."""
    known: dict[str, str] = {}
    alike: dict[str, str] = {}
    for name in sorted(names):
        first = known.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if first != name:
            alike[name] = first
    return alike


def _names_above(name: str) -> list[str]:
    """The folders of a name, the top first, and the name itself."""
    return [name[:at] for at, character in enumerate(name) if character == "/"] + [name]


def make_place(root: Path, name: str) -> Path:
    """The path of a file, its folders made. Raises OSError, also when one of them is a symbolic link or no folder."""
    place = root
    for segment in name.split("/")[:-1]:
        place = place / segment
        try:
            mode = os.lstat(place).st_mode
        except FileNotFoundError:
            # Two files may make one folder at the same time.
            place.mkdir(exist_ok=True)
            mode = os.lstat(place).st_mode
        if stat.S_ISLNK(mode):
            raise OSError(f"{place} is a symbolic link, which is not followed")
        if not stat.S_ISDIR(mode):
            raise OSError(f"{place} is a file, and has to be a folder")
    place = place / name.rpartition("/")[2]
    if place.is_dir() and not place.is_symlink():
        raise OSError(f"{place} is a folder, and has to be a file")
    return place


def remove(root: Path, name: str) -> None:
    """Delete a file, and the folders that are empty then. Raises OSError."""
    make_place(root, name).unlink()
    for above in reversed(_names_above(name)[:-1]):
        try:
            (root / above).rmdir()
        except OSError:
            return
