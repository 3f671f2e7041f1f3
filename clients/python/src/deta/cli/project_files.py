"""Which files of a project's folder are deployed, their digest, and a zip of them.

Left out are files and folders that begin with a dot or are hidden, `node_modules`, `__pycache__`, virtual environments, and what
editors leave behind; `.detaignore` can leave out more, and take in some of it. Nothing outside of the folder is ever read: a
link to a file in it counts as that file, every other link is left out and told of.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Optional
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from deta.cli import ignoring
from deta.cli.errors import CliError
from deta.cli.ignoring import Ignoring

# What the server takes (docs/limits.md); nothing larger is packed in vain.
FILES_MAX = 20_000
BYTES_MAX = 262_144_000
STATE_FOLDER = ".deta"
_FOLDERS_LEFT_OUT = frozenset(["node_modules", "__pycache__", "venv", "virtualenv", "__MACOSX"])
_FILES_LEFT_OUT = frozenset(["thumbs.db", "desktop.ini"])
_ENDS_LEFT_OUT = (".pyc", "~")
_ENVIRONMENT_MARK = "pyvenv.cfg"
_HIDDEN_ON_WINDOWS = 2
_CHUNK_BYTES = 262_144
_LEVEL = 6


@dataclass(frozen=True)
class ProjectFile:
    """A file that is deployed: its name within the project, with `/` between its steps, and where it is."""

    name: str
    path: Path


def find_files(folder: Path, *, warn: Callable[[str], None]) -> list[ProjectFile]:
    """All files that are deployed, by name; `warn` is told of links that are left out.

    Raises CliError for what can't be read, a name that is not in Unicode, a `.detaignore` that makes no sense, and more than the
    server takes.
    """
    found: list[ProjectFile] = []
    left = BYTES_MAX
    with Ignoring(folder) as ignored:
        waiting = [""]
        while waiting:
            inside = waiting.pop()
            entries = _list(folder, inside)
            verdicts = ignored.judge([(f"{inside}{entry.name}", entry.is_dir()) for entry in entries])
            for entry, verdict in zip(entries, verdicts):
                name = f"{inside}{entry.name}"
                if name == STATE_FOLDER or (_is_left_out(entry) if verdict is None else not verdict):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                elif (path := _find_file(folder, entry, name, warn)) is not None:
                    found.append(ProjectFile(name, path))
                    left -= path.stat().st_size
                    if left < 0 or len(found) > FILES_MAX:
                        raise CliError(_too_much(folder))
    return sorted(found, key=lambda each: each.name)


def _too_much(folder: Path) -> str:
    return (
        f"There is more to deploy in '{folder.resolve()}' than a Micro may have, {FILES_MAX:,} files and "
        f"{BYTES_MAX // 1_048_576} MB: say in {ignoring.NAME} what stays out"
    )


def digest_of(files: Sequence[ProjectFile]) -> str:
    """Of the files' names and bytes, as the server makes it. Raises CliError."""
    whole = hashlib.sha256()
    for each in files:
        one = hashlib.sha256()
        for chunk in _chunks(each):
            one.update(chunk)
        whole.update(f"{each.name}\n".encode() + one.digest())
    return whole.hexdigest()


def pack(files: Sequence[ProjectFile], out: IO[bytes]) -> None:
    """Write the files as a zip. Raises CliError."""
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as made:
        for each in files:
            about = ZipInfo(each.name)
            about.compress_type, about.external_attr = ZIP_DEFLATED, 0o100644 << 16
            with made.open(about, "w", force_zip64=True) as entry:
                for chunk in _chunks(each):
                    entry.write(chunk)


def is_hidden(entry: os.DirEntry[str]) -> bool:
    """Whether it begins with a dot, or has the attribute by which Windows hides files."""
    if entry.name.startswith(".") or os.name != "nt":
        return entry.name.startswith(".")
    return bool(getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0) & _HIDDEN_ON_WINDOWS)


def _list(folder: Path, inside: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder / inside) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise CliError(f"'{folder / inside}' can't be read: {error.strerror}") from None
    for entry in found:
        try:
            entry.name.encode()
        except UnicodeEncodeError:
            raise CliError(f"The name of {entry.name!r} in '{folder / inside}' is not in Unicode: rename it") from None
    return found


def _is_left_out(entry: os.DirEntry[str]) -> bool:
    """Where no line of `.detaignore` says anything. That file itself is part of a project."""
    if entry.name == ignoring.NAME:
        return False
    if is_hidden(entry):
        return True
    if entry.is_dir():
        return entry.name in _FOLDERS_LEFT_OUT or (Path(entry.path) / _ENVIRONMENT_MARK).exists()
    return entry.name.lower() in _FILES_LEFT_OUT or entry.name.endswith(_ENDS_LEFT_OUT)


def _find_file(folder: Path, entry: os.DirEntry[str], name: str, warn: Callable[[str], None]) -> Optional[Path]:
    """Where its bytes are; None for what is left out."""
    if not entry.is_symlink():
        return Path(entry.path) if entry.is_file(follow_symlinks=False) else None
    target = Path(entry.path).resolve()
    if target.is_file() and folder.resolve() in target.parents:
        return target
    warn(f"'{name}' is left out: it is a link that leads to no file of this project")
    return None


def _chunks(file: ProjectFile) -> Iterator[bytes]:
    try:
        # Whatever has come into the file's place meanwhile: nothing that would be waited for.
        descriptor = os.open(file.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise CliError(f"'{file.name}' is no file any more")
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise CliError(f"'{file.name}' can't be read: {error.strerror}") from None
