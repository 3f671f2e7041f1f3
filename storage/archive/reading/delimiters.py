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
    """The character between cells, whether spaces around it are none of theirs, and how many lines stand before the first row."""

    delimiter: str
    skips_spaces: bool = False  # behind it
    lines_before: int = 0
    has_spaces_before: bool = False

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
    rows: int


def find_dialect(beginning: str, *, is_whole: bool) -> Dialect:
    """The dialect of a table by its beginning, which may end in the middle of a row unless it `is_whole`."""
    said = _SAID.match(beginning)
    if said:
        return _with_spaces(Dialect(said[1], lines_before=1), beginning[said.end() :])
    if not is_whole:
        beginning = beginning[: beginning.rfind("\n") + 1] or beginning
    return _with_spaces(_find_best(beginning)[0], beginning)


def has_equal_rows(beginning: str, *, is_whole: bool) -> bool:
    """Whether a text is surely a table: some character gives two rows or more, and all of them equally many cells."""
    if not is_whole:
        beginning = beginning[: beginning.rfind("\n") + 1] or beginning
    fit = _find_best(beginning)[1]
    return fit.is_equal and fit.rows > 1


def _find_best(beginning: str) -> tuple[Dialect, "_Fit"]:
    best, best_fit = Dialect(ONE_COLUMN), _Fit(False, 0.0, 0.0, 1, 0)
    for delimiter in _CANDIDATES:
        for skips_spaces in (False, True):
            rows = _rows(beginning, delimiter, skips_spaces=skips_spaces)
            if not rows or max(map(len, rows)) < 2:
                continue
            fit = _fit(rows, delimiter)
            if fit > best_fit and fit.equal:
                best, best_fit = Dialect(delimiter, skips_spaces), fit
    return best, best_fit


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
    equal = sum(_width(row, len(head)) == len(head) for row in others) / len(others) if len(head) > 1 else 0.0
    if not equal and len(head) > 1 and min(map(len, others)) == max(map(len, others)) > 1:
        equal = 0.01  # all but the first agree: the names are too few, or too many
    cells = [cell for row in others for cell in row]
    kinds = [kind_of(cell, has_comma=delimiter == ";") for cell in cells]
    typed = sum(kind not in ("text", "empty") for kind in kinds) / len(kinds)
    return _Fit(equal == 1, equal, typed, len(head), len(rows))


def _width(row: Sequence[str], least: int) -> int:
    """How many cells it has without empty ones at its end, but not fewer than these."""
    width = len(row)
    while width > least and not row[width - 1].strip():
        width -= 1
    return width


def _with_spaces(dialect: Dialect, text: str) -> Dialect:
    """Where all names in the first line have spaces around the character between them, so have the cells."""
    names = text.partition("\n")[0].split(dialect.delimiter)
    is_before = len(names) > 1 and all(name.endswith(" ") for name in names[:-1])
    is_behind = len(names) > 1 and all(name.startswith(" ") and name.strip() for name in names[1:])
    return dialect._replace(
        skips_spaces=dialect.skips_spaces or is_behind, has_spaces_before=is_before and dialect.delimiter != "\t"
    )
