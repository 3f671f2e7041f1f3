"""The filter of a Base's history, from the query string of its pages. Pure.

Invalid values are ignored; the form shows the valid ones. Moments are in UTC, as a browser's field writes them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from storage import limits
from storage.exact_json import parse
from storage.history.undo_batches import Writer
from storage.history.versions import Conditions, Version
from storage.numbers import BEYOND, read_number

# What became of the items.
KINDS = {"c": "Created", "u": "Changed", "d": "Deleted", "e": "Expired"}

_EVENT_ID = re.compile("[0-9a-f]{32}")
_PATH_MAX_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Filters:
    """The fields of the form as texts; "" for an empty one. `by` is a writer, `event` a recorded request's id."""

    by: str = ""
    kind: str = ""
    attribute: str = ""
    key: str = ""
    since: str = ""
    until: str = ""
    event: str = ""

    @property
    def query(self) -> str:
        """As a query string, without empty fields."""
        return urlencode({name: value for name in self.__slots__ if (value := getattr(self, name))})

    @property
    def writer(self) -> Writer | None:
        return read_writer(self.by)

    @property
    def conditions(self) -> Conditions:
        """For storage. The item's key is not among them: an item has a list of its own."""
        writer = self.writer or Writer()
        return Conditions(
            key_id=writer.key_id,
            person_id=writer.person_id,
            attribute=tuple(self.attribute.split(".")) if self.attribute else None,
            kind=self.kind or None,
            since=read_time(self.since),
            until=read_time(self.until),
        )

    def meets(self, version: Version) -> bool:
        """Whether a version is among those that the filter means, but for the item's key."""
        asked = self.conditions
        return (
            (asked.key_id is None or version.by_key == asked.key_id)
            and (asked.person_id is None or version.by_person == asked.person_id)
            and (asked.kind is None or version.kind == asked.kind)
            and (asked.since is None or version.at >= asked.since)
            and (asked.until is None or version.at < asked.until)
            and (asked.attribute is None or _is_changed(version, asked.attribute))
        )


def _is_changed(version: Version, path: tuple[str, ...]) -> bool:
    return version.is_kept and _find(version.before, path) != _find(version.after, path)


def _find(item: str | None, path: tuple[str, ...]) -> object:
    """What stands at the path in an item's JSON; None for nothing."""
    value = None if item is None else parse(item.encode())
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def read_filters(given: Mapping[str, str], *, sees_keys: bool) -> Filters:
    """From a query string's parameters; a data key is ignored for who may not know which there are."""

    def text(name: str, most: int = _PATH_MAX_CHARACTERS) -> str:
        return given.get(name, "").strip()[:most]

    def time(name: str) -> str:
        return text(name) if read_time(text(name)) else ""

    writer = read_writer(text("by"))
    is_allowed = writer is not None and (sees_keys or writer.key_id is None)
    return Filters(
        by=text("by") if is_allowed else "",
        kind=text("kind") if text("kind") in KINDS else "",
        attribute=text("attribute"),
        key=given.get("key", "")[: limits.KEY_MAX_BYTES],
        since=time("since"),
        until=time("until"),
        event=text("event") if _EVENT_ID.fullmatch(text("event")) else "",
    )


def read_writer(text: str) -> Writer | None:
    """`k` or `p` and an id; None for anything else."""
    number = read_number(text[1:])
    if text[:1] not in ("k", "p") or number is None or number >= BEYOND:
        return None
    return Writer(key_id=number) if text.startswith("k") else Writer(person_id=number)


def read_time(text: str) -> datetime | None:
    """A moment in UTC; with a zone of its own it is that moment. None for what is none."""
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_version(text: str) -> int | None:
    """The id of a version to go on before, or None."""
    number = read_number(text)
    return number if number is not None and number < BEYOND else None
