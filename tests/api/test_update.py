"""PATCH /items/{key}: what an update does and answers (contract: Base)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.factories import BaseClient, exact_json, item_of_size

ITEM: dict[str, Any] = {
    "key": "a",
    "n": 1,
    "d": Decimal("0.1"),
    "s": "text",
    "z": None,
    "l": [1],
    "o": {"n": 5, "l": ["x"], "p": {"q": "deep"}},
}

# name, patch, the attributes that change in ITEM (None where the whole item is easier told)
CHANGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("set a new attribute", {"set": {"new": 1}}, {"new": 1}),
    ("set replaces another type", {"set": {"n": "one"}}, {"n": "one"}),
    ("set null", {"set": {"n": None}}, {"n": None}),
    ("set a whole object", {"set": {"o": {"r": []}}}, {"o": {"r": []}}),
    ("set an empty object", {"set": {"o": {}}}, {"o": {}}),
    ("set inside an object", {"set": {"o.n": 6}}, {"o": ITEM["o"] | {"n": 6}}),
    ("set creates the last step", {"set": {"o.p.new": True}}, {"o": ITEM["o"] | {"p": {"q": "deep", "new": True}}}),
    ("set two in one object", {"set": {"o.n": 6, "o.m": 7}}, {"o": ITEM["o"] | {"n": 6, "m": 7}}),
    ("increment", {"increment": {"n": 2}}, {"n": 3}),
    ("increment by a negative number", {"increment": {"n": -3}}, {"n": -2}),
    ("increment by nothing", {"increment": {"n": 0}}, {"n": 1}),
    ("increment a fraction exactly", {"increment": {"d": Decimal("0.2")}}, {"d": Decimal("0.3")}),
    ("increment an integer by a fraction", {"increment": {"n": Decimal("0.5")}}, {"n": Decimal("1.5")}),
    ("increment inside an object", {"increment": {"o.n": 1}}, {"o": ITEM["o"] | {"n": 6}}),
    ("append", {"append": {"l": [2, 3]}}, {"l": [1, 2, 3]}),
    ("append a list in a list", {"append": {"l": [[2]]}}, {"l": [1, [2]]}),
    ("append nothing", {"append": {"l": []}}, {"l": [1]}),
    ("append inside an object", {"append": {"o.l": ["y"]}}, {"o": ITEM["o"] | {"l": ["x", "y"]}}),
    ("prepend keeps the order", {"prepend": {"l": [-1, 0]}}, {"l": [-1, 0, 1]}),
    ("prepend inside an object", {"prepend": {"o.l": ["w"]}}, {"o": ITEM["o"] | {"l": ["w", "x"]}}),
    ("delete inside an object", {"delete": ["o.p.q", "o.n"]}, {"o": {"l": ["x"], "p": {}}}),
    (
        "all five parts at once",
        {"set": {"s": "new"}, "increment": {"n": 1}, "append": {"l": [2]}, "prepend": {"o.l": [0]}, "delete": ["o.n"]},
        {"s": "new", "n": 2, "l": [1, 2], "o": {"l": [0, "x"], "p": {"q": "deep"}}},
    ),
    (
        "as clients send it, most parts empty",
        {"set": {"n": 9}, "increment": {}, "append": {}, "prepend": {}, "delete": []},
        {"n": 9},
    ),
    ("names that are no path of code", {"set": {"a'b": 1, 'a"b': 2, "{a,b}": 3, "a__gt": 4, "a b": 5, "$": 6}},
     {"a'b": 1, 'a"b': 2, "{a,b}": 3, "a__gt": 4, "a b": 5, "$": 6}),
    ("a name that begins as another", {"set": {"oo": 1, "o.nn": 2}}, {"oo": 1, "o": ITEM["o"] | {"nn": 2}}),
    ("a name that begins as the key", {"set": {"keys": 1, "o.key": 2}}, {"keys": 1, "o": ITEM["o"] | {"key": 2}}),
]  # fmt: skip


@pytest.mark.parametrize("patch, changed", [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_update_changes_the_item_and_answers_the_request(
    client: BaseClient, patch: dict[str, Any], changed: dict[str, Any]
) -> None:
    client.put(ITEM, {"key": "b", "n": 1})

    response = client.update("a", patch)

    assert response.status_code == 200, response.text
    assert exact_json(response) == {"key": "a"} | patch
    assert client.stored("a") == ITEM | changed
    assert client.stored("b") == {"key": "b", "n": 1}


def test_update_deletes_attributes(client: BaseClient) -> None:
    client.put(ITEM)

    response = client.update("a", {"delete": ["z", "o", "l"]})

    assert exact_json(response) == {"key": "a", "delete": ["z", "o", "l"]}
    assert client.stored("a") == {"key": "a", "n": 1, "d": Decimal("0.1"), "s": "text"}


def test_update_answers_empty_parts_as_sent(client: BaseClient) -> None:
    client.put({"key": "a"})
    patch = {"set": {"n": 1}, "increment": {}, "append": {}, "prepend": {}, "delete": []}

    assert exact_json(client.update("a", patch)) == {"key": "a"} | patch


@pytest.mark.parametrize("stored", [None, {"key": "a", "n": 1, "__expires": 1}], ids=["missing", "expired"])
def test_update_of_an_item_that_is_not_there_is_404(client: BaseClient, stored: dict[str, Any] | None) -> None:
    client.put({"key": "other"}, *([stored] if stored else []))

    response = client.update("a", {"set": {"n": 2}})

    assert response.status_code == 404
    assert exact_json(response) == {"errors": ["Key not found"]}
    assert client.all_keys() == ["other"]


def test_update_in_a_base_that_does_not_exist_is_404(client: BaseClient) -> None:
    response = client.update("a", {"set": {"n": 2}})

    assert (response.status_code, exact_json(response)) == (404, {"errors": ["Key not found"]})


# name, patch
REFUSED: list[tuple[str, Any]] = [
    ("nothing at all", {}),
    ("all parts empty", {"set": {}, "increment": {}, "append": {}, "prepend": {}, "delete": []}),
    ("set the key", {"set": {"key": "b"}}),
    ("set the key to what it is", {"set": {"key": "a"}}),
    ("set below the key", {"set": {"key.a": "b"}}),
    ("increment the key", {"increment": {"key": 1}}),
    ("append to the key", {"append": {"key": ["b"]}}),
    ("prepend to the key", {"prepend": {"key": ["b"]}}),
    ("delete the key", {"delete": ["key"]}),
    ("set and delete one path", {"set": {"n": 2}, "delete": ["n"]}),
    ("set and increment one path", {"set": {"n": 2}, "increment": {"n": 1}}),
    ("append and prepend one path", {"append": {"l": [2]}, "prepend": {"l": [0]}}),
    ("delete one path twice", {"delete": ["n", "n"]}),
    ("set a path and its ancestor", {"set": {"o": {}, "o.n": 2}}),
    ("set below what is deleted", {"set": {"o.p.q": 1}, "delete": ["o"]}),
    ("delete below what is set", {"set": {"o": {}}, "delete": ["o.n"]}),
    ("increment below what is set", {"set": {"o": {"n": 1}}, "increment": {"o.n": 1}}),
    ("set below a missing level", {"set": {"no.a": 1}}),
    ("set two levels below a missing one", {"set": {"no.no.a": 1}}),
    ("set below a number", {"set": {"n.a": 1}}),
    ("set below null", {"set": {"z.a": 1}}),
    ("set below a text", {"set": {"s.a": 1}}),
    ("set below a list", {"set": {"l.0": 1}}),
    ("delete below a missing level", {"delete": ["no.a"]}),
    ("delete below a number", {"delete": ["n.a"]}),
    ("increment below a missing level", {"increment": {"no.a": 1}}),
    ("increment a missing attribute", {"increment": {"no": 1}}),
    ("increment a missing attribute of an object", {"increment": {"o.no": 1}}),
    ("increment a text", {"increment": {"s": 1}}),
    ("increment null", {"increment": {"z": 1}}),
    ("increment a list", {"increment": {"l": 1}}),
    ("increment by true", {"increment": {"n": True}}),
    ('increment by "1"', {"increment": {"n": "1"}}),
    ("increment by null", {"increment": {"n": None}}),
    ("increment by a list", {"increment": {"n": [1]}}),
    ("append to a missing attribute", {"append": {"no": [1]}}),
    ("append to a number", {"append": {"n": [1]}}),
    ("append to null", {"append": {"z": [1]}}),
    ("append to an object", {"append": {"o": [1]}}),
    ("append what is no list", {"append": {"l": 2}}),
    ("append an object", {"append": {"l": {"a": 1}}}),
    ("append null", {"append": {"l": None}}),
    ("prepend to a missing attribute", {"prepend": {"no": [1]}}),
    ("prepend to a text", {"prepend": {"s": ["x"]}}),
    ("prepend what is no list", {"prepend": {"l": "x"}}),
    ("set a list", {"set": ["n"]}),
    ("set a text", {"set": "n"}),
    ("increment a list of names", {"increment": ["n"]}),
    ("append a list of names", {"append": [["l"]]}),
    ("prepend a number", {"prepend": 1}),
    ("delete an object", {"delete": {"n": 1}}),
    ("delete a text", {"delete": "n"}),
    ("delete a number", {"delete": [1]}),
    ("delete null", {"delete": [None]}),
    ("an empty path", {"set": {"": 1}}),
    ("an empty step", {"set": {"o..n": 1}}),
    ("a path that ends in a dot", {"set": {"o.": 1}}),
    ("a path that begins with a dot", {"delete": [".n"]}),
    ("an empty attribute name in a value", {"set": {"n": {"": 1}}}),
    ("an empty attribute name in an appended value", {"append": {"l": [{"": 1}]}}),
    ("a text with NUL", {"set": {"n": "\x00"}}),
    ("a path with NUL", {"set": {"\x00": 1}}),
    ("__expires a text", {"set": {"__expires": "1"}}),
    ("__expires null", {"set": {"__expires": None}}),
    ("a number too large", {"set": {"n": Decimal("1e126")}}),
    ("an increment too large", {"increment": {"n": Decimal("1e126")}}),
    ("a sum with too many digits", {"increment": {"n": Decimal("1e-38")}}),
    ("a good operation beside a bad one", {"set": {"s": "new"}, "increment": {"no": 1}}),
    ("a result over 400 KB", {"set": {"big": "x" * 409_600}}),
]


@pytest.mark.parametrize("patch", [patch for _, patch in REFUSED], ids=[name for name, _ in REFUSED])
def test_update_refuses_and_changes_nothing(client: BaseClient, patch: dict[str, Any]) -> None:
    client.put(ITEM)
    etag = client.get("a").headers["ETag"]

    response = client.update("a", patch)

    assert response.status_code == 400, response.text
    assert list(exact_json(response)) == ["errors"]
    assert client.stored("a") == ITEM
    assert client.get("a").headers["ETag"] == etag


@pytest.mark.parametrize(("size_bytes", "status"), [(409_600, 200), (409_601, 400)])
def test_update_holds_its_result_to_400_kb(client: BaseClient, size_bytes: int, status: int) -> None:
    wanted = item_of_size(size_bytes, "a")
    client.put({"key": "a", "text": ""})

    assert client.update("a", {"set": {"text": wanted["text"]}}).status_code == status
    assert client.stored("a") == (wanted if status == 200 else {"key": "a", "text": ""})


def test_update_holds_what_it_appends_to_400_kb(client: BaseClient) -> None:
    client.put({"key": "a", "l": ["x" * 300_000]})

    assert client.update("a", {"append": {"l": ["x" * 200_000]}}).status_code == 400
    assert client.stored("a") == {"key": "a", "l": ["x" * 300_000]}


# The item is level 1, `a` level 2, `a.b` level 3.
@pytest.mark.parametrize(("levels", "status"), [(97, 200), (98, 400)])
def test_update_holds_its_result_to_100_levels(client: BaseClient, levels: int, status: int) -> None:
    client.put({"key": "x", "a": {"b": {}}})
    value = b"[" * levels + b"]" * levels

    response = client.send("PATCH", "/items/x", content=b'{"set":{"a.b.c":%s}}' % value)

    assert response.status_code == status


def test_update_increments_past_38_digits_only_when_the_sum_needs_no_more(client: BaseClient) -> None:
    client.put({"key": "a", "n": 10**38 - 1})

    assert client.update("a", {"increment": {"n": 1}}).status_code == 200
    assert client.stored("a") == {"key": "a", "n": 10**38}
    assert client.update("a", {"increment": {"n": 1}}).status_code == 400
    assert client.stored("a") == {"key": "a", "n": 10**38}


def test_update_of_a_key_with_odd_characters_names_it_in_the_answer(client: BaseClient) -> None:
    client.put({"key": "%@#//#!#)#$_"})

    response = client.update("%@#//#!#)#$_", {"set": {"n": 1}})

    assert exact_json(response) == {"key": "%@#//#!#)#$_", "set": {"n": 1}}
