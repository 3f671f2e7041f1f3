"""Items as rows of the table: what each cell shows, and the HTML of it.

The HTML is put together here and not in a template: a page has up to 200,000 cells, and a template's loop takes eight times as
long for each. Everything that comes from an item is escaped; a test holds this.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import escape
from itertools import islice
from typing import NamedTuple

import msgspec
from django.utils.safestring import SafeString, mark_safe

from storage.exact_json import split

COLUMNS_MAX = 200  # beyond it an item's attributes are only counted
JSON_MAX_CHARACTERS = 2_048  # of a value that stands whole in its cell's `data-json`
PREVIEW_MAX_CHARACTERS = 200
_TYPES = {'"': "string", "{": "object", "[": "array", "t": "boolean", "f": "boolean", "n": "null"}
_MISSING = '<span class="visually-hidden">missing</span>'
_NULL = '<span class="cell-null">null</span>'
_EMPTY = '<span class="cell-empty" aria-hidden="true">""</span><span class="visually-hidden">empty text</span>'
_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_entries_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Line(NamedTuple):
    """An item to show: its whole JSON, and its revision."""

    json: str
    revision: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and how many of the page's items hold each JSON type in it ("missing" too)."""

    name: str
    types: Mapping[str, int]

    @property
    def summary(self) -> str:
        """The type as shown in the column's header."""
        held = [name for name in self.types if name not in ("missing", "null")]
        return "mixed" if len(held) > 1 else held[0] if held else "null" if "null" in self.types else ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as HTML. `columns` are those after the key, in the order of the cells; `added` are columns that were not requested."""

    columns: list[Column]
    added: list[str]
    html: list[SafeString] = field(default_factory=list)

    @property
    def all_html(self) -> SafeString:
        return mark_safe("\n".join(self.html))  # noqa: S308 -- made of escaped parts below

    @property
    def columns_json(self) -> str:
        return json.dumps([{"name": column.name, "types": dict(column.types)} for column in self.columns])

    @property
    def added_json(self) -> str:
        return json.dumps(self.added)


def type_of(text: str) -> str:
    """The JSON type of a value's text."""
    return _TYPES.get(text[0], "number")


def make_rows(lines: Iterable[Line], *, columns: Sequence[str] = (), now: datetime | None = None) -> Rows:
    """Rows with the key first, then the columns asked for, then what else the items have, the most frequent first."""
    now = now or datetime.now(UTC)
    items = [(split(line.json), line.revision) for line in lines]
    asked = list(dict.fromkeys(name for name in columns if name != "key"))[:COLUMNS_MAX]
    seen = Counter(name for members, _ in items for name in members if name != "key")
    known = set(asked)
    more = sorted((name for name in seen if name not in known), key=lambda name: -seen[name])
    added = list(islice(more, max(COLUMNS_MAX - len(asked), 0)))
    names = [*asked, *added]
    html = [_row(members, revision, names, now) for members, revision in items]
    return Rows([Column(name, _types(items, name)) for name in names], added, html)


def _types(items: list[tuple[dict[str, str], int]], name: str) -> Mapping[str, int]:
    counted = Counter(type_of(members[name]) if name in members else "missing" for members, _ in items)
    return dict(counted.most_common())


def _row(members: Mapping[str, str], revision: int, names: Sequence[str], now: datetime) -> SafeString:
    key = escape(msgspec.json.decode(members["key"]))
    beyond = len(members) - 1 - sum(name in members for name in names)
    more = f' data-more="{beyond}"' if beyond else ""
    cells = "".join(_cell(name, members.get(name), now) for name in ("key", *names))
    return mark_safe(  # noqa: S308 (every part was escaped above)
        f'<div role="row" class="grid-row" data-key="{key}" data-revision="{revision}"{more}>{cells}</div>'
    )


def _cell(name: str, text: str | None, now: datetime) -> str:
    """One cell; `text` is the value's JSON, None for a missing attribute."""
    said = escape(name)
    if text is None:
        return f'<div role="gridcell" class="cell" data-name="{said}" data-type="missing">{_MISSING}</div>'
    kind = type_of(text)
    held = f'data-json="{escape(text)}"' if len(text) <= JSON_MAX_CHARACTERS else f'data-long="{len(text.encode())}"'
    more = ' dir="auto"' if kind == "string" else ""
    role = "gridcell"
    if name == "key":
        role, more = "rowheader", f'{more} aria-readonly="true"'
    shown = _expiry(text, now) if name == "__expires" and kind == "number" else _shown(kind, text)
    return f'<div role="{role}" class="cell" data-name="{said}" data-type="{kind}" {held}{more}>{shown}</div>'


def _shown(kind: str, text: str) -> str:
    match kind:
        case "string":
            value: str = msgspec.json.decode(text)
            return escape(_cut(value)) if value else _EMPTY
        case "object":
            return f'<span class="chip cell-chip">object, {len(_members_of(text)):,}</span>'
        case "array":
            return f'<span class="chip cell-chip">list, {len(_entries_of(text)):,}</span>'
        case "null":
            return _NULL
        case _:
            return text


def _cut(text: str) -> str:
    return text if len(text) <= PREVIEW_MAX_CHARACTERS else text[:PREVIEW_MAX_CHARACTERS] + "…"


def _expiry(text: str, now: datetime) -> str:
    """A moment in Unix seconds as a date with a countdown; the plain number when it is out of range for a date."""
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(Decimal(text)))
    except (OverflowError, ValueError):
        return text
    return (
        f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%Y-%m-%d %H:%M}</time> '
        f'<span class="quiet cell-countdown">{until(at - now)}</span>'
    )


def until(left: timedelta) -> str:
    """A countdown in its largest unit: "in 3 days", "in 1 hour", "expired"."""
    seconds = left.total_seconds()
    if seconds <= -1:
        return "expired"
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"in {count:,} {unit}{'' if count == 1 else 's'}"
    return "in less than a minute"
