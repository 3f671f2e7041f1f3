"""Which items of a Base are looked at: all of a small one, and of a large one some from all over it."""

import pytest

from storage.base import bases, items
from storage.collections import collections
from storage.errors import BaseNotFound
from storage.item_types import learning
from storage.item_types.learning import learn_types, starts_between
from storage.postgres.caller import Access
from tests.people import make_member
from tests.storage.rows import fill_base


@pytest.fixture
def access(database: None) -> Access:
    """A person's, to a collection with the Base `b`."""
    collection_id = collections.create_collection("Made by a test").id
    bases.ensure_base(collection_id=collection_id, name="b")
    return Access(collection_id, person_id=make_member(collection_id, name="ada").pk)


def base_id(access: Access) -> int:
    return bases.find_base(collection_id=access.collection_id, name="b").id


def test_all_items_of_a_small_base_are_looked_at(access: Access) -> None:
    learned = learn_types(access=access, base="b")
    assert (learned.looked_at, learned.total, learned.is_all) == (0, 0, True)
    fill_base(base_id(access), ({"key": f"{n:04}", "n": n} for n in range(1_100)))
    items.put_items(access=Access(access.collection_id), base="b", items=[{"key": "gone", "__expires": 1}])
    learned = learn_types(access=access, base="b")
    assert (learned.looked_at, learned.total, learned.is_all) == (1_100, 1_100, True)
    assert learned.learner.items.attributes["n"].types == {"integer": 1_100}
    with pytest.raises(BaseNotFound):
        learn_types(access=access, base="none")


@pytest.mark.parametrize("reason", ["items", "bytes"])
def test_of_a_large_one_some_from_all_over_it(access: Access, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    if reason == "items":
        monkeypatch.setattr(learning, "SAMPLE_ITEMS", 200)
        monkeypatch.setattr(learning, "_PAGE_ITEMS", 10)
    else:
        monkeypatch.setattr(learning, "SAMPLE_BYTES", 20_000)
    fill_base(base_id(access), ({"key": f"k{n:04}", f"in_part_{n // 500}": "x" * 50} for n in range(3_000)))
    learned = learn_types(access=access, base="b")
    assert 100 <= learned.looked_at <= 300
    assert (learned.total, learned.is_all) == (3_000, False)
    counts = {name: shape.count for name, shape in learned.learner.items.attributes.items() if name != "key"}
    assert sorted(counts) == [f"in_part_{part}" for part in range(6)]
    assert max(counts.values()) < learned.looked_at / 2


def test_no_item_is_looked_at_twice_where_keys_lie_close_together(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "SAMPLE_ITEMS", 200)
    monkeypatch.setattr(learning, "_PAGE_ITEMS", 50)
    keys = ["a", *(f"m{n:03}" for n in range(300)), "z"]
    fill_base(base_id(access), ({"key": key, key: 1} for key in keys))
    found = learn_types(access=access, base="b").learner.items
    assert {shape.count for name, shape in found.attributes.items() if name != "key"} == {1}


@pytest.mark.parametrize(
    "first, last",
    [("a", "z"), ("aaa", "aab"), ("k0000", "k2999"), ("a", "a"), ("", "é" * 400), ("a", "aaaa"), ("é1", "\U0001f600")],
)
def test_the_parts_begin_in_order_between_the_keys(first: str, last: str) -> None:
    starts = starts_between(first, last, parts=20)
    assert len(starts) == 20
    assert starts[0] == ""
    assert starts == sorted(starts)
    assert all("\0" not in start and start.encode() for start in starts[1:])
    assert starts[-1] <= last or first == last or not last.isascii()
