"""Folders into the bucket and out of it again: what was installed as a packed tar, code out of its zip.

What was installed comes from strangers' packages. So of a tree only folders, files and links within it are taken, with no right
but to be read and run; and when it is laid out, links come last, so that nothing is ever written through one.
"""

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import zstandard

from storage import limits
from storage.errors import BlobMissing, InvalidInput
from storage.zip_reader import Archive, Damaged

_LEVEL = 3
_CHUNK_BYTES = 262_144


@dataclass
class Packed:
    """What a tree holds, unpacked."""

    files: int = 0
    size_bytes: int = 0


class _Sink:
    """A file that can only be written to."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, chunk: bytes) -> int:
        self._write(bytes(chunk))
        return len(chunk)

    def flush(self) -> None:
        """Nothing is held back here."""


def pack_tree(folder: Path, write: Callable[[bytes], object]) -> Packed:
    """Give a folder's contents to `write`, piece by piece. Nothing in it may change meanwhile.

    Raises InvalidInput when it has more bytes or files than what is installed may have, OSError, and what `write` raises.
    """
    packed = Packed()
    with (
        zstandard.ZstdCompressor(level=_LEVEL).stream_writer(_Sink(write), closefd=False) as packing,  # type: ignore[arg-type]
        tarfile.open(mode="w|", fileobj=packing, format=tarfile.PAX_FORMAT) as tar,
    ):
        for path, about in _walk(folder):
            packed.files += 1
            if packed.files > limits.MICRO_DEPENDENCIES_MAX_FILES:
                raise InvalidInput(f"What is installed has more than {limits.MICRO_DEPENDENCIES_MAX_FILES:,} files")
            _add(tar, folder, path, about, packed)
    return packed


def unpack_tree(stream: IO[bytes], folder: Path, *, group: int | None) -> None:
    """Lay out in an empty folder what `pack_tree` packed. Raises BlobMissing when it is something else, OSError."""
    links: list[tuple[Path, str]] = []
    try:
        with (
            zstandard.ZstdDecompressor().stream_reader(stream, closefd=False) as unpacking,
            tarfile.open(mode="r|", fileobj=unpacking) as tar,
        ):
            for member in tar:
                path = folder / _within(member.name)
                if member.isdir():
                    path.mkdir(mode=0o750, parents=True, exist_ok=True)
                    give(path, group, mode=0o750)
                elif member.issym():
                    links.append((path, _link_within(member.name, member.linkname)))
                elif member.isreg() and (content := tar.extractfile(member)) is not None:
                    _write_file(path, content, group, member)
                else:
                    raise BlobMissing("What was installed was changed in storage")
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise BlobMissing(f"What was installed can't be unpacked: {error}") from error
    for path, target in links:
        path.symlink_to(target)


def unpack_zip(archive: Archive, folder: Path, *, group: int | None) -> None:
    """Lay out a zip that was looked through, whose entries are all to be trusted, in a folder that is made for it.

    Raises BlobMissing, EngineUnreachable, OSError.
    """
    made = {folder}
    folder.mkdir(mode=0o750)
    give(folder, group, mode=0o750)
    for entry in archive.entries:
        path = folder / _within(entry.filename)
        for parent in [each for each in reversed(path.parents) if each.is_relative_to(folder) and each not in made]:
            parent.mkdir(mode=0o750)
            give(parent, group, mode=0o750)
            made.add(parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            try:
                for chunk in archive.read(entry):
                    file.write(chunk)
            except Damaged as error:
                raise BlobMissing(f"The code of this deployment was changed in storage: {error}") from error
        give(path, group, mode=0o640)


def give(path: Path, group: int | None, *, mode: int) -> None:
    """Let a group, and nobody else but us, have this file or folder with the rights in `mode`."""
    if group is not None:
        os.chown(path, -1, group, follow_symlinks=False)
    path.chmod(mode)


def _walk(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything in a folder, each folder before what is in it. Links are not followed, and no depth is too deep."""
    waiting = [folder]
    while waiting:
        for entry in sorted(os.scandir(waiting.pop()), key=lambda each: each.name):
            about = entry.stat(follow_symlinks=False)
            yield Path(entry.path), about
            if stat.S_ISDIR(about.st_mode):
                waiting.append(Path(entry.path))


def _add(tar: tarfile.TarFile, folder: Path, path: Path, about: os.stat_result, packed: Packed) -> None:
    """Add one entry; what is neither a folder nor a file nor a link within the tree is left out."""
    member = tarfile.TarInfo(path.relative_to(folder).as_posix())
    member.mtime = int(about.st_mtime)
    if stat.S_ISDIR(about.st_mode):
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(member)
    elif stat.S_ISLNK(about.st_mode):
        target = str(path.readlink())
        if _leads_within(member.name, target):
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    elif stat.S_ISREG(about.st_mode):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            member.size = os.fstat(descriptor).st_size
            member.mode = 0o755 if about.st_mode & stat.S_IXUSR else 0o644
            packed.size_bytes += member.size
            if packed.size_bytes > limits.MICRO_DEPENDENCIES_MAX_BYTES:
                raise InvalidInput(
                    f"What is installed has more than {limits.MICRO_DEPENDENCIES_MAX_BYTES // 1_048_576:,} MB"
                )
            tar.addfile(member, file)


def _write_file(path: Path, content: IO[bytes], group: int | None, member: tarfile.TarInfo) -> None:
    mode = 0o750 if member.mode & stat.S_IXUSR else 0o640
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := content.read(_CHUNK_BYTES):
            file.write(chunk)
    # Python takes what was compiled for its source by the time that the source has.
    os.utime(path, (member.mtime, member.mtime))
    give(path, group, mode=mode)


def _within(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise BlobMissing("What was stored was changed in storage: a name leads out of its folder")
    return path


def _link_within(name: str, target: str) -> str:
    if not _leads_within(name, target):
        raise BlobMissing("What was stored was changed in storage: a link leads out of its folder")
    return target


def _leads_within(name: str, target: str) -> bool:
    """Whether a link of this name stays in the tree, looked at as text: links it may lead through do so themselves."""
    depth = len(PurePosixPath(name).parts) - 1
    if target.startswith("/"):
        return False
    for step in PurePosixPath(target).parts:
        depth += -1 if step == ".." else 1
        if depth < 0:
            return False
    return True
