"""When a Micro's cron functions run: the original's two forms of saying it, checked, and the times that follow from them.

A rate is a number with a unit (`5 minutes`, `1 hour`, `2 days`). A cron expression has six fields: minutes, hours, day of the
month, month, day of the week, year; `?` stands in the day field that is left open, and `L`, `W` and `#` mean the last day, the
working day next to one, and the so-manieth weekday. AWS's own wrapping `rate(...)` and `cron(...)` is understood as well. All
times are in UTC, and at whole minutes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from aws_croniter import AwsCroniter

from storage import limits
from storage.errors import InvalidInput

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_RATE = re.compile(r"([0-9]{1,9})\s+([a-z]{1,20})")
_WRAPPED = re.compile(r"(?:rate|cron)\s*\(([^()]*)\)", re.I)
# By name: what a field may hold, in words, and an expression that is right but for this field.
_FIELDS = {
    "minutes": ("0 to 59, with , - * /", "{} * * * ? *"),
    "hours": ("0 to 23, with , - * /", "0 {} * * ? *"),
    "day of the month": ("1 to 31, with , - * / ? and L or W (L, L-3, LW, 15W)", "0 0 {} * ? *"),
    "month": ("1 to 12 or JAN to DEC, with , - * /", "0 0 1 {} ? *"),
    "day of the week": ("1 (Sunday) to 7 or SUN to SAT, with , - * ? and L or # (6L, MON#2)", "0 0 ? * {} *"),
    "year": ("1970 to 2199, with , - * /", "0 0 1 1 ? {}"),
}
# Elsewhere Sunday is 0, or 7.
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_DIGIT = re.compile(r"(?<![0-9])[0-7](?![0-9])")
_DAYS = ("day of the month", "day of the week")
_LAST_WORKING_DAY = "LW"
_LAST_YEAR = 2199
_SIX = "minutes, hours, day of the month, month, day of the week, year"


@dataclass(frozen=True, slots=True)
class Expression:
    """What was said, checked. `text` is how it is written from now on; `every` is a rate's, `None` of a cron expression."""

    text: str
    every: timedelta | None = None

    def times_after(self, moment: datetime, *, since: datetime | None = None) -> Iterator[datetime]:
        """The times that follow a moment, in UTC, soonest first; none when there is none any more.

        A rate counts from `since` on, or from the moment.
        """
        if self.every is not None:
            return _times_of_rate(self.every, moment, since or moment)
        return _times_of_cron(self.text, moment)

    def next_time(self, moment: datetime, *, since: datetime | None = None) -> datetime | None:
        """The first of them."""
        return next(self.times_after(moment, since=since), None)

    def next_times(self, moment: datetime, count: int, *, since: datetime | None = None) -> list[datetime]:
        """The first few of them."""
        return list(islice(self.times_after(moment, since=since), count))


def read_expression(text: str) -> Expression:
    """What a person wrote. Spaces, case and a unit's plural are taken as they come. Raises InvalidInput, in plain words."""
    if len(text) > limits.MICRO_EXPRESSION_MAX_CHARACTERS:
        raise InvalidInput(f"A schedule has at most {limits.MICRO_EXPRESSION_MAX_CHARACTERS} characters")
    words = " ".join(text.split())
    wrapped = _WRAPPED.fullmatch(words)
    words = (wrapped[1] if wrapped else words).strip()
    if not words:
        raise InvalidInput("Say when it runs: a rate such as “5 minutes”, or a cron expression such as “0 10 * * ? *”")
    rate = _RATE.fullmatch(words.lower())
    return _read_rate(int(rate[1]), rate[2]) if rate else _read_cron(words)


def _read_rate(count: int, word: str) -> Expression:
    unit = word.removesuffix("s")
    if unit not in _UNITS:
        raise InvalidInput(f"“{word}” is no unit of a rate: minutes, hours and days are")
    most = timedelta(days=limits.MICRO_RATE_MAX_DAYS) // _UNITS[unit]
    if not 1 <= count <= most:
        raise InvalidInput(f"A rate is between 1 minute and {limits.MICRO_RATE_MAX_DAYS} days")
    return Expression(f"{count} {unit}{'' if count == 1 else 's'}", count * _UNITS[unit])


