"""What spreadsheets make of values by opening a table and saving it again: an import does not take it for a change. Pure."""

import re
from contextlib import suppress
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from storage import exact_json
from storage.archive.reading.columns import FALSE_WORDS, TRUE_WORDS, read_json, read_number

_WORDS = {True: TRUE_WORDS, False: FALSE_WORDS}
# What a spreadsheet keeps of a number, and what it shows of it in a cell, in columns as wide as they are at first.
_KEPT = tuple(Context(prec=15, rounding=rounding) for rounding in (ROUND_HALF_UP, ROUND_DOWN))
_IN_EXPONENT_FORM = Context(prec=6, rounding=ROUND_HALF_UP)
_CELL_CHARACTERS = 11
_LEAST_MAGNITUDE = -4
_EXACT = Context(prec=200, rounding=ROUND_HALF_UP)
# With one digit less, it is as likely that somebody changed that.
_FEWEST_DROPPED_DIGITS = 2
# A text that a spreadsheet takes for a number, and a number as it writes one: a 1.10 comes back as 1.1, but no 1.1 as 1.10.
_LIKE_A_NUMBER = re.compile(r"[+-]?+[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]{1,3})?+")
_WRITTEN_NUMBER = re.compile(r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]*[1-9])?+|-?+[0-9](?:\.[0-9]++)?+E[+-][0-9]{2,3}+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WRITTEN_DATE = re.compile(r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})")
_TEXT_MAX_CHARACTERS = 200


def says_the_same(value: Any, stored: Any) -> bool:
    """Whether a cell only says again what is stored, though as another type or with other digits: 1.5 for 1.50."""
    if exact_json.is_number(value) and exact_json.is_number(stored):
        return Decimal(value) == Decimal(stored) or _is_shortened(Decimal(value), Decimal(stored))
    if isinstance(value, str) and isinstance(stored, str):
        return value == stored or _is_rewritten(value.strip(), stored)
    if isinstance(value, str):
        if isinstance(stored, dict | list):
            return exact_json.is_same(read_json(value.strip()), stored)
        if exact_json.is_number(stored):
            number = read_number(value.strip(), has_comma=False)
            return number is not None and says_the_same(number, stored)
        return value.strip().lower() == exact_json.dump(stored).decode() or value.strip() in _WORDS.get(stored, ())
    if isinstance(stored, str) and not isinstance(value, str | dict | list):
        return exact_json.dump(value).decode() == stored
    return exact_json.is_same(value, stored)


def _is_shortened(value: Decimal, stored: Decimal) -> bool:
    """Whether a number is what a spreadsheet leaves of the stored one.

    It keeps 15 digits, and writes of those what fits a cell of eleven characters: of 12345678901234567890 stay
    12345678901234500000 or 1.23457E+19, of 3.14159265358979 stays 3.141592654.
    """
    dropped = len(stored.normalize(_EXACT).as_tuple().digits) - _KEPT[0].prec
    if dropped >= _FEWEST_DROPPED_DIGITS and any(value == context.plus(stored) for context in _KEPT):
        return True
    magnitude = stored.adjusted()
    if magnitude >= _CELL_CHARACTERS or magnitude < _LEAST_MAGNITUDE:
        return (int(value.as_tuple().exponent) > 0 or magnitude < 0) and value == _IN_EXPONENT_FORM.plus(stored)
    decimals = max(_CELL_CHARACTERS - 1 - max(magnitude + 1, 1), 0)
    return value == stored.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)


def _is_rewritten(text: str, stored: str) -> bool:
    """Whether a text is what a spreadsheet makes of a stored text, which it takes for a number or a date."""
    if len(text) > _TEXT_MAX_CHARACTERS or len(stored) > _TEXT_MAX_CHARACTERS:
        return False
    if _WRITTEN_NUMBER.fullmatch(text) and _LIKE_A_NUMBER.fullmatch(stored):
        number, before = Decimal(text), Decimal(stored)
        return number == before or _is_shortened(number, before)
    if _DATE.fullmatch(stored) and (written := _WRITTEN_DATE.fullmatch(text)):
        return stored in _dates(written)
    return False


def _dates(written: re.Match[str]) -> set[str]:
    """What dates this may be, by the order of day, month and year that a country has."""
    one, two, three = int(written[1]), int(written[3]), int(written[4])
    orders = [(one, two, three)] if len(written[1]) == 4 else [(three, two, one)]
    if written[2] == "/" and len(written[1]) < 4:
        orders.append((three, one, two))
    found = set()
    for year, month, day in orders:
        with suppress(ValueError):
            found.add(date(year + (2000 if year < 100 else 0), month, day).isoformat())
    return found
