"""What comes out of a sandbox's pipes, line by line: read at once whatever it is, so that no app waits for its log.

A line's length and a Micro's lines a second are bounded; what is over is counted and left out. A line that a runtime tagged with
the request it was printed for (`\\x1e<request>\\x1f<text>`) keeps the tag: an app that forges one names its own requests at most.
"""

import os
import uuid
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO

from storage import limits
from storage.micro_host import Line, Source

_CHUNK_BYTES = 65_536
# Characters of UTF-8 have up to four bytes, and the tag comes before them.
_LINE_MAX_BYTES = limits.MICRO_LINE_MAX_CHARACTERS * 4 + 64
# A few more than a line may have, so that no secret is cut in half before it is found.
_KEPT_CHARACTERS = limits.MICRO_LINE_MAX_CHARACTERS + 512
_END_LINES = 100
_TAG, _TAG_END = "\x1e", "\x1f"


class Splitter:
    """Makes lines of what comes in pieces, and holds no more than a line's most."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._is_skipping = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that end in it, each cut to its most."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            yield self._end(piece)
        self._add(rest)

    def skip(self, data: bytes) -> int:
        """The same for lines that nobody wants: how many there are."""
        count = data.count(b"\n")
        if count:
            self._begun.clear()
            self._is_skipping = False
            data = data[data.rindex(b"\n") + 1 :]
        self._add(data)
        return count

    def rest(self) -> bytes:
        """What came after the last line's end."""
        return self._end(b"")

    def _add(self, piece: bytes) -> None:
        if not self._is_skipping:
            self._begun += piece[: _LINE_MAX_BYTES - len(self._begun)]
            self._is_skipping = len(self._begun) >= _LINE_MAX_BYTES

    def _end(self, piece: bytes) -> bytes:
        self._add(piece)
        line = bytes(self._begun)
        self._begun.clear()
        self._is_skipping = False
        return line


class Allowance:
    """How many lines a Micro may still have printed now: a number that grows by the second up to a most."""

    def __init__(self, now: float) -> None:
        self._left = float(limits.MICRO_LINES_AT_ONCE)
        self._at = now
        self.left_out = 0

    def take(self, now: float) -> bool:
        """Whether there is one more; otherwise it counts as left out."""
        self._refill(now)
        if self._left < 1:
            self.left_out += 1
            return False
        self._left -= 1
        return True

    def is_spent(self, now: float) -> bool:
        """Whether the next one would be left out."""
        self._refill(now)
        return self._left < 1

    def _refill(self, now: float) -> None:
        gained = (now - self._at) * limits.MICRO_LINES_PER_SECOND
        self._left = min(self._left + gained, float(limits.MICRO_LINES_AT_ONCE))
        self._at = now


class Output:
    """Reads both pipes of one instance. `tell` gets each line, as `hide` leaves it; `ending` keeps the last ones."""

    def __init__(
        self,
        micro_id: str,
        deployment_id: uuid.UUID | None,
        *,
        allowance: Allowance,
        tell: Callable[[Line], None],
        hide: Callable[[str], str],
        loop: AbstractEventLoop,
    ) -> None:
        self._micro_id, self._deployment_id = micro_id, deployment_id
        self._allowance, self._tell, self._loop, self._hide = allowance, tell, loop, hide
        self._pipes: dict[int, tuple[IO[bytes], Source, Splitter]] = {}
        self._last: deque[str] = deque(maxlen=_END_LINES)

    def read_from(self, pipe: IO[bytes], source: Source) -> None:
        """Take over a pipe's end, which is closed when the other one is."""
        descriptor = pipe.fileno()
        os.set_blocking(descriptor, False)
        self._pipes[descriptor] = (pipe, source, Splitter())
        self._loop.add_reader(descriptor, self._read, descriptor)

    def close(self) -> None:
        """Take what is there already, and read no more."""
        for descriptor in list(self._pipes):
            # What is left is bounded by the pipe's size, unless somebody still writes.
            for _ in range(16):
                if descriptor not in self._pipes or not self._read(descriptor):
                    break
            if descriptor in self._pipes:
                self._end(descriptor)
        self.say_left_out()

    @property
    def ending(self) -> str:
        """The last lines of both, as they came."""
        return "\n".join(self._last)

    def say(self, text: str, *, source: Source = Source.SERVER) -> None:
        """Add a line of our own."""
        self._tell(Line(self._micro_id, datetime.now(UTC), text, source, self._deployment_id))

    def say_left_out(self) -> None:
        """Tell how many lines were left out since the last time, if any."""
        count, self._allowance.left_out = self._allowance.left_out, 0
        if count:
            most = limits.MICRO_LINES_PER_SECOND
            self.say(f"{count:,} lines were left out here: more than {most} a second.")

    def _read(self, descriptor: int) -> bool:
        """Take what is there; False when nothing was."""
        try:
            data = os.read(descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._end(descriptor)
            return False
        _, source, splitter = self._pipes[descriptor]
        now = self._loop.time()
        if self._allowance.is_spent(now):
            self._allowance.left_out += splitter.skip(data)
        else:
            for line in splitter.feed(data):
                self._take(line, source, now)
        return True

    def _end(self, descriptor: int) -> None:
        pipe, source, splitter = self._pipes.pop(descriptor)
        self._loop.remove_reader(descriptor)
        pipe.close()
        if rest := splitter.rest():
            self._take(rest, source, self._loop.time())

    def _take(self, raw: bytes, source: Source, now: float) -> None:
        if not self._allowance.take(now):
            return
        text = raw.decode("utf-8", "replace").rstrip("\r").replace("\x00", "\ufffd")
        request_id, text = _untag(text)
        text = self._hide(text)[:_KEPT_CHARACTERS]
        self._last.append(text)
        self._tell(Line(self._micro_id, datetime.now(UTC), text, source, self._deployment_id, request_id))


def _untag(text: str) -> tuple[uuid.UUID | None, str]:
    if not text.startswith(_TAG):
        return None, text
    tag, end, rest = text[1:].partition(_TAG_END)
    try:
        return (uuid.UUID(tag), rest) if end else (None, text)
    except ValueError:
        return None, text
