"""The filter of the audit log, from the query string of its pages. Pure.

Invalid values are ignored; the form shows the valid ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from storage import limits
from storage.audit.log import Conditions, Kind
from storage.numbers import BEYOND, read_number

# Who is no person of this server.
OTHERS = {"command": "The command line", "nobody": "A stranger", "server": "The server itself"}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filters:
    """The fields of the form as texts; "" for an empty one. `person` is a name, `other` one of `OTHERS`."""

    person: str = ""
    other: str = ""
    kind: str = ""
    since: str = ""
    until: str = ""

    @property
    def who(self) -> str:
        """The value of the form's one field for both."""
        return self.other or (f"person:{self.person}" if self.person else "")

    @property
    def query(self) -> str:
        """As a query string, without empty fields."""
        given = {"who": self.who, "kind": self.kind, "since": self.since, "until": self.until}
        return urlencode({name: value for name, value in given.items() if value})

    def conditions(self, collection_id: str | None) -> Conditions:
        """For storage. Days are whole ones, the last one included."""
        until = _read_day(self.until)
        return Conditions(
            collection_id,
            actor=self.other or ("person" if self.person else ""),
            name=self.person,
            kind=Kind(self.kind) if self.kind else None,
            since=_read_day(self.since),
            until=until + timedelta(days=1) if until else None,
        )


def read_filters(given: Mapping[str, str]) -> Filters:
    """From a query string's parameters."""
    who = given.get("who", "").replace("\x00", "")[: limits.AUDIT_TEXT_MAX_CHARACTERS]
    kind = given.get("kind", "")
    is_person = who.startswith("person:") and who.isprintable()
    return Filters(
        person=who.removeprefix("person:") if is_person else "",
        other=who if who in OTHERS else "",
        kind=kind if kind in Kind.__members__.values() else "",
        since=_day(given.get("since", "")),
        until=_day(given.get("until", "")),
    )


def write_cursor(at: datetime, entry_id: int) -> str:
    """Where a page ended, for an address."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{entry_id}"


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """The time and id of the entry that the page before ended with; None for anything else."""
    microseconds, entry_id = (read_number(part) for part in (*text.split("-", 1), "")[:2])
    if microseconds is None or entry_id is None or entry_id >= BEYOND:
        return None
    try:
        return _EPOCH + timedelta(microseconds=microseconds), entry_id
    except OverflowError:
        return None


def _day(text: str) -> str:
    found = _read_day(text)
    return found.date().isoformat() if found else ""


def _read_day(text: str) -> datetime | None:
    """As a browser's field writes it. The years that both Python and Postgres know, with one to spare."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if 1 < day.year < 9999 else None
