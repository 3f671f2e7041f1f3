"""Items as CSV. Pure.

A string stands as it is and any other value as its JSON, so numbers keep their digits; a missing attribute is an empty field.
The columns are those of the first 10,000 items; what later items have beside them is kept too, as JSON in one more column.
A spreadsheet takes a text that begins with `=` for a formula: values stay exact here, and `docs/base-ui.md` says so.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

import msgspec

from storage.exact_json import join, split

ITEMS_LOOKED_AT = 10_000
OTHERS = "other attributes"


def write(items: Iterator[str]) -> Iterator[str]:
    """The lines of a CSV file, of whole items as JSON texts. `OTHERS` is a column only where not all items were looked at."""
    first = list(islice(items, ITEMS_LOOKED_AT))
    seen = Counter(name for text in first for name in split(text) if name != "key")
    names = [name for name, _ in seen.most_common()]
    following = next(items, None)
    rest = [] if following is None else chain([following], items)
    with_others = following is not None
    yield _line(["key", *names, *([OTHERS] if with_others else [])])
    for text in chain(first, rest):
        members = split(text)
        fields = [_field(members.pop(name, None)) for name in ("key", *names)]
        yield _line([*fields, *([join(members) if members else ""] if with_others else [])])


def _field(text: str | None) -> str:
    if text is None:
        return ""
    value: str = msgspec.json.decode(text) if text.startswith('"') else text
    return value


def _line(fields: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(fields)
    return written.getvalue()
