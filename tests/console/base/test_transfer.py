"""Rows in and out as files: exports that keep every digit, imports that say what they left out, and the way round."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from console.base import csv_export
from storage import limits
from storage.archive.reading.pasted import read_rows
from storage.base import items
from storage.errors import InvalidInput
from storage.exact_json import join, parse
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.people import Cast

DOCUMENTS = [
    '{"key":"a","n":12345678901234567890,"t":"x,\\"y\\"\\nz","b":true}',
    '{"key":"b/c","n":1.0,"t":"","o":{"x":[1.50,null]},"e":null}',
    '{"key":"ü","n":"007","t":"=1+1","l":[]}',
]


@pytest.fixture
def member(people: Cast, browser: Browser) -> Client:
    put(people, *(parse(text.encode()) for text in DOCUMENTS))
    return browser(people.member)


def put(people: Cast, *documents: Any) -> None:
    for start in range(0, len(documents), 25):
        items.put_items(access=Access(people.collection.id), base="things", items=list(documents[start : start + 25]))


def url(people: Cast, path: str) -> str:
    return f"/collections/{people.collection.id}/base/things/{path}"


def export(client: Client, people: Cast, **parameters: str) -> str:
    answer: Any = client.get(url(people, "export/"), parameters)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_json_exports_hold_every_item_exactly(member: Client, people: Cast, kind: str) -> None:
    text = export(member, people, format=kind)
    found = parse(text.encode()) if kind == "json" else [parse(line.encode()) for line in text.splitlines()]
    assert found == [parse(document.encode()) for document in DOCUMENTS]
    assert '"n": 12345678901234567890' in text
    assert "1.50" in text


def test_csv_export_has_all_columns_and_exact_values(member: Client, people: Cast) -> None:
    rows = list(csv.reader(io.StringIO(export(member, people, format="csv"), newline="")))
    assert rows[0][:3] == ["key", "n", "t"]
    assert sorted(rows[0][3:]) == ["b", "e", "l", "o"]
    found = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert found[0] | {"n": "12345678901234567890", "t": 'x,"y"\nz', "b": "true", "o": ""} == found[0]
    assert found[1] | {"n": "1.0", "t": "", "o": '{"x": [1.50, null]}', "e": "null"} == found[1]
    # In a column that holds numbers too, a text says that it is one.
    assert found[2] | {"key": "ü", "n": '"007"', "t": "=1+1", "l": "[]"} == found[2]


def test_export_is_a_download_of_what_the_query_finds(member: Client, people: Cast) -> None:
    answer: Any = member.get(url(people, "export/"), {"q": "{'b': True}", "format": "ndjson"})
    assert answer["Content-Disposition"].startswith('attachment; filename="things-')
    assert answer["Content-Disposition"].endswith('.ndjson"')
    assert b"".join(answer.streaming_content).count(b"\n") == 1
    assert export(member, people, q="{'b': 7}") == "[\n]\n"
    assert export(member, people, q="{'b': 7}", format="csv") == "key\r\n"
    assert member.get(url(people, "export/"), {"format": "xml"}).status_code == 422


def test_export_goes_through_all_pages(member: Client, people: Cast) -> None:
    put(people, *({"key": f"n{n:04}", "n": n} for n in range(2_500)))
    assert len(json.loads(export(member, people))) == 2_503


def test_csv_beyond_what_was_looked_at_keeps_later_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_export, "ITEMS_LOOKED_AT", 2)
    found = "".join(
        csv_export.write(iter(['{"key":"a","x":1}', '{"key":"b"}', '{"key":"c","late":1.0}', '{"key":"d","x":2}']))
    )
    assert found.splitlines() == ["key,x,other attributes", "a,1,", "b,,", 'c,,"{""late"":1.0}"', "d,2,"]
    read = read_rows(found.encode())
    assert [row.item for row in read.rows] == [{"x": "1"}, {}, {"late": "1.0"}, {"x": "2"}]


TYPES = {"key": "string", "name": "string", "age": "number", "ok": "boolean"}


@pytest.mark.parametrize(
    "text, rows",
    [
        # The first line names the columns; types come from the table, or from the look of a value.
        ("key,name,age,ok\nk,007,12.50,true", [("k", {"name": '"007"', "age": "12.50", "ok": "true"})]),
        ("name,age\ntrue,old", [(None, {"name": '"true"', "age": '"old"'})]),
        ("new,age\n007,1e21\nfalse,null", [(None, {"new": '"007"', "age": "1E+21"}), (None, {"new": '"false"', "age": "null"})]),
        ("new\n12345678901234567890", [(None, {"new": "12345678901234567890"})]),
        ("new\n0.1234567890123456789", [(None, {"new": "0.1234567890123456789"})]),
        ('new\n"[1, {""a"": 2.0}]"', [(None, {"new": '[1,{"a":2.0}]'})]),
        ("new\n[not json]", [(None, {"new": '"[not json]"'})]),
        # An empty field is no attribute; an empty line is no row.
        ("key,age\n,\nk,\n\n,5\n", [("k", {}), (None, {"age": "5"})]),
        # Tabs, semicolons, quotation marks, line breaks in fields.
        ("key\tname\nk\ta b", [("k", {"name": '"a b"'})]),
        ("key;age\nk;5", [("k", {"age": "5"})]),
        ('key,name\nk,"a ""b""\nc"', [("k", {"name": '"a \\"b\\"\\nc"'})]),
        # Rows of the table as they are copied: no line names the columns.
        ("Ada\tBob\tten\tno", [("Ada", {"name": '"Bob"', "age": '"ten"', "ok": '"no"'})]),
        ("k\tAda\t36", [("k", {"name": '"Ada"', "age": "36"})]),
        ("k\tAda\t36\ttrue", [("k", {"name": '"Ada"', "age": "36", "ok": "true"})]),
        # JSON in both its forms keeps every digit.
        ('[{"key": "k", "n": 1.0}, {"o": {"x":1e2}}]', [("k", {"n": "1.0"}), (None, {"o": '{"x":1E+2}'})]),
        ('{"key": "k", "n": 12345678901234567890}', [("k", {"n": "12345678901234567890"})]),
        ('{"n": 1}\n\n{"n": 2.0}\n', [(None, {"n": "1"}), (None, {"n": "2.0"})]),
    ],
)  # fmt: skip
def test_rows_are_read(text: str, rows: list[tuple[str | None, dict[str, str]]]) -> None:
    read = read_rows(text.encode(), types=TYPES)
    assert [tuple(row) for row in read.rows] == rows
    assert read.problems == []


@pytest.mark.parametrize(
    "text, rows, line, message",
    [
        ("key,age\na,1\nb,1,2\nc,3", 2, 3, "The line is left out. The row has 3 cells, and the first row 2"),
        (
            'key,age\na,1\nb,"x',
            1,
            3,
            "The rest cannot be read: a quotation mark that opens in this row is never closed",
        ),
        ("key,age\n" + "k" * 1025 + ",1", 0, 2, "The line is left out. A key is empty or longer than 1024 bytes"),
        ('[{"a": 1},\n\n{"key": 5},\n 7]', 1, 3, "Item 2 is left out. A key is not a string"),
        ('{"a": 1}\n{"a": }\n{"a": 2}', 2, 2, "The line is left out. JSON is malformed"),
        ('[{"a": 1e400}]', 0, 1, "Item 1 is left out. A number's exponent is beyond +-125, at a"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, rows: int, line: int, message: str) -> None:
    read = read_rows(text.encode())
    assert len(read.rows) == rows
    assert read.problems[0].line == line
    assert read.problems[0].message.startswith(message)


@pytest.mark.parametrize(
    "text, message",
    [
        ("a,a\n1,2", "Line 1: two columns are called “a”: 1, 2"),
        ("a,\n1,2", "Line 1: column 2 has no name"),
        (
            "n\n" + "1\n" * (limits.CHANGES_PER_SAVE + 1),
            "That is more than 10,000 rows: split the file into parts, or import it on the page of imports",
        ),
    ],
)
def test_what_is_no_file_of_rows_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_rows(text.encode())
    assert caught.value.messages[0] == message


@pytest.mark.parametrize("kind", ["json", "ndjson", "csv"])
def test_export_read_again_is_the_same(member: Client, people: Cast, kind: str) -> None:
    sent = export(member, people, format=kind)
    read = read_rows(sent.encode(), file_name=f"things.{kind}")
    assert read.problems == []
    found = {row.key: parse(join(row.item).encode()) for row in read.rows}
    expected = {item.pop("key"): item for item in (parse(document.encode()) for document in DOCUMENTS)}
    if kind == "csv":
        expected["b/c"].pop("t")  # a table has one way only to show that nothing is there
    assert found == expected
    answer = member.post(url(people, f"parse/?name=things.{kind}"), sent.encode(), content_type="text/plain").json()
    assert (answer["rows"], answer["problems"], answer["unchanged"]) == ([], [], 3)


def test_parse_answers_what_it_was_sent_and_stores_nothing(member: Client, people: Cast) -> None:
    def send(body: bytes, query: str = "") -> Any:
        return member.post(url(people, f"parse/{query}"), body, content_type="text/csv")

    assert send(b"\xef\xbb\xbfkey,a\nk,1").json() == {
        "rows": [{"key": "k", "item": {"a": "1"}, "stored": None}],
        "problems": [],
        "told": "CSV, commas between cells, UTF-8",
        "columns": [
            {"name": "key", "type": "text", "samples": ["k"]},
            {"name": "a", "type": "number", "samples": ["1"]},
        ],
        "unchanged": 0,
    }
    assert send(b"\x00").status_code == 400
    assert send(b"a\n1", "?types=[]").status_code == 400
    assert send(b"x" * (limits.IMPORT_MAX_BYTES + 1)).status_code == 413
    assert member.get(url(people, "count/")).json()["total"] == 3


def test_row_of_a_stored_item_comes_with_what_it_would_change(member: Client, people: Cast) -> None:
    """As a spreadsheet sends an export back: TRUE for true, 1 for 1.0, and one cell that somebody changed."""
    sent = b'key,b,n,t\na,TRUE,12345678901234567890,"x,""y""\nz"\nb/c,,1,now\nnew,,,x'
    answer = member.post(url(people, "parse/"), sent, content_type="text/csv").json()
    revision = items.get_item(access=Access(people.collection.id), base="things", key="b/c").revision
    assert answer["unchanged"] == 1
    assert answer["rows"] == [
        {
            "key": "b/c",
            "item": {"t": '"now"'},
            "stored": {"revision": str(revision), "values": {"t": '""'}},
        },
        {"key": "new", "item": {"t": '"x"'}, "stored": None},
    ]
