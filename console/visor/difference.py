"""Two answers, or an item before and after, line by line. Pure; the comparing itself is `difflib`'s."""

import difflib
import re
from typing import NamedTuple

import msgspec

from storage.events.blocks import Event

# More lines than anybody compares by eye, and few enough to be compared at once.
_MOST_LINES = 3_000
_CONTEXT = 3
# The place of a first group of lines that begins with the first of all: nothing was left out above it.
_STARTS_ABOVE = re.compile(r"@@ -[01](,\d+)? ")


class DiffLine(NamedTuple):
    """`kind` is "same", "old", "new" or "gap"."""

    kind: str
    text: str


def compare(old: str, new: str) -> list[DiffLine]:
    """What differs, with a few lines around it; nothing when nothing does."""
    before, after = old.splitlines()[:_MOST_LINES], new.splitlines()[:_MOST_LINES]
    kinds = {" ": "same", "-": "old", "+": "new", "@": "gap"}
    # The first two lines name the two sides.
    lines = list(difflib.unified_diff(before, after, n=_CONTEXT, lineterm=""))[2:]
    if lines and _STARTS_ABOVE.match(lines[0]):
        del lines[0]
    return [DiffLine(kinds[line[0]], "…" if line[0] == "@" else line[1:]) for line in lines]


def describe_answer(event: Event) -> str:
    """Status, headers and body of an answer as lines to compare."""
    content = event.content
    headers = sorted(f"{name}: {value}" for name, value in content.response_headers)
    body = pretty(content.response.text) if content.response.text is not None else content.response.digest
    return "\n".join([f"Status: {event.line.status}", *headers, "", body])


def pretty(text: str) -> str:
    """JSON with a line for each value, its numbers as they were written; any other text as it is."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text
