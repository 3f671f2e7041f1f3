"""Base backups as tars: one file out of a tar that goes by, and unpacking one."""

import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

_BLOCK = 512


class FileInPassing:
    """Keeps the content of one file of a tar whose bytes go by, as `pg_basebackup` writes it: names of up to 100 bytes."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._kept: list[bytes] = []
        self._header = bytearray()
        self._content_left = 0
        self._padding_left = 0
        self._is_it = False

    @property
    def content(self) -> bytes:
        """What was in it; empty when it has not come by."""
        return b"".join(self._kept)

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks."""
        for chunk in chunks:
            self._look(memoryview(chunk))
            yield chunk

    def _look(self, rest: memoryview) -> None:
        while rest:
            if self._content_left:
                taken = rest[: self._content_left]
                if self._is_it:
                    self._kept.append(bytes(taken))
                self._content_left -= len(taken)
            elif self._padding_left:
                taken = rest[: self._padding_left]
                self._padding_left -= len(taken)
            else:
                taken = rest[: _BLOCK - len(self._header)]
                self._header += taken
                if len(self._header) == _BLOCK:
                    self._begin(bytes(self._header))
                    self._header.clear()
            rest = rest[len(taken) :]

    def _begin(self, header: bytes) -> None:
        self._is_it = header[:100].rstrip(b"\0") == self._name
        self._content_left = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape").size if any(header) else 0
        self._padding_left = -self._content_left % _BLOCK


class _Chunks:
    """Chunks as a file that is read from the beginning to the end."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def read(self, size: int) -> bytes:
        found = [self._rest]
        have = len(self._rest)
        while have < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            found.append(chunk)
            have += len(chunk)
        whole = b"".join(found)
        self._rest = whole[size:]
        return whole[:size]


def unpack(chunks: Iterable[bytes], folder: Path) -> None:
    """Write what is in a tar into a folder, and read the chunks to their end.

    Raises tarfile.TarError, OSError, and what `chunks` raises.
    """
    reading = _Chunks(chunks)
    with tarfile.open(fileobj=cast("IO[bytes]", reading), mode="r|") as tar:
        tar.extractall(folder, filter="data")
    while reading.read(_BLOCK * 2048):
        pass
