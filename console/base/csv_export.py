"""Items as CSV. Pure.

In a column of texts each stands as it is. In any other a value stands as its JSON, texts in quotation marks too, so that an
import tells 12 from "12"; numbers keep their digits, and a missing attribute is an empty field, as an empty text is.
The columns are those of the first 10,000 items; what later items have beside them, or of another type than a column of texts
has, is kept too, as JSON in one more column.
A spreadsheet takes a text that begins with `=` for a formula: values stay exact here, and `docs/base-ui.md` says so.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

import msgspec

from storage.archive.reading.columns import is_surely_text
from storage.archive.reading.tables import OTHERS
from storage.exact_json import join, split

ITEMS_LOOKED_AT = 10_000


def write(items: Iterator[str]) -> Iterator[str]:
    """The lines of a CSV file, of whole items as JSON texts. `OTHERS` is a column only where not all items were looked at."""
    first = list(islice(items, ITEMS_LOOKED_AT))
    seen = Counter(name for text in first for name in split(text) if name != "key")
    names = [name for name, _ in seen.most_common()]
    of_texts = _find_columns_of_texts(first) | {"key"}
    following = next(items, None)
    rest = [] if following is None else chain([following], items)
    with_others = following is not None
    yield _line(["key", *names, *([OTHERS] if with_others else [])])
    for text in chain(first, rest):
        members = split(text)
        fields = [_take_field(members, name, is_of_texts=name in of_texts) for name in ("key", *names)]
        yield _line([*fields, *([join(members) if members else ""] if with_others else [])])


def _find_columns_of_texts(first: list[str]) -> set[str]:
    """Columns of nothing but texts, of which one at least is taken for nothing else."""
    held: set[str] = set()
    others: set[str] = set()
    for item in first:
        for name, text in split(item).items():
            if not text.startswith('"'):
                others.add(name)
            elif name not in held and is_surely_text(msgspec.json.decode(text)):
                held.add(name)
    return held - others


def _take_field(members: dict[str, str], name: str, *, is_of_texts: bool) -> str:
    """The field for an attribute, which is taken out of the item; one that does not fit its column stays there."""
    text = members.get(name, "")
    if is_of_texts and text and not text.startswith('"'):
        return ""
    members.pop(name, None)
    if is_of_texts or text == '""':
        value: str = msgspec.json.decode(text) if text else ""
        return value
    return text


def _line(fields: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(fields)
    return written.getvalue()