def _read_cron(written: str) -> Expression:
    if len(fields := written.split(" ")) != len(_FIELDS):
        raise InvalidInput(_say_count(fields))
    words = written.upper()
    fields = words.split(" ")
    for (name, (takes, example)), field in zip(_FIELDS.items(), fields, strict=True):
        if not _is_right(name, field, example):
            raise InvalidInput(f"“{field}” can't be the {name}: {takes}")
    day, weekday = fields[2], fields[4]
    if (day == "?") == (weekday == "?"):
        raise InvalidInput(
            "Of the two fields for a day one is “?” and the other is not: "
            f"here the day of the month is “{day}” and the day of the week “{weekday}”"
        )
    return Expression(words)


def _say_count(fields: list[str]) -> str:
    if len(fields) == len(_FIELDS) - 1:
        hint = f"this looks like another system's five; here it would be “{_six_of_five([each.upper() for each in fields])}”"
        return f"A cron expression has six fields ({_SIX}): {hint}"
    if len(fields) < len(_FIELDS) - 1:
        return f"“{' '.join(fields)}” is neither a rate such as “5 minutes” nor a cron expression, which has six fields ({_SIX})"
    return f"A cron expression has six fields ({_SIX}), and this one has {len(fields)}"


def _six_of_five(fields: list[str]) -> str:
    minutes, hours, day, month, weekday = fields
    if weekday in ("?", "*"):
        weekday = "?"
    else:
        weekday = _DIGIT.sub(lambda digit: _WEEKDAYS[int(digit[0]) % 7], weekday)
        day = "?" if day == "*" else day
    return " ".join([minutes, hours, day, month, weekday, "*"])


def _is_right(name: str, field: str, example: str) -> bool:
    """Whether it makes a right expression with the other fields of the example."""
    if name in _DAYS and field == "?":
        return True  # which of the two is open is judged for both together
    if name == "day of the week" and field.startswith("L-"):
        return False
    try:
        _parse(example.format(field))
    except ValueError:
        return False
    return True


def _parse(text: str) -> AwsCroniter:
    """Raises ValueError for what the library refuses, or falls over."""
    minutes, hours, day, month, weekday, year = text.split(" ")
    if day == _LAST_WORKING_DAY:
        day = "L"
    if weekday == "L":
        weekday = "7"  # the last day of a week
    return AwsCroniter(" ".join([minutes, hours, day, month, weekday, year]))


def _times_of_rate(every: timedelta, moment: datetime, since: datetime) -> Iterator[datetime]:
    first = since.replace(second=0, microsecond=0)
    gone = max((moment - first) // every, 0)
    while True:
        gone += 1
        yield first + gone * every


def _times_of_cron(text: str, moment: datetime) -> Iterator[datetime]:
    parsed = _parse(text)
    moment = moment.astimezone(UTC).replace(tzinfo=UTC)
    if text.split(" ")[2] != _LAST_WORKING_DAY:
        yield from _times(parsed, moment)
        return
    for last_day in _times(parsed, moment - timedelta(days=2)):
        found = last_day - timedelta(days=max(last_day.weekday() - 4, 0))
        if found > moment:
            yield found


def _times(parsed: AwsCroniter, moment: datetime) -> Iterator[datetime]:
    while (found := _next(parsed, moment)) is not None:
        yield found
        moment = found


def _next(parsed: AwsCroniter, moment: datetime) -> datetime | None:
    """The library looks no further than some years ahead, so it is asked again from later ones."""
    found: datetime | None = parsed.get_next(moment)[0]
    for year in range(moment.year + 1, _LAST_YEAR + 1):
        if found is not None or year > moment.year + limits.MICRO_SCHEDULE_LOOK_AHEAD_YEARS:
            break
        found = parsed.get_next(datetime(year, 1, 1, tzinfo=UTC), inclusive=True)[0]
    return found
