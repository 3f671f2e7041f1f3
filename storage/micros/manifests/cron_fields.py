"""The five fields of a Spacefile's schedules as the six that a Micro's have. Pure."""

import re

_NUMBER = re.compile(r"\d+", re.ASCII)


def as_six_fields(text: str) -> str:
    """`0/15 * * * *` becomes `0/15 * * * ? *`: of the two days one is left open, Sunday is 1, and every year counts.

    What has not five fields is left as it is: whoever makes a schedule of it says what is wrong.
    """
    fields = text.split()
    if len(fields) != 5:
        return text
    minute, hour, day, month, weekday = fields
    if weekday in ("*", "?"):
        weekday = "?"
        day = "*" if day == "?" else day
    elif day in ("*", "?"):
        day, weekday = "?", _from_one(weekday)
    return " ".join([minute, hour, day, month, weekday, "*"])


def _from_one(weekday: str) -> str:
    """Sunday is 0 or 7 in five fields, and 1 in six. A step behind `/` is no day."""
    days, slash, step = weekday.partition("/")
    return _NUMBER.sub(lambda found: str(int(found[0]) % 7 + 1), days) + slash + step
