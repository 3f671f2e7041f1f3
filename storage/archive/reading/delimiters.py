"""How a table's cells are told apart: by the character that gives rows of equal length. Pure."""

import csv
import io
import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from storage.archive.reading.columns import kind_of

_CANDIDATES = (",", ";", "\t", "|")
# A line of its own in which Excel says it: sep=;
_SAID = re.compile(r'"?+sep=([,;\t|])"?+\r?+\n', re.IGNORECASE)
# Where nothing gives equal rows, there is one column: nobody's text holds this.
ONE_COLUMN = "\x1f"
_ROWS_LOOKED_AT = 200
NAMES = {
    ",": "commas between cells",
    ";": "semicolons between cells",
    "\t": "tabs between cells",
    "|": "bars between cells",
    ONE_COLUMN: "one column",
}


class Dialect(NamedTuple):
    """The character between cells, whether spaces behind it are none of theirs, and how many lines stand before the first row."""

    delimiter: str
    skips_spaces: bool = False
    lines_before: int = 0

    @property
    def has_comma(self) -> bool:
        """Whether a comma may be a decimal one."""
        return self.delimiter == ";"


class _Fit(NamedTuple):
    """How well a character does, the better the greater: equal rows first, then cells that are something, then columns."""

    is_equal: bool
    equal: float
    typed: float
    columns: int


def find_dialect(beginning: str, *, is_whole: bool) -> Dialect:
    """The dialect of a table by its beginning, which may end in the middle of a row unless it `is_whole`."""
    said = _SAID.match(beginning)
    if said:
        return Dialect(said[1], _has_spaces(beginning[said.end() :], said[1]), 1)
    if not is_whole:
        beginning = beginning[: beginning.rfind("\n") + 1] or beginning
    best, best_fit = Dialect(ONE_COLUMN), _Fit(False, 0.0, 0.0, 1)
    for delimiter in _CANDIDATES:
        for skips_spaces in (False, True):
            rows = _rows(beginning, delimiter, skips_spaces=skips_spaces)
            if not rows or max(map(len, rows)) < 2:
                continue
            fit = _fit(rows, delimiter)
            if fit > best_fit and fit.equal:
                best, best_fit = Dialect(delimiter, skips_spaces), fit
    if not best.skips_spaces and _has_spaces(beginning, best.delimiter):
        best = best._replace(skips_spaces=True)
    return best


def _rows(text: str, delimiter: str, *, skips_spaces: bool) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=skips_spaces)
    try:
        return [row for row in islice(reader, _ROWS_LOOKED_AT) if any(cell.strip() for cell in row)]
    except csv.Error:
        return []


def _fit(rows: Sequence[Sequence[str]], delimiter: str) -> _Fit:
    """Of the first row, which names the columns, only the number of its cells counts, unless it is the only one."""
    head, *others = rows
    others = others or [head]
    equal = sum(len(row) == len(head) for row in others) / len(others) if len(head) > 1 else 0.0
    if not equal and min(map(len, others)) == max(map(len, others)) > 1:
        equal = 0.01  # all but the first agree: the names are too few, or too many
    cells = [cell for row in others for cell in row]
    kinds = [kind_of(cell, has_comma=delimiter == ";") for cell in cells]
    typed = sum(kind not in ("text", "empty") for kind in kinds) / len(kinds)
    return _Fit(equal == 1, equal, typed, len(head))


def _has_spaces(text: str, delimiter: str) -> bool:
    """Whether the names in the first line stand behind spaces, all of them: then so do the cells."""
    first = text.partition("\n")[0].split(delimiter)[1:]
    return bool(first) and all(name.startswith(" ") and name.strip() for name in first)
