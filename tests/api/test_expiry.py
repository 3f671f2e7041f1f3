"""`__expires` (contract: Base, "Expiry")."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from tests.factories import BaseClient, exact_json
from tests.waiting import Found, eventually

FAR = 4_102_444_800  # the year 2100


def before_it_expires(act: Callable[[Decimal], Found], *, whole_seconds: bool = False) -> tuple[Decimal, Found]:
    """What comes of it when it is over before the second that `__expires` names is; a busy machine needs some tries.

    The moment it is given is at most half a second before the end of that second, so that a test need not wait long.
    """

    def try_it() -> tuple[Decimal, Found] | None:
        now = database_seconds()
        expires = Decimal(int(now)) if whole_seconds else Decimal(str(round(now - 0.5, 3)))
        found = act(expires)
        return (expires, found) if database_seconds() < expires + 1 else None

    tried = eventually(try_it)
    assert tried
    return tried


def database_seconds() -> float:
    """Unix time by the clock that counts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(cursor.fetchone()[0])


def is_there(client: BaseClient, key: str) -> dict[str, bool]:
    """What each way of looking says about the item."""
    return {
        "get": client.get(key).status_code == 200,
        "query": key in client.all_keys(),
        "query by the index": bool(exact_json(client.query({"mark": key}))["items"]),
        "query by the key": bool(exact_json(client.query({"key": key}))["items"]),
    }


@pytest.mark.parametrize("expires", [FAR, FAR + Decimal("0.5"), Decimal("9e12"), 10**20, Decimal("1e125")], ids=repr)
def test_an_item_with_its_end_ahead_is_there(client: BaseClient, expires: Any) -> None:
    item = {"key": "a", "mark": "a", "__expires": expires}

    assert exact_json(client.put(item)) == {"processed": {"items": [item]}}
    assert all(is_there(client, "a").values())
    assert client.stored("a") == item
    assert client.insert({"key": "a"}).status_code == 409
    assert client.update("a", {"set": {"n": 1}}).status_code == 200


@pytest.mark.parametrize("expires", [0, 1, -1, Decimal("0.5"), 1_600_000_000, -(10**20), Decimal("-1e125")], ids=repr)
def test_an_item_with_its_end_behind_is_stored_and_gone(client: BaseClient, expires: Any) -> None:
    item = {"key": "a", "mark": "a", "__expires": expires}

    response = client.put(item)

    assert response.status_code == 207
    assert exact_json(response) == {"processed": {"items": [item]}}
    assert not any(is_there(client, "a").values())
    assert exact_json(client.get("a")) == {"key": "a"}
    assert exact_json(client.update("a", {"set": {"n": 1}})) == {"errors": ["Key not found"]}
    assert exact_json(client.delete("a")) == {"key": "a"}
    assert exact_json(client.insert(item)) == item
    assert not any(is_there(client, "a").values())
    assert client.insert(item).status_code == 201


def test_putting_an_item_that_has_expired_removes_the_one_there_was(client: BaseClient) -> None:
    client.put({"key": "a", "mark": "a"})

    client.put({"key": "a", "mark": "a", "__expires": 1})

    assert not any(is_there(client, "a").values())


def test_an_item_is_gone_as_soon_as_its_second_is_over(client: BaseClient) -> None:
    def look(expires: Decimal) -> dict[str, bool]:
        client.put({"key": "a", "mark": "a", "__expires": expires})
        return is_there(client, "a")

    expires, seen_before = before_it_expires(look)

    eventually(lambda: client.get("a").status_code == 404)

    assert database_seconds() >= expires + 1
    assert not any(is_there(client, "a").values())
    assert client.update("a", {"set": {"n": 1}}).status_code == 404
    assert client.insert({"key": "a"}).status_code == 201
    assert all(seen_before.values())


def test_an_item_stored_with_now_can_be_read_back(client: BaseClient) -> None:
    def read_back(expires: Decimal) -> int:
        client.put({"key": "a", "__expires": int(expires)})
        return client.get("a").status_code

    assert before_it_expires(read_back, whole_seconds=True)[1] == 200


def test_set_renews_the_expiry_and_other_updates_leave_it(client: BaseClient) -> None:
    def update(expires: Decimal) -> list[int]:
        client.put(
            {"key": "renewed", "n": 1, "l": [], "__expires": expires},
            {"key": "updated", "n": 1, "l": [], "__expires": expires},
        )
        patches = {"renewed": {"set": {"__expires": FAR}}, "updated": {"increment": {"n": 1}, "append": {"l": [1]}}}
        return [client.update(key, patch).status_code for key, patch in patches.items()]

    assert before_it_expires(update)[1] == [200, 200]
    eventually(lambda: client.get("updated").status_code == 404)
    assert client.stored("renewed") == {"key": "renewed", "n": 1, "l": [], "__expires": FAR}


def test_an_update_can_end_an_item_and_increment_prolong_it(client: BaseClient) -> None:
    client.put({"key": "ended", "__expires": FAR}, {"key": "prolonged", "__expires": FAR})

    assert client.update("ended", {"set": {"__expires": 1}}).status_code == 200
    assert client.update("prolonged", {"increment": {"__expires": 60}}).status_code == 200

    assert client.all_keys() == ["prolonged"]
    assert client.stored("prolonged") == {"key": "prolonged", "__expires": FAR + 60}


def test_an_item_without_expiry_gets_one_by_an_update(client: BaseClient) -> None:
    client.put({"key": "a"})

    client.update("a", {"set": {"__expires": 1}})

    assert client.stored("a") is None


def test_deleting_the_expiry_keeps_the_item_for_good(client: BaseClient) -> None:
    def update(expires: Decimal) -> int:
        client.put({"key": "a", "__expires": expires}, {"key": "control", "__expires": expires})
        return client.update("a", {"delete": ["__expires"]}).status_code

    assert before_it_expires(update)[1] == 200
    eventually(lambda: client.get("control").status_code == 404)
    assert client.stored("a") == {"key": "a"}


def test_putting_without_expiry_replaces_the_expiry_too(client: BaseClient) -> None:
    client.put({"key": "a", "__expires": 1})
    client.put({"key": "a"})

    assert client.stored("a") == {"key": "a"}


def test_expired_items_do_not_count_for_limit_and_last(client: BaseClient) -> None:
    client.put(*({"key": f"k{n}", "v": 1} | ({"__expires": 1} if n % 2 else {}) for n in range(8)))

    queries: tuple[Any, ...] = ([], {"v": 1}, {"v?gte": 1}, {"key?gte": "k0"})
    for query in queries:
        assert exact_json(client.query(query, limit=4))["paging"] == {"size": 4}
        assert exact_json(client.query(query, limit=3))["paging"] == {"size": 3, "last": "k4"}


def test_a_nested_expires_means_nothing(client: BaseClient) -> None:
    item = {"key": "a", "o": {"__expires": "whatever"}}

    client.put(item)

    assert client.stored("a") == item
