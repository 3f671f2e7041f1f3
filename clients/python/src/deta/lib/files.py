"""Cloud Files: files by name, without a Drive to choose. They are kept in the Drive `cloud_files` of the collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from deta.bodies import DriveStreamingBody
from deta.deta import Drive
from deta.drive import Drive as _Drive
from deta.errors import InvalidArgument
from deta.files import Data

DRIVE_NAME = "cloud_files"
_CHUNK_BYTES = 1024

# `list` is one of the four functions, and hides the type below.
_Names = list[str]


class StreamingBody(DriveStreamingBody):
    """A file's bytes as they come; to iterate over it gives 1 KB at a time."""

    def read(self, amt: Optional[int] = None) -> bytes:
        """All that is left, or up to `amt` bytes."""
        return super().read(amt)

    def next(self) -> bytes:
        """The next 1 KB. Raises StopIteration at the end."""
        chunk = self.read(_CHUNK_BYTES)
        if not chunk:
            raise StopIteration
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self.next()

    def set_socket_timeout(self, timeout: float) -> None:
        """How many seconds the network may be silent."""
        if timeout <= 0:
            raise InvalidArgument("A timeout is a positive number of seconds")
        self._set_read_timeout(timeout)


def put(name: str, content: Data) -> str:
    """Store text, bytes or what a file object holds, and return the name."""
    return _drive().put(name, content)


def get(name: str) -> Optional[StreamingBody]:
    """The file as a stream, or None."""
    return _drive().get_as(StreamingBody, name)


def list(dir: Optional[str] = None) -> _Names:  # noqa: A001, A002 (documented so)
    """The names of all files, or of those in a directory and what lies below it."""
    prefix = None if not dir or not dir.strip("/") else dir.rstrip("/") + "/"
    return [*_drive().list_all(prefix)]


def delete(name: str) -> None:
    """Delete a file, if there is one."""
    _drive().delete(name)


def _drive() -> _Drive:
    return Drive(DRIVE_NAME)
