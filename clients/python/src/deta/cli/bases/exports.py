"""Items to a stream: JSON lines, a JSON list, or CSV, page by page.

In CSV a text stands as it is and any other value as its JSON, and a missing attribute is an empty field. Its columns are those of
the first 10,000 items; what later ones have besides stands as JSON in one more column, so that nothing is lost.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

from deta.cli import exact_json
from deta.cli.bases.records import OTHERS, Format, csv_field
from deta.items import Item

_LOOKED_AT = 10_000


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
    following = next(items, None)
    rest = iter(()) if following is None else chain([following], items)
    heads = ["key", *names]
    # An attribute that is itself called so stands in there as well.
    has_others = following is not None or any(OTHERS in item for item in first)
    yield _line([*heads, *([OTHERS] if has_others else [])])
    for item in chain(first, rest):
        left = dict(item)
        fields = [str(left.pop("key", ""))]
        fields += [csv_field(left.pop(name)) if name in left else "" for name in names]
        if has_others:
            fields.append(exact_json.dump(left) if left else "")
        yield _line(fields)


def _line(fields: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(fields)
    return written.getvalue()
