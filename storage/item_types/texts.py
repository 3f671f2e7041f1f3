"""What the texts of one attribute have in common: a format that all of them keep to, or a few values that come again and again.

Either is said only where it is certain enough: an item may come tomorrow that is different, and types are believed.
"""

import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime

# So many different texts, all of one format, are no accident.
FORMAT_MIN_DIFFERENT = 10
# Among so many texts at most a few different ones, each of them several times.
CHOICE_MIN_TEXTS, CHOICE_MAX_DIFFERENT, CHOICE_MIN_TIMES = 100, 8, 5
_CHOICE_MAX_CHARACTERS = 60
_REMEMBERED_MOST = max(FORMAT_MIN_DIFFERENT, CHOICE_MAX_DIFFERENT) + 1

# RFC 3339: with a time zone, as JSON Schema means it.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9}+)?+(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_URI = re.compile(r"https?://[A-Za-z0-9.-]++(?::\d{1,5}+)?+(?:[/?#][!-~]*+)?+")
_EMAIL = re.compile(r"[A-Za-z0-9_%+-]++(?:\.[A-Za-z0-9_%+-]++)*+@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++")


def _is_moment(text: str) -> bool:
    # Python knows no more than six digits of a second.
    return _MOMENT.fullmatch(text) is not None and _is_read(datetime.fromisoformat, text[:19])


def _is_day(text: str) -> bool:
    return _DAY.fullmatch(text) is not None and _is_read(date.fromisoformat, text)


def _is_read(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


# By the names that JSON Schema has for them.
_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _is_moment,
    "date": _is_day,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
    "email": lambda text: len(text) <= 254 and _EMAIL.fullmatch(text) is not None,
    "uri": lambda text: len(text) <= 2_048 and _URI.fullmatch(text) is not None,
}


class Texts:
    """The texts seen at one place."""

    __slots__ = ("_different", "_formats", "count")

    def __init__(self) -> None:
        self.count = 0
        self._formats = list(_FORMATS)
        # How often each came, as long as they are few.
        self._different: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """One more."""
        self.count += 1
        if self._formats:
            self._formats = [name for name in self._formats if _FORMATS[name](text)]
        if len(self._different) < _REMEMBERED_MOST or text in self._different:
            self._different[text] += 1

    @property
    def format(self) -> str:
        """The one that all keep to, as JSON Schema calls it; "" where that is not certain."""
        is_certain = len(self._different) >= FORMAT_MIN_DIFFERENT
        return self._formats[0] if self._formats and is_certain else ""

    @property
    def choices(self) -> list[str]:
        """The few that there are, sorted; none where that is not certain."""
        different = self._different
        is_certain = (
            self.count >= CHOICE_MIN_TEXTS
            and 1 < len(different) <= CHOICE_MAX_DIFFERENT
            and min(different.values()) >= CHOICE_MIN_TIMES
            and max(map(len, different)) <= _CHOICE_MAX_CHARACTERS
        )
        return sorted(different) if is_certain else []
