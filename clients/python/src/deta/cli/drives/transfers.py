"""One file from the disk to a Drive, or back; begun again, it goes on where it was broken off.

A file that is longer than a part goes up in parts, of which the server keeps those that arrived for a day. A part's hash tells
whether it is there and the same: then it is not sent again. A download stands under a name of its own until it is whole and
its hash is right.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO, Callable, Optional

from deta.cli.drives import hashes
from deta.cli.drives.calls import DriveCalls, OpenUpload
from deta.cli.drives.local_files import PART_PREFIX
from deta.cli.drives.plan import RemoteFile
from deta.drive import Drive
from deta.errors import FileChanged
from deta.files import UPLOAD_CHUNK_SIZE, Files
from deta.transport import SyncClient

# Parts of one file on their way at once, each of which is in memory.
PARALLEL_PARTS = 3
_CHUNK_BYTES = 1024 * 1024

# Told of bytes that have gone or come.
Moved = Callable[[int], object]
# A part on its way: its number, its MD5 and its length.
Sent = Future[tuple[int, str, int]]


class Sender:
    """Sends files to one Drive: `root` is its address in the API, `cli_root` the one below `/cli`."""

    def __init__(self, client: SyncClient, *, root: str, cli_root: str, label: str) -> None:
        self._client = client
        self._root = root
        self._cli_root = cli_root
        self._files = Files(label)
        self._calls = DriveCalls(label)

    def send(self, path: Path, name: str, *, moved: Moved, content_type: Optional[str] = None) -> None:
        """Store the file under a name. Raises OSError, and FileChanged when it changed while it was read."""
        before = _state_of(path)
        if before[0] <= UPLOAD_CHUNK_SIZE:
            with _open_source(path) as file:
                content = file.read()
            if len(content) != before[0]:
                raise FileChanged("It changed while it was read")
            self._client.call(self._root, self._files.put_whole(name, content, content_type))
            moved(len(content))
        else:
            self._send_parts(path, name, before, moved, content_type)

    def _send_parts(
        self, path: Path, name: str, before: tuple[int, int], moved: Moved, content_type: Optional[str]
    ) -> None:
        size = before[0]
        start = self._calls.start(name, size=size, fingerprint=f"deta {size}", content_type=content_type)
        upload = self._client.call(self._cli_root, start)
        sent: dict[int, str] = {}
        with _open_source(path) as file, ThreadPoolExecutor(PARALLEL_PARTS) as threads:
            running: set[Sent] = set()
            try:
                for number, content in _parts_of(file, upload.part_size):
                    running.add(threads.submit(self._send_part, upload, number, content))
                    del content
                    if len(running) >= PARALLEL_PARTS:
                        running = _take_ended(running, sent, moved)
                while running:
                    running = _take_ended(running, sent, moved)
            finally:
                for future in running:
                    future.cancel()
        # What is there stays there: the next try finds the parts that have not changed.
        if _state_of(path) != before:
            raise FileChanged("It changed while it was sent: run it again")
        made = self._client.call(self._cli_root, self._calls.end(upload.id))
        if made != hashes.join([sent[number] for number in sorted(sent)]):
            raise FileChanged("The server has something else than was sent: run it again")

    def _send_part(self, upload: OpenUpload, number: int, content: bytes) -> tuple[int, str, int]:
        digest = hashes.md5(content)
        if upload.there.get(number) != digest:
            self._client.call(self._cli_root, self._calls.part(upload.id, number, content))
        return number, digest, len(content)


def fetch(drive: Drive, file: RemoteFile, place: Path, *, moved: Moved) -> None:
    """Bring a file to its place. Raises OSError, and FileChanged when it is another one by now."""
    mark = hashlib.sha256(f"{file.name}\x00{file.hash}".encode()).hexdigest()[:24]
    part = place.parent / f"{PART_PREFIX}{mark}"
    there = _length_of(part)
    if there is not None and (there > file.size or (there == file.size and not _is_whole(part, file))):
        part.unlink()
        there = None
    moved(there or 0)
    if there is None or there < file.size:
        try:
            _fetch_rest(drive, file, part, there or 0, moved)
        except FileChanged:
            part.unlink(missing_ok=True)
            raise
    if not _is_whole(part, file):
        part.unlink()
        raise FileChanged("It changed while it came: run it again")
    part.replace(place)


def _fetch_rest(drive: Drive, file: RemoteFile, part: Path, offset: int, moved: Moved) -> None:
    body = drive.get_rest(file.name, offset=offset, etag=f'"{file.hash}"')
    if body is None:
        raise FileChanged("It was deleted meanwhile")
    with body, _open_part(part) as written:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            written.write(chunk)
            moved(len(chunk))


def _open_source(path: Path) -> IO[bytes]:
    """To read. What was a file a moment ago may be a symbolic link by now, which is not followed."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags), "rb")


def _open_part(part: Path) -> IO[bytes]:
    """To write behind what is there. A symbolic link in its place is not followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(part, flags, 0o666), "ab")


def _parts_of(file: IO[bytes], size: int) -> Iterator[tuple[int, bytes]]:
    number = 0
    while content := file.read(size):
        number += 1
        yield number, content


def _take_ended(running: set[Sent], sent: dict[int, str], moved: Moved) -> set[Sent]:
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        number, digest, size = future.result()
        sent[number] = digest
        moved(size)
    return left


def _state_of(path: Path) -> tuple[int, int]:
    """Size in bytes and time of the last change."""
    known = path.lstat()
    return known.st_size, known.st_mtime_ns


def _is_whole(part: Path, file: RemoteFile) -> bool:
    return hashes.hash_file(part, file.parts) == file.hash


def _length_of(part: Path) -> Optional[int]:
    """In bytes; None when there is no such file."""
    try:
        return part.lstat().st_size
    except FileNotFoundError:
        return None
