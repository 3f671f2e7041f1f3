"""The database's log in a target: a file for each segment, compressed, whose name says all that there is to know of it.

`wal/<line>/<16 digits>/<segment>-<bytes>-<until>-<SHA-256>.zst`: the name that PostgreSQL has for the segment, how many bytes of
it are there (hexadecimal), the moment until which the log is whole with it, and the SHA-256 of this file. The segment that is
being written comes again and again, each time with more bytes, and takes the place of what was there of it.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from storage.backups.targets.manifest import LOG

_NAME = re.compile(
    r"wal/([0-9a-f]{32})/[0-9A-F]{16}/([0-9A-F]{24})-([0-9a-f]{8})-([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)-([0-9a-f]{64})\.zst"
)
_TIME = "%Y%m%dT%H%M%S.%fZ"


class Segment(NamedTuple):
    """A part of the log: the first `size_bytes` of a segment; with it the log is whole `until` that moment."""

    line: str
    name: str
    size_bytes: int
    until: datetime
    sha256: str

    @property
    def path(self) -> str:
        """Its name in the target."""
        until = self.until.astimezone(UTC).strftime(_TIME)
        return f"{LOG}{self.line}/{self.name[:16]}/{self.name}-{self.size_bytes:08x}-{until}-{self.sha256}.zst"

    def has_position(self, position: str) -> bool:
        """Whether a position, as PostgreSQL writes it, is in this segment, where segments have 16 MB as ours do."""
        high, low = (int(part, 16) for part in position.split("/"))
        return self.name[8:] == f"{high:08X}{low // (16 * 1024 * 1024):08X}"


def read_segment(path: str) -> Segment | None:
    """A part of the log by its name in the target; None when it is none."""
    found = _NAME.fullmatch(path)
    if found is None:
        return None
    line, name, size, until, digest = found.groups()
    return Segment(line, name, int(size, 16), datetime.strptime(until, _TIME).replace(tzinfo=UTC), digest)


def following(name: str, segment_bytes: int) -> str:
    """The name of the segment behind this one, on the same timeline."""
    timeline, high, low = name[:8], int(name[8:16], 16), int(name[16:], 16)
    number = high * (0x1_0000_0000 // segment_bytes) + low + 1
    high, low = divmod(number, 0x1_0000_0000 // segment_bytes)
    return f"{timeline}{high:08X}{low:08X}"


def longest_of_each(segments: Iterable[Segment]) -> dict[str, Segment]:
    """Of each segment, by its name, what has the most of it."""
    found: dict[str, Segment] = {}
    for each in segments:
        known = found.get(each.name)
        if known is None or (each.size_bytes, each.until) > (known.size_bytes, known.until):
            found[each.name] = each
    return found


def unbroken(segments: Iterable[Segment], *, first: str, segment_bytes: int) -> list[Segment]:
    """The log from a segment on, up to where one is missing or not whole; empty when the first is missing."""
    known = longest_of_each(segments)
    found: list[Segment] = []
    name = first
    while each := known.get(name):
        found.append(each)
        if each.size_bytes < segment_bytes:
            break
        name = following(name, segment_bytes)
    return found
