"""What an editor changed, and what becomes of it."""

import pytest

from deta.cli.bases import edits
from deta.cli.bases.edits import BadEdit, Loaded
from deta.cli.exact_json import parse

BEFORE = [
    Loaded(parse('{"key": "ada", "age": 36.50, "old": true, "same": {"b": 1, "a": 2}}'), "7"),
    Loaded(parse('{"key": "bob", "age": 1}'), "8"),
    Loaded(parse('{"key": "cy"}'), "9"),
]
AFTER = """[
    {"key": "ada", "same": {"a": 2, "b": 1}, "age": "36.50", "city": "Ulm"},
    {"key": "cy"},
    {"key": "dan", "age": 1.0},
    {"age": 2}
]"""


def test_text_to_edit_holds_all_and_comes_back_unchanged() -> None:
    text = edits.write([loaded.item for loaded in BEFORE])
    assert '"age": 36.50' in text
    assert edits.compare(BEFORE, edits.read(text)) == []


def test_changes_are_found_and_sent_with_their_revisions() -> None:
    assert edits.to_request(edits.compare(BEFORE, edits.read(AFTER))) == [
        {
            "id": "0",
            "kind": "edit",
            "key": "ada",
            "revision": "7",
            "set": {"age": '"36.50"', "city": '"Ulm"'},
            "unset": ["old"],
        },
        {"id": "1", "kind": "delete", "key": "bob", "revision": "8"},
        {"id": "2", "kind": "add", "key": "dan", "item": {"age": "1.0"}},
        {"id": "3", "kind": "add", "key": None, "item": {"age": "2"}},
    ]


def test_changes_are_shown() -> None:
    changes = edits.compare(BEFORE, edits.read(AFTER))
    assert [line for change in changes for line in edits.show(change)] == [
        ("~", "ada"),
        (" ", 'age: 36.50 -> "36.50"'),
        (" ", 'city: "Ulm"  (new)'),
        (" ", "old: true  (removed)"),
        ("-", 'bob  {"age":1}'),
        ("+", 'dan  {"age":1.0}'),
        ("+", '(a new key)  {"age":2}'),
    ]
    assert edits.count(changes) == "1 changed, 2 new, 1 deleted"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{]", "Expecting property name enclosed in double quotes, at line 1, column 3"),
        ("{}", "The text is no longer a list of items"),
        ("[1]", "Item 1 is not an object"),
        ('[{"key": 1}]', "The key of item 1 is not a text"),
        ('[{"key": "a"}, {"key": "a"}]', "Two items have the key “a”"),
    ],
)
def test_text_that_is_no_list_of_items_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadEdit) as raised:
        edits.read(text)
    assert str(raised.value) == said
