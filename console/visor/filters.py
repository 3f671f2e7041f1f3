"""The filter of recorded requests, from the query string of the page. Pure.

Invalid values are ignored; the form shows the valid ones.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from storage import limits
from storage.events.queries import Conditions
from storage.numbers import read_number

STATUSES = {
    "2xx": ("2xx: success", 200, 299),
    "3xx": ("3xx: not modified", 300, 399),
    "4xx": ("4xx: refused", 400, 499),
    "5xx": ("5xx: failed", 500, 599),
    "errors": ("All errors", 400, 999),
}
ORIGINS = {"app": "From apps", "by hand": "Sent from here"}
# No Micro's id, as those are longer.
ONLY_API = "api"
_MICRO_ID = re.compile(rf"[a-z0-9]{{{limits.MICRO_ID_CHARACTERS}}}")
_MOST_TEXT = 200
_LARGEST_NUMBER = 9_999_999


@dataclass(frozen=True, slots=True)
class Filters:
    """The fields of the form as texts; "" for an empty one. `micro` is a Micro's id, or "api" for none of them."""

    path: str = ""
    status: str = ""
    method: str = ""
    key: str = ""
    text: str = ""
    slower: str = ""
    since: str = ""
    until: str = ""
    origin: str = ""
    pinned: str = ""
    micro: str = ""

    @property
    def query(self) -> str:
        """As a query string, without empty fields."""
        return urlencode({name: value for name in self.__slots__ if (value := getattr(self, name))})

    @property
    def has_more(self) -> bool:
        """Whether a filter below “More filters” is set."""
        return any((self.key, self.text, self.slower, self.since, self.until, self.origin, self.pinned))

    @property
    def conditions(self) -> Conditions:
        """The conditions for storage."""
        _, low, high = STATUSES.get(self.status, ("", 0, 999))
        return Conditions(
            status_from=low,
            status_to=high,
            method=self.method,
            path=self.path,
            key_id=int(self.key) if self.key else None,
            text=self.text,
            slower_us=int(self.slower) * 1000 if self.slower else 0,
            origin=self.origin,
            micro_id={"": None, ONLY_API: ""}.get(self.micro, self.micro),
        )

    @property
    def times(self) -> tuple[datetime | None, datetime | None]:
        """From and until when."""
        return _read_time(self.since), _read_time(self.until)


def read_filters(given: Mapping[str, str], *, sees_keys: bool = True) -> Filters:
    """From a query string's parameters; that for a data key is ignored for who may not know which there are."""

    def text(name: str) -> str:
        return given.get(name, "").strip().replace("\x00", "")[:_MOST_TEXT]

    def number(name: str) -> str:
        value = read_number(text(name))
        return "" if value is None or value > _LARGEST_NUMBER else str(value)

    def time(name: str) -> str:
        return text(name) if _read_time(text(name)) else ""

    return Filters(
        path=text("path"),
        status=text("status") if text("status") in STATUSES else "",
        method=text("method").upper() if text("method").isalpha() else "",
        key=number("key") if sees_keys else "",
        text=text("text"),
        slower=number("slower"),
        since=time("since"),
        until=time("until"),
        origin=text("origin") if text("origin") in ORIGINS else "",
        pinned="1" if text("pinned") else "",
        micro=text("micro") if text("micro") == ONLY_API or _MICRO_ID.fullmatch(text("micro")) else "",
    )


def _read_time(text: str) -> datetime | None:
    """As a browser's field writes it, in UTC."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
