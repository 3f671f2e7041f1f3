"""The bodies of requests on their way in: in memory while there is room for all of them together, else in a file.

A thread gets a body when all of it is here. What it is like, and how much is wanted of it, is for `console/streams.py` to say.
"""

import contextlib
import io
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any

# In the variables of a request whose body is still on its way.
AWAITED = "homeport.body_is_awaited"
# In those of one whose body broke off: the length that was announced, None when it came in chunks.
CUT = "homeport.body_was_cut"


class BodyAwaited(BaseException):
    """The application wants the body of a request, of which not all is here: it is asked again when it is.

    One over `most_bytes` is refused. `may_fill_disk` says that it may go to a file where memory is short: not for strangers.
    No Exception, as it is no error: nothing between there and the server may answer it.
    """

    def __init__(self, most_bytes: int, *, may_fill_disk: bool = True) -> None:
        super().__init__(most_bytes)
        self.most_bytes, self.may_fill_disk = most_bytes, may_fill_disk


class AwaitedBody:
    """Stands for a body that is still on its way, where the application looks for it."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes` is what a reader gets that has no limit of its own."""
        self.most_bytes = most_bytes

    def read(self, *_: Any) -> bytes:
        """Raises BodyAwaited."""
        raise BodyAwaited(self.most_bytes, may_fill_disk=False)

    readline = read


class Memory:
    """How much of a worker's memory the bodies that are coming in take."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes

    def take(self, size_bytes: int) -> bool:
        """Take so much, if there is so much left."""
        if size_bytes > self._left:
            return False
        self._left -= size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """Give back what was taken."""
        self._left += size_bytes


class NoRoom(Exception):
    """There is no memory left for the body, and it may not go to a file."""


class IncomingBody:
    """One body. `length` is what was announced, None when it comes in chunks; `got` is how much is here."""

    __slots__ = ("_content", "_folder", "_memory", "_taken", "got", "length", "may_fill_disk")

    def __init__(self, length: int | None, *, memory: Memory, folder: Path) -> None:
        self.length = length
        self.got = 0
        self.may_fill_disk = False
        self._memory, self._folder = memory, folder
        # One piece of memory, however many chunks it comes in: as an object of its own each would take some fifty bytes more.
        self._content: IO[bytes] = io.BytesIO()
        self._taken = 0

    def add(self, chunk: bytes) -> None:
        """Keep the next bytes. Raises NoRoom, and OSError when they are to go to a file and the disk is full."""
        self.got += len(chunk)
        if isinstance(self._content, io.BytesIO):
            if self._memory.take(len(chunk)):
                self._taken += len(chunk)
            elif self.may_fill_disk:
                self._move_to_file()
            else:
                raise NoRoom
        self._content.write(chunk)

    def open(self) -> IO[bytes]:
        """All of it, to be read from the beginning. Raises OSError as `add` does."""
        self._content.seek(0)
        return self._content

    def close(self) -> None:
        """Free what it takes."""
        # What a full disk did not take is tried once more then, and is wanted by nobody. Memory that somebody still looks at, as
        # the trace of an error does, is freed with the last who does.
        with contextlib.suppress(OSError, BufferError):
            self._content.close()
        self._forget_memory()

    def _move_to_file(self) -> None:
        # It has no name, and is gone with the last who has it open.
        kept, self._content = self._content, tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (see `close`)
        kept.seek(0)
        shutil.copyfileobj(kept, self._content)
        self._forget_memory()

    def _forget_memory(self) -> None:
        self._memory.give_back(self._taken)
        self._taken = 0
