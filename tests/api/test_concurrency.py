"""Many requests at once (promises: "Faults to inject")."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

from storage.collections import keys
from tests.factories import BaseClient, exact_json, make_client


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """The results of calls that start together, each in a thread of its own."""
    calls = list(calls)
    barrier = Barrier(len(calls))

    def start(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))


def test_8_threads_with_100_increments_each_make_800(client: BaseClient) -> None:
    client.put({"key": "a", "n": 0, "l": []})

    def increment() -> set[int]:
        return {client.update("a", {"increment": {"n": 1}}).status_code for _ in range(100)}

    assert at_once([increment] * 8) == [{200}] * 8
    assert client.stored("a") == {"key": "a", "n": 800, "l": []}


def test_appends_and_sets_at_once_are_all_there(client: BaseClient) -> None:
    client.put({"key": "a", "l": []})

    def change(number: int) -> set[int]:
        return {
            client.update("a", {"append": {"l": [number * 100 + n]}, "set": {f"s{number}": n}}).status_code
            for n in range(20)
        }

    assert at_once(partial(change, number) for number in range(8)) == [{200}] * 8
    item = client.stored("a")
    assert sorted(item["l"]) == [number * 100 + n for number in range(8) for n in range(20)]
    assert [item[f"s{number}"] for number in range(8)] == [19] * 8


def test_of_20_inserts_of_one_key_at_once_one_wins(client: BaseClient) -> None:
    for round_number in range(5):
        key = f"k{round_number}"
        responses = at_once(partial(client.insert, {"key": key, "n": n}) for n in range(20))

        assert Counter(response.status_code for response in responses) == {201: 1, 409: 19}
        winner = next(response for response in responses if response.status_code == 201)
        assert client.stored(key) == exact_json(winner)


def test_of_20_inserts_of_an_expired_key_at_once_one_wins(client: BaseClient) -> None:
    client.put({"key": "a", "__expires": 1})

    responses = at_once(partial(client.insert, {"key": "a", "n": n}) for n in range(20))

    assert Counter(response.status_code for response in responses) == {201: 1, 409: 19}


def test_first_writes_to_a_new_base_at_once_all_succeed(client: BaseClient) -> None:
    responses = at_once(partial(client.put, {"key": f"k{n:02}"}) for n in range(20))

    assert {response.status_code for response in responses} == {207}
    assert client.all_keys() == [f"k{n:02}" for n in range(20)]


def test_puts_of_the_same_keys_in_opposite_orders_never_deadlock(client: BaseClient) -> None:
    items = [{"key": f"k{n}", "n": n} for n in range(25)]

    def put(order: list[dict[str, Any]]) -> set[int]:
        return {client.put(*order).status_code for _ in range(25)}

    assert at_once(partial(put, order) for order in (items, items[::-1]) * 4) == [{207}] * 8


def test_puts_and_updates_of_the_same_keys_never_deadlock(client: BaseClient) -> None:
    items = [{"key": f"k{n}", "n": 0} for n in range(25)]
    client.put(*items)

    def update() -> set[int]:
        return {client.update(f"k{24 - n}", {"increment": {"n": 1}}).status_code for n in range(25)}

    def put() -> set[int]:
        return {client.put(*items[::-1]).status_code for _ in range(10)}

    def delete() -> set[int]:
        return {client.delete(f"k{n}").status_code for n in range(0, 25, 5)}

    for statuses in at_once([update, update, update, put, put, delete]):
        assert statuses <= {200, 207, 404}


def test_a_reader_sees_the_old_item_or_the_new_one(client: BaseClient) -> None:
    client.put({"key": "a", "n": 0, "text": "0" * 50_000})

    def write(number: int) -> None:
        for n in range(15):
            digit = str((number + n) % 10)
            assert client.put({"key": "a", "n": int(digit), "text": digit * 50_000}).status_code == 207

    def read() -> None:
        for _ in range(15):
            item = client.stored("a")
            assert item["text"] == str(item["n"]) * 50_000

    at_once([lambda number=number: write(number) for number in range(3)] + [read] * 3)


def test_generated_keys_never_meet(client: BaseClient) -> None:
    def put() -> list[str]:
        return [item["key"] for item in exact_json(client.put(*({} for _ in range(25))))["processed"]["items"]]

    made = [key for keys_of_one in at_once([put] * 16) for key in keys_of_one]

    assert len(set(made)) == len(made) == 400
    assert client.all_keys() == sorted(made)


def test_no_request_after_a_revocation_is_served_by_any_worker(client: BaseClient) -> None:
    for _ in range(5):
        # More connections than workers, each used before, so that every worker has seen the key as good.
        revoked = make_client(client.server, collection_id=client.collection_id, source_address="127.0.0.11")
        assert {response.status_code for response in at_once([lambda: revoked.put({"key": "a"})] * 16)} == {207}  # noqa: B023 -- called at once

        keys.revoke_key(collection_id=client.collection_id, key_id=revoked.key_id)

        assert {response.status_code for response in at_once([lambda: revoked.get("a")] * 16)} <= {401, 429}  # noqa: B023
