"""Two texts line by line, and JSON as lines. Pure; the comparing itself is `difflib`'s."""

import difflib
import re
from typing import NamedTuple

import msgspec

# More lines than anybody compares by eye, and few enough to be compared at once.
_MOST_LINES = 3_000
_CONTEXT = 3
# So few that comparing them takes a few milliseconds at worst.
_FEW_LINES = 100
_INDENT_MAX_CHARACTERS = 4_194_304
_SIGN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
# The place of a first group of lines that begins with the first of all: nothing was left out above it.
_STARTS_ABOVE = re.compile(r"@@ -[01](,\d+)? ")


class DiffLine(NamedTuple):
    """`kind` is "same", "old", "new" or "gap"."""

    kind: str
    text: str


def compare(old: str, new: str) -> list[DiffLine]:
    """What differs, with a few lines around it; nothing when nothing does. Takes time by the cube of the lines at worst."""
    before, after = old.splitlines()[:_MOST_LINES], new.splitlines()[:_MOST_LINES]
    kinds = {" ": "same", "-": "old", "+": "new", "@": "gap"}
    # The first two lines name the two sides.
    lines = list(difflib.unified_diff(before, after, n=_CONTEXT, lineterm=""))[2:]
    if lines and _STARTS_ABOVE.match(lines[0]):
        del lines[0]
    return [DiffLine(kinds[line[0]], "…" if line[0] == "@" else line[1:]) for line in lines]


def is_quickly_compared(old: str, new: str) -> bool:
    """Whether `compare` is known to be done at once, whatever the lines are."""
    return max(len(old.splitlines()), len(new.splitlines())) <= _FEW_LINES


def compare_roughly(old: str, new: str) -> list[DiffLine]:
    """The same by the first and the last line that differ: everything between those is old, then new. Takes linear time."""
    before, after = old.splitlines()[:_MOST_LINES], new.splitlines()[:_MOST_LINES]
    if before == after:
        return []
    top = _count_same(before, after)
    bottom = _count_same(before[top:][::-1], after[top:][::-1])
    above, below = before[max(0, top - _CONTEXT) : top], before[len(before) - bottom :][:_CONTEXT]
    return [
        *([DiffLine("gap", "…")] if top > _CONTEXT else []),
        *(DiffLine("same", line) for line in above),
        *(DiffLine("old", line) for line in before[top : len(before) - bottom]),
        *(DiffLine("new", line) for line in after[top : len(after) - bottom]),
        *(DiffLine("same", line) for line in below),
    ]


def _count_same(one: list[str], other: list[str]) -> int:
    """How many lines both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def pretty(text: str) -> str:
    """JSON with a line for each value, its numbers as they were written; any other text as it is.

    So is JSON that would grow beyond all measure, as what is nested a thousand deep does: each line of it is indented.
    """
    if _indented_characters(text) > _INDENT_MAX_CHARACTERS:
        return text
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text


def _indented_characters(text: str) -> int:
    """At most so many spaces are put in front of the lines of a JSON text. Looks at each character once."""
    level = deepest = lines = 0
    for match in _SIGN.finditer(text):
        sign = match[0]
        if sign in "[{":
            level += 1
            deepest = max(deepest, level)
        elif sign in "]}":
            level -= 1
        lines += sign[0] != '"'
    return 2 * deepest * lines
