"""Legal names, keys and ids (contract: Everywhere, and Base)."""

import re

import pytest

from storage import names
from storage.errors import InvalidInput


@pytest.mark.parametrize("name", ["a", "A.b-C_9", "-", "_", "a..", "n" * 128])
def test_check_name_returns_a_legal_name(name: str) -> None:
    assert names.check_name(name) == name


@pytest.mark.parametrize("name", ["", ".", ".a", "n" * 129, "a b", "a/b", "é", "a\n", "\x00", "\u0661", "a%", "a:b"])
def test_check_name_refuses_any_other(name: str) -> None:
    with pytest.raises(InvalidInput):
        names.check_name(name)


@pytest.mark.parametrize("key", ["a", "k" * 1024, "é" * 512, "🙂" * 256, "\n", "/", " ", "\x01", "\uffff"])
def test_check_key_returns_a_legal_key(key: str) -> None:
    assert names.check_key(key) == key


@pytest.mark.parametrize(
    "key", ["", "k" * 1025, "é" * 512 + "k", "🙂" * 257, "\x00", "a\x00", 1, None, True, ["a"], b"a"]
)
def test_check_key_refuses_anything_else(key: object) -> None:
    with pytest.raises(InvalidInput):
        names.check_key(key)


def test_collection_ids_are_10_lower_case_letters_and_digits_and_differ() -> None:
    made = {names.new_collection_id() for _ in range(1000)}

    assert len(made) == 1000
    assert all(re.fullmatch("[a-z0-9]{10}", each) and names.is_collection_id(each) for each in made)


@pytest.mark.parametrize("text", ["", "a" * 9, "a" * 11, "A" * 10, "aaaaaaaaa_", "aaaaaaaaa\n", "aaaaaaaaaé"])
def test_is_collection_id_says_no_to_anything_else(text: str) -> None:
    assert not names.is_collection_id(text)


@pytest.mark.parametrize(
    "prefix, end",
    [
        ("", None),
        ("a", "b"),
        ("ab", "ac"),
        ("z\x7f", "z\x80"),
        ("\ud7ff", "\ue000"),
        ("a\U0010ffff", "b"),
        ("\U0010ffff", None),
    ],
    ids=ascii,
)
def test_end_of_prefix_is_the_lowest_text_above(prefix: str, end: str | None) -> None:
    assert names.end_of_prefix(prefix) == end
    if end is not None:
        assert all((prefix + more).encode() < end.encode() for more in ("", "\x00", "\U0010ffff"))
