"""1,000 wrong keys from one address (promises: "Hostile and odd input")."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from console import wrong_keys
from tests.factories import BaseClient, exact_json

# An address of this test's own: what it does keeps the address waiting for a minute.
ATTACKER = "127.0.0.9"
BYSTANDER = "127.0.0.10"


def test_an_address_with_1000_wrong_keys_is_told_to_wait_while_good_keys_are_served(client: BaseClient) -> None:
    client.put({"key": "a"})
    wrong = replace(client, key_text=f"{client.collection_id}_{'A' * 32}", source_address=ATTACKER)
    good = replace(client, source_address=ATTACKER)

    def guess(number: int) -> int:
        if number % 100 == 0:
            assert good.get("a").status_code == 200
        return wrong.get("a").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(guess, range(1000)))

    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 400
    refusals = [response for response in (wrong.get("a") for _ in range(20)) if response.status_code == 429]
    assert refusals
    for response in refusals:
        assert 1 <= int(response.headers["Retry-After"]) <= 60
        assert list(exact_json(response)) == ["errors"]
    assert good.get("a").status_code == 200
    assert replace(wrong, source_address=BYSTANDER).get("a").status_code == 401


def test_wrong_keys_are_counted_by_network_and_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_keys, "_ADDRESSES_MAX", 10)
    wrong_keys._counts.reset()
    waits = [wrong_keys.count_wrong_key(f"2001:db8::{number:x}") for number in range(101)]
    assert [wait > 0 for wait in waits] == [False] * 100 + [True]
    assert wrong_keys.count_wrong_key("2001:db8:0:1::1") == 0
    for number in range(100):
        wrong_keys.count_wrong_key(f"192.0.2.{number}")
    assert len(wrong_keys._counts.storage) <= 10
    wrong_keys._counts.reset()
