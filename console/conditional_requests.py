"""Conditional and range requests: which part of a file is wanted, and whether the client has it already. Pure."""

import re
from typing import NamedTuple

from django.utils.http import parse_etags

from console.error_status import RangeNotSatisfiable

# A number with more digits than any file size has is invalid, and gets the whole file.
_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class ByteRange(NamedTuple):
    """Where the wanted bytes start, and how many there are."""

    start: int
    length: int


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether an `If-None-Match` names this ETag (with its quotes). Weak comparison, as RFC 9110 says for GET."""
    known = parse_etags(if_none_match)
    return "*" in known or etag in (each.removeprefix("W/") for each in known)


def read_strong_tags(if_match: str) -> list[str] | None:
    """The tags of an `If-Match`, without their quotes; None for `*`.

    Strong comparison: weak tags match nothing, nor does nonsense.
    """
    tags = parse_etags(if_match)
    return None if tags == ["*"] else [tag.strip('"') for tag in tags if not tag.startswith("W/")]


def is_still(if_range: str, *, etag: str, last_modified: str) -> bool:
    """Whether an `If-Range` matches the file as it is, or is absent. Strong comparison: dates must be the same text."""
    return if_range.strip() in ("", etag, last_modified)


def find_range(header: str, size_bytes: int) -> ByteRange | None:
    """The one range asked for; None for the whole file, also for several ranges or an invalid header.

    Raises RangeNotSatisfiable.
    """
    shape = _RANGE.fullmatch(header)
    if shape is None or shape[1] == shape[2] == "":
        return None
    if shape[1] == "":
        length = min(int(shape[2]), size_bytes)
        if length == 0:
            raise RangeNotSatisfiable(size_bytes)
        return ByteRange(size_bytes - length, length)
    first, last = int(shape[1]), int(shape[2]) if shape[2] else size_bytes - 1
    if shape[2] and last < first:
        return None
    if first >= size_bytes:
        raise RangeNotSatisfiable(size_bytes)
    return ByteRange(first, min(last, size_bytes - 1) - first + 1)
