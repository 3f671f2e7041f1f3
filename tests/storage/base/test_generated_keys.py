"""Keys that are made for items: in order, unguessable, and never another item's (contract: Base, PUT)."""

import re
import time
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from storage.base import edits, generated_keys, items
from storage.base.generated_keys import SPACE, DrawnKey, draw_keys
from storage.base.merging import Add
from storage.base.query import parse_query
from storage.collections import collections
from storage.exact_json import parse
from storage.postgres.caller import Access
from tests.at_once import all_at_once
from tests.storage.base import key_maker


@pytest.fixture(autouse=True)
def _no_second_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests set clocks forward."""
    monkeypatch.setattr(generated_keys, "_last_second", 0)


@pytest.fixture
def access(database: None) -> Access:
    return Access(collections.create_collection("Made by a test").id)


def stored(access: Access) -> list[Any]:
    page = items.query_items(access=access, base="b", predicate=parse_query([]), limit=1000)
    return [parse(text.encode()) for text in page.items]


def put(access: Access, *documents: Any) -> list[Any]:
    result = items.put_items(access=access, base="b", items=list(documents))
    return [parse(item.json.encode()) for item in result.processed]


def give(monkeypatch: pytest.MonkeyPatch, *drawn: DrawnKey) -> None:
    """These keys next, then what is drawn as ever."""
    left = list(drawn)
    monkeypatch.setattr(
        generated_keys, "draw_keys", lambda count: [left.pop(0) for _ in range(count)] if left else draw_keys(count)
    )


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    moment = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: moment)


def test_keys_are_of_seconds_and_31_bits_that_nobody_can_guess() -> None:
    before = int(time.time())
    drawn = draw_keys(1000)

    assert all(re.fullmatch("[a-z0-9]{12}", key) for key in (drawn[0].key, *drawn[0].spares))
    assert before <= int(drawn[0].key[:6], 36) <= time.time()
    assert SPACE == 36**6 > 2**31
    numbers = [int(each.key[6:], 36) for each in drawn]
    # Each tenth of what there is has about a tenth of them, and no key says how far it is to the next.
    assert all(
        60 < sum(n * SPACE // 10 <= number < (n + 1) * SPACE // 10 for number in numbers) < 150 for n in range(10)
    )
    assert len({after - number for number, after in pairwise(numbers)}) > 990


def test_two_draws_in_one_second_share_nothing_but_the_second() -> None:
    first, second = (key[6:] for (key, _) in draw_keys(1) + draw_keys(1))
    assert first != second
    assert abs(int(first, 36) - int(second, 36)) > 1000  # a chance of one in a million


def test_keys_ascend_within_a_request_and_over_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw_keys(25)
    set_clock(monkeypatch, 1)
    later = draw_keys(25)

    lowest, highest = ([pick(key, *spares) for key, spares in drawn + later] for pick in (min, max))
    assert all(high < low for high, low in zip(highest, lowest[1:], strict=False))


def test_a_clock_that_is_set_back_puts_no_key_before_older_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = draw_keys(1)
    set_clock(monkeypatch, -3600)

    assert before.key[:6] <= draw_keys(1)[0].key[:6]


@pytest.mark.parametrize("write", ["put", "insert", "table"])
def test_a_taken_key_is_drawn_again_and_its_item_stays(
    access: Access, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    there = put(access, {"key": "taken", "n": 1}, {"key": "spare", "n": 2})
    give(monkeypatch, DrawnKey("taken", ("spare", "free")), DrawnKey("free", ()))

    if write == "put":
        assert put(access, {"n": 3, "a": []}) == [{"key": "free", "n": 3, "a": []}]
    elif write == "insert":
        item = items.insert_item(access=access, base="b", item={"n": 3, "a": []})
        assert parse(item.json.encode()) == {"key": "free", "n": 3, "a": []}
        assert items.get_item(access=access, base="b", key="free").revision == item.revision
    else:
        (result,) = save_in_table(access)
        assert (result.outcome, result.key) == ("saved", "free")
    assert stored(access) == [{"key": "free", "n": 3, "a": []}, *sorted(there, key=lambda item: str(item["key"]))]


def save_in_table(access: Access) -> list[edits.Result]:
    change = Add("1", None, {"n": "3", "a": "[]"})
    return edits.save_changes(access=access, base="b", save_id=uuid4(), changes=[change])


def test_where_all_that_was_drawn_is_taken_it_is_drawn_anew(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    there = put(access, *({"key": key, "n": 0} for key in "abc"))
    give(monkeypatch, DrawnKey("a", ("b", "c")), DrawnKey("e", ("f", "g")), DrawnKey("b", ("c", "d")))

    made = put(access, {"n": 1}, {"n": 2})

    assert [item["n"] for item in made] == [1, 2]
    assert {"a", "b", "c"}.isdisjoint(item["key"] for item in made)
    assert stored(access) == sorted(there + made, key=lambda item: str(item["key"]))


def test_keys_ascend_also_where_some_were_taken(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw_keys(25)
    taken = [each.key for each in drawn[::2]] + [each.spares[0] for each in drawn[::3]]
    there = [item for start in (0, 20) for item in put(access, *({"key": key} for key in taken[start : start + 20]))]
    give(monkeypatch, *drawn)

    made = put(access, *({"n": n} for n in range(25)))

    keys = [item["key"] for item in made]
    assert keys == sorted(keys)
    assert [item["n"] for item in made] == list(range(25))
    assert len(stored(access)) == len(there) + 25
    assert [item for item in stored(access) if "n" not in item] == sorted(there, key=lambda item: str(item["key"]))


def test_an_item_with_a_key_replaces_beside_drawn_ones(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    put(access, {"key": "given", "n": 1}, {"key": "taken", "n": 1})
    give(monkeypatch, DrawnKey("taken", ("free", "x")))

    put(access, {"key": "given", "n": 2}, {"n": 3})

    assert stored(access) == [{"key": "free", "n": 3}, {"key": "given", "n": 2}, {"key": "taken", "n": 1}]


def test_few_random_bits_lose_no_item_of_many_threads(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated_keys, "SPACE", 2000)
    monkeypatch.setattr(generated_keys, "_last_second", int(time.time()) + 3600)

    made = all_at_once([lambda by=n: key_maker.put_many(access, "b", by=by, rounds=4) for n in range(4)])

    key_maker.check(stored(access), made)


@pytest.mark.slow
def test_few_random_bits_lose_no_item_of_eight_processes(access: Access) -> None:
    """A million an hour are 278 a second among 36^6. Here 4,000 meet among 36^3 in one second: 2^20 times as crowded."""
    made = key_maker.run_processes(access, "b", count=8, rounds=20, space=36**3)

    assert sum(redrawn for _, redrawn in made) > 20
    found = [item for start in key_maker.pages(access, "b") for item in start]
    key_maker.check(found, [requests for requests, _ in made])
