"""Items as the table's rows: types told apart, digits kept, columns in order, and nothing stored ever becomes markup. Pure."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from console.base.cells import COLUMNS_MAX, Line, make_rows, type_of, until
from storage.exact_json import dump

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Tags(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def cells(self) -> dict[str | None, dict[str, str | None]]:
        return {tag["data-name"]: tag for _, tag in self.tags if "data-name" in tag}


def read(json: str, *columns: str) -> Tags:
    return Tags(make_rows([Line(json, 7)], columns=columns, now=NOW).all_html)


@pytest.mark.parametrize(
    "value, kind, shown",
    [
        ("1.0", "number", "1.0"),
        ("12345678901234567890", "number", "12345678901234567890"),
        ("-0.1234567890123456789", "number", "-0.1234567890123456789"),
        ('"a b"', "string", "a b"),
        ('""', "string", '""empty text'),
        ("null", "null", "null"),
        ("true", "boolean", "true"),
        ('{"a": 1, "b": 2}', "object", "object, 2"),
        ("[1, [2]]", "array", "list, 2"),
        ('"' + "x" * 500 + '"', "string", "x" * 200 + "…"),
        (None, "missing", "missing"),
    ],
)
def test_cell_shows_its_value_and_holds_its_very_text(value: str | None, kind: str, shown: str) -> None:
    found = read('{"key":"k"' + (f', "a": {value}' if value is not None else "") + "}", "a")
    cell = found.cells["a"]
    assert (cell["data-type"], cell.get("data-json")) == (kind, value)
    assert found.text == f"k{shown}"


def test_long_value_is_cut_and_says_how_long_it_is() -> None:
    cell = read('{"key":"k", "a": "' + "ä" * 5000 + '"}').cells["a"]
    assert "data-json" not in cell
    assert cell["data-long"] == "10002"


EVIL = ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "' onmouseover='x", "&lt;", "a\u202eb", "</div>"]


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_stored_becomes_markup(evil: str) -> None:
    item = {"key": evil, evil: evil, "o": {evil: evil}, "l": [evil]}
    found = read(dump(item).decode())
    assert {tag for tag, _ in found.tags} == {"div", "span"}
    assert not [name for _, tag in found.tags for name in tag if name.startswith("on")]
    row = found.tags[0][1]
    assert row["data-key"] == evil
    assert found.cells[evil]["data-json"] == dump(evil).decode()
    assert found.text == f"{evil}{evil}object, 1list, 1"


def test_columns_are_those_asked_for_then_the_others_by_frequency() -> None:
    lines = [Line('{"key":"1","rare":1,"often":1}', 1), Line('{"key":"2","often":"x","asked":null}', 2)]
    rows = make_rows(lines, columns=["gone", "asked", "key", "gone"])
    assert [column.name for column in rows.columns] == ["gone", "asked", "often", "rare"]
    assert rows.added == ["often", "rare"]
    assert [column.types for column in rows.columns] == [
        {"missing": 2},
        {"missing": 1, "null": 1},
        {"number": 1, "string": 1},
        {"number": 1, "missing": 1},
    ]
    assert [column.summary for column in rows.columns] == ["", "null", "mixed", "number"]
    assert [list(Tags(html).cells) for html in rows.html] == [["key", "gone", "asked", "often", "rare"]] * 2


def test_item_with_thousands_of_attributes_shows_some_and_counts_the_rest() -> None:
    item: dict[str, Any] = {"key": "k"} | {f"a{n}": n for n in range(3_000)}
    found = read(dump(item).decode())
    assert len(found.cells) == COLUMNS_MAX + 1
    assert found.tags[0][1]["data-more"] == str(3_000 - COLUMNS_MAX)


@pytest.mark.parametrize(
    "value, shown",
    [
        ("1767225600", "2026-01-01 00:00 in less than a minute"),
        ("1767484800.5", "2026-01-04 00:00 in 3 days"),
        ("1e400", "1e400"),
        ("99999999999999", "99999999999999"),
        ('"soon"', "soon"),
    ],
)
def test_expiry_is_a_date_with_a_countdown(value: str, shown: str) -> None:
    found = read('{"key":"k", "__expires": ' + value + "}")
    assert found.text == f"k{shown}"
    assert found.cells["__expires"]["data-json"] == value


@pytest.mark.parametrize(
    "seconds, said",
    [
        (-5, "expired"),
        (0, "in less than a minute"),
        (60, "in 1 minute"),
        (7_199, "in 1 hour"),
        (86_400 * 400, "in 400 days"),
    ],
)
def test_countdown(seconds: int, said: str) -> None:
    assert until(timedelta(seconds=seconds)) == said


def test_type_of_every_kind_of_text() -> None:
    assert [type_of(text) for text in ('""', "{}", "[]", "true", "false", "null", "-1", "0")] == [
        "string",
        "object",
        "array",
        "boolean",
        "boolean",
        "null",
        "number",
        "number",
    ]
