"""Items to a stream: JSON lines, a JSON list, or CSV, page by page.

In a CSV's column of texts each stands as it is. In any other a value stands as its JSON, texts in quotation marks too, so that
an import tells 12 from "12"; a missing attribute is an empty field, and an empty text is "". The columns are those of the first
10,000 items; what later ones have besides stands as JSON in one more column, so that nothing is lost.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Literal

from deta.cli import exact_json
from deta.items import Item

Format = Literal["jsonl", "json", "csv"]
OTHERS = "other attributes"
_LOOKED_AT = 10_000
# Two quotation marks stand for an empty text.
_EMPTY = '""'
# What begins otherwise may be a number, JSON, or one of these words.
_SURELY_TEXT = re.compile(r"\s*+(?:[^-0-9\[{\"\s]|0[0-9])")
_WORDS = ("true", "false", "null")


def write(items: Iterator[Item], kind: Format) -> Iterator[str]:
    """The text, piece by piece."""
    return {"jsonl": _write_lines, "json": _write_list, "csv": _write_csv}[kind](items)


def _write_lines(items: Iterator[Item]) -> Iterator[str]:
    for item in items:
        yield f"{exact_json.dump(item)}\n"


def _write_list(items: Iterator[Item]) -> Iterator[str]:
    """Broken off half-way it lacks its closing bracket, so that half an export is no valid JSON."""
    yield "["
    for number, item in enumerate(items):
        yield f"{',' if number else ''}\n{exact_json.dump(item)}"
    yield "\n]\n"


def _write_csv(items: Iterator[Item]) -> Iterator[str]:
    first = list(islice(items, _LOOKED_AT))
    seen = Counter(name for item in first for name in item if name not in ("key", OTHERS))
    names = [name for name, _ in seen.most_common()]
    of_texts = _find_columns_of_texts(first)
    following = next(items, None)
    rest = iter(()) if following is None else chain([following], items)
    heads = ["key", *names]
    # An attribute that is itself called so stands in there as well.
    has_others = following is not None or any(OTHERS in item for item in first)
    yield _line([*heads, *([OTHERS] if has_others else [])])
    for item in chain(first, rest):
        left = dict(item)
        fields = [str(left.pop("key", ""))]
        fields += [_take_field(left, name, is_of_texts=name in of_texts) for name in names]
        if has_others:
            fields.append(exact_json.dump(left) if left else "")
        yield _line(fields)


def _find_columns_of_texts(first: list[Item]) -> set[str]:
    """Columns of nothing but texts, of which one at least is taken for nothing else."""
    held: set[str] = set()
    others: set[str] = set()
    for item in first:
        for name, value in item.items():
            if type(value) is not str or value == _EMPTY:
                others.add(name)
            elif _SURELY_TEXT.match(value) and value.lower() not in _WORDS:
                held.add(name)
    return held - others


def _take_field(left: Item, name: str, *, is_of_texts: bool) -> str:
    """The field for an attribute, which is taken out of the item; one that does not fit its column stays there."""
    if name not in left or (is_of_texts and (type(left[name]) is not str or left[name] == _EMPTY)):
        return ""
    value = left.pop(name)
    return value if is_of_texts and value else exact_json.dump(value)


def _line(fields: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(fields)
    return written.getvalue()
