"""Names of Bases (contract: Everywhere)."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from storage.models import Base
from tests.factories import BaseClient, exact_json

GOOD = [
    "a",
    "Z",
    "0",
    "_",
    "-",
    "a.b",
    "a..",
    "-.-",
    "_private",
    "UPPER_lower-1.2",
    "n" * 127,
    "n" * 128,
    "items",
    "query",
]
BAD = [
    (".", "."),
    ("dots", ".."),
    ("a leading dot", ".a"),
    ("129 characters", "n" * 129),
    ("10,000 characters", "n" * 10_000),
    ("a blank", "a b"),
    ("a plus sign", "a+b"),
    ("a letter with an accent", "é"),
    ("a digit of another script", "\u0663"),
    ("an emoji", "🙂"),
    ("a line break", "a\n"),
    ("NUL", "a\x00"),
    ("a colon", "a:b"),
    ("a quote", "a'b"),
    ("a percent sign", "a%b"),
    ("a backslash", "a\\b"),
    ("a star", "*"),
]


@pytest.mark.parametrize("name", GOOD)
def test_a_base_has_any_legal_name(client: BaseClient, name: str) -> None:
    named = replace(client, name=name)

    assert named.put({"key": "a"}).status_code == 207
    assert named.all_keys() == ["a"]
    assert named.get("a").status_code == 200


@pytest.mark.parametrize("name", [name for _, name in BAD], ids=[label for label, _ in BAD])
def test_a_base_with_an_illegal_name_is_400(client: BaseClient, name: str) -> None:
    # A dot that is not percent-encoded is taken out of the path by the test's own HTTP library.
    named = replace(client, name=quote(name, safe="").replace(".", "%2E"))

    for response in (
        named.put({"key": "a"}),
        named.insert({"key": "a"}),
        named.get("a"),
        named.delete("a"),
        named.update("a", {"set": {"n": 1}}),
        named.query([]),
    ):
        assert response.status_code == 400, response.text
        assert list(exact_json(response)) == ["errors"]
    assert not Base.objects.filter(collection_id=client.collection_id).exists()


def test_names_of_bases_differ_by_case(client: BaseClient) -> None:
    replace(client, name="A").put({"key": "upper"})
    replace(client, name="a").put({"key": "lower"})

    assert replace(client, name="A").all_keys() == ["upper"]


def test_a_base_comes_to_exist_with_its_first_write_and_not_by_reading(client: BaseClient) -> None:
    bases = Base.objects.filter(collection_id=client.collection_id)

    client.get("a")
    client.query([])
    client.delete("a")
    client.update("a", {"set": {"n": 1}})
    client.put({"key": 1})
    assert not bases.exists()

    client.insert({"key": "a"})
    assert [base.name for base in bases] == ["things"]
