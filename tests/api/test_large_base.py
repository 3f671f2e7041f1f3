"""Queries in a Base of tens of thousands of items (contract: Base, "a query that an index can answer ...")."""

from typing import Any

import pytest

from storage.models import Base
from tests.factories import BaseClient, exact_json, make_client
from tests.storage.rows import fill_base

ITEMS = 25_000


@pytest.fixture(scope="module")
def large(server: Any, django_db_blocker: Any) -> BaseClient:
    """25,000 items of some 150 bytes, keys 000000 to 024999, which these tests only read."""
    with django_db_blocker.unblock():
        client = make_client(server)
        client.put({"key": "~"})
        client.delete("~")
        base_id = Base.objects.get(collection_id=client.collection_id).pk
        fill_base(
            base_id,
            (
                {
                    "key": f"{n:06}",
                    "n": n,
                    "group": f"g{n % 12_500}",
                    "o": {"n": n},
                    "late": n >= 13_000,
                    "text": "x" * 100,
                }
                for n in range(ITEMS)
            ),
        )
    return client


ONE_REQUEST: list[tuple[str, Any, list[int]]] = [
    ("equality of a number", {"n": 24_999}, [24_999]),
    ("equality of a text", {"group": "g12499"}, [12_499, 24_999]),
    ("equality inside an object", {"o.n": 24_998}, [24_998]),
    ("equality of an object", {"o": {"n": 24_998}}, [24_998]),
    ("equality and a scan condition", {"group": "g12499", "n?gt": 20_000}, [24_999]),
    ("two equalities", {"group": "g12499", "n": 12_499}, [12_499]),
    ("ORed equalities", [{"n": 24_999}, {"group": "g0"}], [0, 12_500, 24_999]),
    ("an equality that half the items share, and a scan condition", {"late": True, "n?gte": 24_999}, [24_999]),
    ("nothing equal", {"n": -1}, []),
    ("the key", {"key": "024999"}, [24_999]),
    ("a range of keys", {"key?r": ["024998", "024999"]}, [24_998, 24_999]),
    ("a prefix of keys", {"key?pfx": "02499"}, list(range(24_990, 25_000))),
    ("keys from one on", {"key?gte": "024998"}, [24_998, 24_999]),
    ("keys behind one", {"key?gt": "024998"}, [24_999]),
    ("a range of keys and a scan condition", {"key?gt": "024990", "n?gte": 24_999}, [24_999]),
]


@pytest.mark.parametrize("query, found", [case[1:] for case in ONE_REQUEST], ids=[case[0] for case in ONE_REQUEST])
@pytest.mark.parametrize("sort", ["", "desc"])
def test_an_index_finds_all_matches_in_one_request(large: BaseClient, query: Any, found: list[int], sort: str) -> None:
    answer = exact_json(large.query(query, sort=sort))

    assert answer["paging"] == {"size": len(found)}
    assert [item["n"] for item in answer["items"]] == (found[::-1] if sort else found)


def test_a_scan_gets_to_the_end_in_pages_of_about_1_mb(large: BaseClient) -> None:
    options: dict[str, Any] = {}
    found, requests = [], 0
    while True:
        answer = exact_json(large.query({"n?gte": ITEMS - 1}, **options))
        requests += 1
        found += [item["n"] for item in answer["items"]]
        if "last" not in answer["paging"]:
            break
        assert answer["paging"]["last"] > options.get("last", "")
        options["last"] = answer["paging"]["last"]

    assert found == [ITEMS - 1]
    assert 3 <= requests <= 12


def test_an_equality_that_half_the_items_share_pages_to_the_end(large: BaseClient) -> None:
    options: dict[str, Any] = {}
    found, sizes = [], []
    while True:
        answer = exact_json(large.query({"late": True}, **options))
        sizes.append(len(answer["items"]))
        found += [item["n"] for item in answer["items"]]
        if "last" not in answer["paging"]:
            break
        options["last"] = answer["paging"]["last"]

    assert found == list(range(13_000, ITEMS))
    assert sizes == [1000] * 12
