"""Numbers keep every digit, or are refused (contract: Base, "Numbers")."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import BaseClient, exact_json

KEPT = [
    "0",
    "-0",
    "1",
    "-1",
    "1.0",
    "0.1",
    "-0.1",
    "1e3",
    "1E+3",
    "1e-3",
    "123456789012345.6",
    "9007199254740993",
    "-9007199254740993",
    "18446744073709551616",
    "0.1234567890123456789012345678901234567",
    "12345678901234567890123456789012345678",
    "99999999999999999999999999999999999999",
    "1234567890123456789.0123456789012345678",
    "1e37",
    "1e38",
    "1e125",
    "-1e125",
    "9.9999999999999999999999999999999999999e125",
    "1e-125",
    "-1e-125",
    "1.2345678901234567890123456789012345678e-125",
    "3.141592653589793238462643383279502884",
    "1" + "0" * 125,
    "12345678901234567890123456789012345678" + "0" * 88,
    "0." + "0" * 124 + "1",
]

REFUSED = [
    "1e126",
    "-1e126",
    "10e125",
    "1e-126",
    "1e308",
    "1e309",
    "1e400",
    "1e-400",
    "1e131071",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "123456789012345678901234567890123456789",
    "0.123456789012345678901234567890123456789",
    "1.23456789012345678901234567890123456789",
    "1" + "0" * 126,
    "9" * 39,
    "9" * 5000,
    "-" + "9" * 5000,
    "0." + "1" * 5000,
    "1" + "0" * 5000,
]

NO_JSON = ["NaN", "Infinity", "-Infinity", "+1", "01", ".5", "1.", "1e", "0x10", "1_000", "--1"]


def _short(text: str) -> str:
    return text if len(text) < 50 else f"{text[:20]}... ({len(text)} characters)"


def _values(response: Any) -> Any:
    return json.loads(response.text, parse_float=Decimal)


@pytest.mark.parametrize("number", KEPT, ids=_short)
def test_a_number_comes_back_with_every_digit(client: BaseClient, number: str) -> None:
    response = client.send(
        "PUT", "/items", content=b'{"items":[{"key":"a","n":%s,"l":[{"n":%s}]}]}' % ((number.encode(),) * 2)
    )

    assert response.status_code == 207, response.text
    wanted = {"key": "a", "n": Decimal(number), "l": [{"n": Decimal(number)}]}
    assert exact_json(response)["processed"]["items"] == [wanted]
    assert client.stored("a") == wanted
    assert exact_json(client.query([]))["items"] == [wanted]
    assert exact_json(client.query({"n": Decimal(number)}))["items"] == [wanted]
    assert exact_json(client.query({"n?r": [Decimal(number), Decimal(number)]}))["items"] == [wanted]


@pytest.mark.parametrize("number", REFUSED + NO_JSON, ids=_short)
def test_a_number_that_cannot_be_kept_is_400_everywhere(client: BaseClient, number: str) -> None:
    client.put({"key": "a", "n": 1, "l": []})
    text = number.encode()

    for method, path, body in (
        ("PUT", "/items", b'{"items":[{"key":"new","n":%s}]}'),
        ("POST", "/items", b'{"item":{"key":"new","n":[%s]}}'),
        ("PATCH", "/items/a", b'{"set":{"n":%s}}'),
        ("PATCH", "/items/a", b'{"set":{"n":{"m":[%s]}}}'),
        ("PATCH", "/items/a", b'{"increment":{"n":%s}}'),
        ("PATCH", "/items/a", b'{"append":{"l":[%s]}}'),
        ("POST", "/query", b'{"query":{"n":%s}}'),
        ("POST", "/query", b'{"query":{"n?gt":%s}}'),
    ):
        response = client.send(method, path, content=body % text)
        assert response.status_code == 400, body
        assert list(exact_json(response)) == ["errors"]

    assert exact_json(client.query([]))["items"] == [{"key": "a", "n": 1, "l": []}]


def test_an_increment_out_of_the_range_is_400(client: BaseClient) -> None:
    client.put({"key": "a", "n": Decimal("9e125"), "m": Decimal("1e-125")})

    assert client.update("a", {"increment": {"n": Decimal("9e125")}}).status_code == 400
    assert client.update("a", {"increment": {"m": 1}}).status_code == 400
    assert client.stored("a") == {"key": "a", "n": Decimal("9e125"), "m": Decimal("1e-125")}


def test_increments_of_a_fraction_stay_exact(client: BaseClient) -> None:
    client.put({"key": "a", "n": 0})

    for _ in range(10):
        client.update("a", {"increment": {"n": Decimal("0.1")}})

    assert client.stored("a") == {"key": "a", "n": 1}


def test_an_item_of_many_huge_numbers_stays_readable(client: BaseClient) -> None:
    body = b'{"items":[{"key":"a","n":[%s]}]}' % b",".join([b"1e125"] * 10_000)

    assert client.send("PUT", "/items", content=body).status_code == 207
    assert _values(client.get("a"))["n"] == [Decimal("1e125")] * 10_000
