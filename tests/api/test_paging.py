"""POST /query: order, limit, `last` and where a scan stops (contract: Base)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.factories import BaseClient, exact_dump, exact_json, make_client

# In the order of their UTF-8 bytes, which is neither a dictionary's nor that of UTF-16.
KEYS_BY_BYTES = ["\x01", " ", "!", "10", "9", "A", "B", "a", "a!", "a/", "aa", "b", "~", "é", "日", "\ufffd", "🙂"]


def pages(client: BaseClient, query: Any = None, **options: Any) -> Iterator[dict[str, Any]]:
    """All pages of a query, each checked to say its size, until one has no `last`."""
    for _ in range(1000):
        response = client.query(query, **options)
        assert response.status_code == 200, response.text
        page = exact_json(response)
        assert list(page) == ["paging", "items"]
        assert page["paging"]["size"] == len(page["items"])
        yield page
        if "last" not in page["paging"]:
            return
        assert page["paging"]["last"] != options.get("last"), "the scan does not get on"
        options["last"] = page["paging"]["last"]
    raise AssertionError("a query that never ends")


def keys_of(page: dict[str, Any]) -> list[str]:
    return [item["key"] for item in page["items"]]


def all_keys(found: list[dict[str, Any]]) -> list[str]:
    return [key for page in found for key in keys_of(page)]


@pytest.fixture
def seven(client: BaseClient) -> BaseClient:
    """Items k1 to k7; `odd` says whether their number is."""
    client.put(*({"key": f"k{n}", "odd": n % 2 == 1, "n": n} for n in range(1, 8)))
    return client


@pytest.mark.parametrize("sort", [{}, {"sort": ""}, {"sort": "asc"}, {"sort": None}])
def test_query_sorts_by_the_bytes_of_the_key(client: BaseClient, sort: dict[str, Any]) -> None:
    client.put(*({"key": key} for key in sorted(KEYS_BY_BYTES, key=hash)))

    assert keys_of(exact_json(client.query([], **sort))) == KEYS_BY_BYTES


def test_query_sorts_descending_on_request(client: BaseClient) -> None:
    client.put(*({"key": key} for key in KEYS_BY_BYTES))

    assert keys_of(exact_json(client.query([], sort="desc"))) == KEYS_BY_BYTES[::-1]


@pytest.mark.parametrize("limit", [1, 2, 16, 17, 18])
@pytest.mark.parametrize("sort", ["", "desc"])
def test_pages_in_either_direction_hold_every_item_once(client: BaseClient, limit: int, sort: str) -> None:
    client.put(*({"key": key} for key in KEYS_BY_BYTES))

    found = list(pages(client, [], limit=limit, sort=sort))

    assert all(len(page["items"]) <= limit for page in found)
    assert all(page["items"] for page in found)
    assert all_keys(found) == (KEYS_BY_BYTES[::-1] if sort else KEYS_BY_BYTES)


# query, options, keys, last ("" for: absent)
PAGES: list[tuple[str, Any, dict[str, Any], str, str]] = [
    ("the limit leaves some", [], {"limit": 3}, "k1 k2 k3", "k3"),
    ("the limit is reached exactly", [], {"limit": 7}, "k1 k2 k3 k4 k5 k6 k7", ""),
    ("the limit is one below", [], {"limit": 6}, "k1 k2 k3 k4 k5 k6", "k6"),
    ("the limit is one above", [], {"limit": 8}, "k1 k2 k3 k4 k5 k6 k7", ""),
    ("going on", [], {"limit": 3, "last": "k3"}, "k4 k5 k6", "k6"),
    ("going on to the end", [], {"limit": 3, "last": "k6"}, "k7", ""),
    ("going on behind the end", [], {"limit": 3, "last": "k7"}, "", ""),
    ("going on from a key that never was", [], {"limit": 2, "last": "k3x"}, "k4 k5", "k5"),
    ("going on from a key before all", [], {"limit": 2, "last": "a"}, "k1 k2", "k2"),
    ("an empty last", [], {"limit": 2, "last": ""}, "k1 k2", "k2"),
    ("last null", [], {"limit": 2, "last": None}, "k1 k2", "k2"),
    ("limit null", [], {"limit": None}, "k1 k2 k3 k4 k5 k6 k7", ""),
    ("a limit above the maximum", [], {"limit": 1001}, "k1 k2 k3 k4 k5 k6 k7", ""),
    ("a limit above all measure", [], {"limit": 10**30}, "k1 k2 k3 k4 k5 k6 k7", ""),
    ("descending", [], {"limit": 3, "sort": "desc"}, "k7 k6 k5", "k5"),
    ("going on descending", [], {"limit": 3, "sort": "desc", "last": "k5"}, "k4 k3 k2", "k2"),
    ("descending to the end", [], {"limit": 3, "sort": "desc", "last": "k4"}, "k3 k2 k1", ""),
    ("by the index, some left", {"odd": True}, {"limit": 3}, "k1 k3 k5", "k5"),
    ("by the index, exactly all", {"odd": True}, {"limit": 4}, "k1 k3 k5 k7", ""),
    ("by the index, a non-match behind the last", {"odd": False}, {"limit": 3}, "k2 k4 k6", ""),
    ("by the index, going on", {"odd": True}, {"limit": 2, "last": "k3"}, "k5 k7", ""),
    ("by the index, descending", {"odd": True}, {"limit": 2, "sort": "desc"}, "k7 k5", "k5"),
    ("by a scan, some left", {"n?lt": 5}, {"limit": 3}, "k1 k2 k3", "k3"),
    ("by a scan, a non-match behind the last", {"n?lt": 5}, {"limit": 4}, "k1 k2 k3 k4", ""),
    ("by a scan, going on", {"n?ne": 5}, {"limit": 2, "last": "k4"}, "k6 k7", ""),
    ("by the key, some left", {"key?gte": "k3"}, {"limit": 2}, "k3 k4", "k4"),
    ("by the key, exactly all", {"key?r": ["k3", "k4"]}, {"limit": 2}, "k3 k4", ""),
    ("by the key, going on inside", {"key?gt": "k3"}, {"limit": 9, "last": "k5"}, "k6 k7", ""),
    ("by the key, last before it", {"key?gt": "k3"}, {"limit": 1, "last": "k1"}, "k4", "k4"),
    ("no match", {"n": 99}, {"limit": 1}, "", ""),
]


@pytest.mark.parametrize("query, options, keys, last", [case[1:] for case in PAGES], ids=[case[0] for case in PAGES])
def test_a_page_and_its_last(seven: BaseClient, query: Any, options: dict[str, Any], keys: str, last: str) -> None:
    answer = exact_json(seven.query(query, **options))

    assert keys_of(answer) == keys.split()
    assert answer["paging"] == {"size": len(keys.split())} | ({"last": last} if last else {})


def test_query_of_an_empty_body_object_means_everything(seven: BaseClient) -> None:
    assert len(exact_json(seven.send("POST", "/query", {}))["items"]) == 7


def test_query_of_a_base_that_does_not_exist_is_empty(client: BaseClient) -> None:
    response = client.query({"a": 1})

    assert response.status_code == 200
    assert exact_json(response) == {"paging": {"size": 0}, "items": []}


def test_last_works_when_its_item_is_gone(seven: BaseClient) -> None:
    last = exact_json(seven.query([], limit=3))["paging"]["last"]
    seven.delete(last)

    assert keys_of(exact_json(seven.query([], last=last))) == ["k4", "k5", "k6", "k7"]


def test_last_from_another_base_is_only_a_key(seven: BaseClient) -> None:
    other = make_client(seven.server)
    other.put({"key": "k0"}, {"key": "k5"}, {"key": "z"})
    last = exact_json(other.query([], limit=2))["paging"]["last"]

    assert keys_of(exact_json(seven.query([], last=last))) == ["k6", "k7"]


def test_limit_is_1000_unless_it_is_less(client: BaseClient) -> None:
    for start in range(0, 1005, 25):
        client.put(*({"key": f"{n:04}"} for n in range(start, min(start + 25, 1005))))

    for options in ({}, {"limit": 1000}, {"limit": 1001}, {"limit": 1_000_000}):
        page = exact_json(client.query([], **options))
        assert page["paging"] == {"size": 1000, "last": "0999"}
    page = exact_json(client.query([], limit=999))
    assert page["paging"] == {"size": 999, "last": "0998"}
    assert [len(page["items"]) for page in pages(client, [])] == [1000, 5]


@pytest.fixture(scope="module")
def heavy(server: Any, django_db_blocker: Any) -> BaseClient:
    """About 3.2 MB: 32 items of 100 KB, which these tests only read. `first` and `last` are alike but for `where`."""
    with django_db_blocker.unblock():
        client = make_client(server)
    for n in range(32):
        where = {0: "first", 31: "last"}.get(n, "between")
        client.put({"key": f"{n:02}", "where": where, "n": n, "text": "x" * 100_000})
    return client


@pytest.mark.parametrize("sort", ["", "desc"])
def test_a_scan_stops_after_about_1_mb_and_goes_on_from_there(heavy: BaseClient, sort: str) -> None:
    wanted = "first" if sort else "last"

    found = list(pages(heavy, {"where?pfx": wanted}, sort=sort))

    assert 3 <= len(found) <= 5
    assert [len(page["items"]) for page in found] == [0] * (len(found) - 1) + [1]
    assert found[-1]["items"][0]["where"] == wanted


@pytest.mark.parametrize(
    "query", [[], {"n?gte": 0}, {"key?gte": "00"}, [{"where": w} for w in ("first", "between", "last")]]
)
def test_a_page_holds_about_1_mb_of_items(heavy: BaseClient, query: Any) -> None:
    found = list(pages(heavy, query))

    assert all_keys(found) == [f"{n:02}" for n in range(32)]
    assert 3 <= len(found) <= 5
    assert all(len(exact_dump(page)) <= 1_500_000 for page in found)


def test_a_page_holds_one_item_at_least(client: BaseClient) -> None:
    client.put(*({"key": f"{n}", "text": "x" * 409_000} for n in range(4)))

    found = list(pages(client, []))

    assert all(page["items"] for page in found)
    assert all_keys(found) == ["0", "1", "2", "3"]


def test_an_equality_query_finds_its_match_in_one_request(heavy: BaseClient) -> None:
    answer = exact_json(heavy.query({"where": "last"}))

    assert keys_of(answer) == ["31"]
    assert answer["paging"] == {"size": 1}
