"""A deployed version's zip into a project's folder.

It comes from a server that may be anybody's: every name is looked at before anything is written, nothing is written through a
link, and files are moved to their places when all of them are laid out beside these and whole.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from deta.cli.errors import CliError
from deta.cli.project_files import STATE_FOLDER

FILES_MAX = 50_000
BYTES_MAX = 1_073_741_824
_CHUNK_BYTES = 262_144


def unpack(stream: IO[bytes], folder: Path) -> list[str]:
    """Write the zip's files into a folder that is there, over those it has; the names, sorted. Other files stay.

    Raises CliError, having changed nothing, for what is no zip, a name that leads elsewhere, and what lies in the way.
    """
    try:
        with ZipFile(stream) as archive:
            entries = _look_through(archive, folder)
            new = Path(tempfile.mkdtemp(prefix=".new-", dir=_make_state_folder(folder)))
            try:
                for number, entry in enumerate(entries):
                    _write(archive, entry, new / str(number))
                for number, entry in enumerate(entries):
                    place = folder / entry.filename
                    place.parent.mkdir(parents=True, exist_ok=True)
                    (new / str(number)).replace(place)
            finally:
                shutil.rmtree(new, ignore_errors=True)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise CliError(f"The server sent what is no whole zip: {error}") from None
    except OSError as error:
        raise CliError(f"The files can't be written: {error}") from None
    return sorted(entry.filename for entry in entries)


def _look_through(archive: ZipFile, folder: Path) -> Sequence[ZipInfo]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > FILES_MAX or sum(entry.file_size for entry in entries) > BYTES_MAX:
        raise CliError("The server sent more than a Micro's code may be: nothing was written")
    seen: set[str] = set()
    folders = {entry.filename[:at] for entry in entries for at in _slashes(entry.filename)}
    for entry in entries:
        fault = _find_fault(entry, folder) or ("two files have this name" if entry.filename in seen else "")
        fault = fault or ("it is a file and a folder" if entry.filename in folders else "")
        if fault:
            raise CliError(f"{entry.filename!r}: {fault}. Nothing was written")
        seen.add(entry.filename)
    return entries


def _find_fault(entry: ZipInfo, folder: Path) -> str:
    """Why an entry is not written; empty when it can be."""
    steps = entry.filename.split("/")
    if any(step in ("", ".", "..") or "\\" in step or "\x00" in step or ":" in step for step in steps):
        return "its name leads out of the folder"
    if steps[0].lower() == STATE_FOLDER:
        return "its name is one that this command keeps for itself"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "it is a link"
    place = folder
    for step in steps[:-1]:
        place = place / step
        if place.is_symlink():
            return f"'{place}' is a link, and may lead out of the folder"
        if place.exists() and not place.is_dir():
            return f"'{place}' is there already, and is no folder"
    place = place / steps[-1]
    if place.is_dir() and not place.is_symlink():
        return f"'{place}' is there already, and is a folder"
    return ""


def _slashes(name: str) -> list[int]:
    return [at for at, character in enumerate(name) if character == "/"]


def _make_state_folder(folder: Path) -> Path:
    made = folder / STATE_FOLDER
    if made.is_symlink():
        raise CliError(f"'{made}' is a link: remove it first")
    made.mkdir(exist_ok=True)
    return made


def _write(archive: ZipFile, entry: ZipInfo, path: Path) -> None:
    left = entry.file_size
    with archive.open(entry) as source, path.open("xb") as target:
        while chunk := source.read(_CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise BadZipFile(f"{entry.filename!r} is longer than it says")
            target.write(chunk)
