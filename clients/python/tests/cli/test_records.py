"""Items out of JSON lines, lists and CSV, piece by piece."""

import io
import json
from collections.abc import Iterator
from typing import Any, Optional

import pytest

from deta.cli.bases import exports, records
from deta.cli.bases.records import BadRecord, Format
from deta.cli.exact_json import dump, parse


def items_of(text: "str | bytes", kind: Optional[Format] = None) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    return [dump(record.item) for record in records.read(io.BytesIO(content), kind)]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1.50}\n{"b":"x"}\n',
        '{"a":1.50}{"b":"x"}',
        '\ufeff{"a":1.50}\r\n\r\n{"b":"x"}',
        '[{"a":1.50},{"b":"x"}]',
        ' [\n{"a" : 1.50} ,\n {"b":\n"x"}\n]\n ',
    ],
)
def test_objects_are_found_however_they_stand(text: str) -> None:
    assert items_of(text) == ['{"a":1.50}', '{"b":"x"}']


@pytest.mark.parametrize("text", ["", "\n \n", "[]", " [ ] "])
def test_nothing_is_no_item(text: str) -> None:
    assert items_of(text) == []


def test_attribute_that_is_called_as_the_column_is_comes_back() -> None:
    items = [{"key": "a", "other attributes": 1, "b": "x"}, {"key": "c", "other attributes": {"b": 2}}, {"key": "d"}]
    written = "".join(exports.write(iter(items), "csv"))
    assert written.startswith("key,b,other attributes\n")
    assert list(map(json.loads, items_of(written, "csv"))) == items


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a":1}\n{"a":}\n', "Expecting value (item 2, line 2, at its line 1)"),
        ('{"a":1}\n7\n', "This is not a JSON object (item 2, line 2)"),
        ('[{"a":1}', "The list has no end: `]` is missing behind item 1"),
        ('[{"a":1} {"b":1}]', "A comma or `]` is missing at line 1, behind item 1"),
        ('[{"a":1}] x', "Something follows the end of the list, at line 1"),
        ('{"a":1}\n{"a":"x', "Unterminated string starting at (item 2, line 2, at its line 1)"),
        ('{"a":NaN}', "NaN is not a JSON number (item 1, line 1)"),
        ('{"a":' + "[" * 100_000, "It is nested too deeply (item 1, line 1)"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadRecord) as raised:
        items_of(text)
    assert str(raised.value) == said


def test_other_encodings_are_refused() -> None:
    with pytest.raises(BadRecord, match="not UTF-8"):
        items_of('{"a": "ü"}'.encode("latin-1"))


class Endless(io.RawIOBase):
    """Items without end, whose reader can only have so many of their bytes in memory."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        line = (b'{"a":"' + b"x" * 1000 + b'"}\n') * (len(buffer) // 1009 + 1)
        buffer[:] = line[: len(buffer)]
        self.read_bytes += len(buffer)
        return len(buffer)


def test_no_more_is_read_than_is_needed() -> None:
    stream = Endless()
    found: Iterator[Any] = records.read(io.BufferedReader(stream, 1009 * 64), None)
    for _ in range(10):
        next(found)
    assert stream.read_bytes < 2_000_000


def test_item_may_be_longer_than_a_piece() -> None:
    long = json.dumps({"a": "ü" * 700_000}, ensure_ascii=False)
    assert items_of(f'{long}\n{{"b":1}}') == [dump(parse(long)), '{"b":1}']


CSV_ITEMS = [
    {"key": "1", "text": "12", "number": 12, "exact": "007", "empty": "", "list": [1, "a"], "none": None, "yes": True},
    {"key": "a,b", "text": 'say "hi"\nthere', "truth": "true", "object": {"a": {"b": 1}}, "brackets": "[x"},
    {"key": "=1+1", "text": "null", "quoted": '"x"', "space": " 1 ", "minus": "-", "ü": "ü"},
]


def test_csv_that_was_exported_is_the_same_when_it_is_read() -> None:
    texts = [json.dumps(item, ensure_ascii=False) for item in CSV_ITEMS]
    written = "".join(exports.write(iter([parse(text) for text in texts]), "csv"))
    assert [json.loads(item) for item in items_of(written, "csv")] == CSV_ITEMS


def test_attributes_that_come_late_have_a_column_together() -> None:
    items = [{"key": str(number), "a": "x"} for number in range(10_001)] + [{"key": "z", "late": [1]}]
    written = "".join(exports.write(iter(items), "csv"))
    assert written.startswith("key,a,other attributes\n")
    assert items_of(written, "csv")[-1] == '{"key":"z","late":[1]}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,a\n1,2\n", "The first line names the attributes, each once: one is empty or there twice"),
        ("a,b\n1,2,3\n", "There are more fields than names in the first line (item 1, line 2)"),
        ('a,b\n"1,2\n', "This is not CSV: unexpected end of data, at line 2"),
    ],
)
def test_csv_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadRecord) as raised:
        items_of(text, "csv")
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("kind", "end"), [("jsonl", '{"key":"a"}\n'), ("json", '[\n{"key":"a"}\n]\n'), ("csv", "key\na\n")]
)
def test_exports_have_their_form(kind: Format, end: str) -> None:
    assert "".join(exports.write(iter([{"key": "a"}]), kind)) == end
