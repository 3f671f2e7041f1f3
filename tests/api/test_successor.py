"""The dialects of the hosted successor, beside the contract that they leave as it is (contract: Dialects)."""

from typing import Any

import httpx
import pytest

from tests.factories import BaseClient, exact_json, make_client, shared_http


def ask_by_token(client: BaseClient, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    return shared_http().request(
        method,
        client.server.url + client.path + path,
        headers={"Authorization": f"Token {client.key_text}"} | headers,
        **({} if body is None else {"json": body}),
    )


def test_a_token_gets_bare_items_and_lists(client: BaseClient) -> None:
    items = [{"key": "b", "n": 2}, {"key": "a", "n": 1}]

    put = ask_by_token(client, "PUT", "/items", {"items": items})
    insert = ask_by_token(client, "POST", "/items", {"item": {"key": "c"}})
    update = ask_by_token(client, "PATCH", "/items/a", {"updates": {"set": {"t": "x"}, "increment": {"n": 2}}})
    get = ask_by_token(client, "GET", "/items/a")

    assert (put.status_code, exact_json(put)) == (200, items)
    assert (insert.status_code, exact_json(insert)) == (201, [{"key": "c"}])
    assert (update.status_code, exact_json(update)) == (200, {"key": "a", "n": 3, "t": "x"})
    assert exact_json(get) == exact_json(update)
    assert get.headers["ETag"] == update.headers["ETag"]
    assert insert.headers["ETag"] == client.get("c").headers["ETag"]
    assert exact_json(ask_by_token(client, "DELETE", "/items/a")) == {"key": "a"}
    assert client.all_keys() == ["b", "c"]


def test_a_token_pages_by_last_key(client: BaseClient) -> None:
    client.put(*({"key": f"k{n}", "n": n} for n in range(5)))
    pages, last = [], None
    while True:
        answer = exact_json(ask_by_token(client, "POST", "/query", {"limit": 2, "last_key": last, "query": [{}]}))
        assert set(answer) == {"count", "last_key", "items"}
        assert answer["count"] == len(answer["items"])
        pages.append([item["key"] for item in answer["items"]])
        if (last := answer["last_key"]) is None:
            break
    assert pages == [["k0", "k1"], ["k2", "k3"], ["k4"]]


@pytest.mark.parametrize(
    "method, path, body, status",
    [
        ("GET", "/items/none", None, 404),
        ("POST", "/items", {"item": {"key": "a"}}, 409),
        ("PATCH", "/items/none", {"updates": {"set": {"n": 1}}}, 404),
        ("PUT", "/items", {"items": []}, 400),
        ("PUT", "/items", {"items": [{"key": "x"}, {"key": "y", "": 1}]}, 400),
        ("PUT", "/items", {"items": [{"key": str(n)} for n in range(31)]}, 400),
        ("POST", "/query", {"query": [{"n?": 1}]}, 400),
    ],
)
def test_a_token_meets_the_same_rules(client: BaseClient, method: str, path: str, body: Any, status: int) -> None:
    client.put({"key": "a"})

    assert ask_by_token(client, method, path, body).status_code == status
    assert client.all_keys() == ["a"]


def test_a_token_puts_30_items_and_a_data_key_25(client: BaseClient) -> None:
    items = [{"key": f"k{n:02}"} for n in range(30)]

    assert client.put(*items).status_code == 400
    assert exact_json(ask_by_token(client, "PUT", "/items", {"items": items})) == items


def test_a_token_is_refused_as_a_data_key_is(client: BaseClient) -> None:
    path = f"{client.server.url}{client.path}/items/a"
    reader = make_client(client.server, collection_id=client.collection_id, can_write=False)
    assert ask_by_token(reader, "PUT", "/items", {"items": [{"key": "a"}]}).status_code == 403
    http = shared_http("127.0.0.18")
    for scheme in ("Bearer", "Basic", "Token2", "X-API-Key"):
        refused = http.get(path, headers={"Authorization": f"{scheme} {client.key_text}"})
        assert (refused.status_code, exact_json(refused)) == (401, {"errors": ["Unauthorized"]})
    assert http.get(path, headers={"Authorization": f"Token {client.key_text}x"}).status_code == 401
    assert http.get(path, headers={"Authorization": f"token {client.key_text}"}).status_code == 404


def test_beside_a_data_key_a_token_means_nothing(client: BaseClient) -> None:
    headers = {"X-API-Key": client.key_text}
    assert exact_json(ask_by_token(client, "PUT", "/items", {"items": [{"key": "a"}]}, **headers)) == {
        "processed": {"items": [{"key": "a"}]}
    }
    assert ask_by_token(client, "GET", "/items/a", **{"X-API-Key": "nonsense"}).status_code == 401


PYTHON = {"set": {}, "increment": {}, "append": {}, "prepend": {}, "delete": []}
# What `updates` holds, and what of the item is changed by it.
UPDATES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Python: all parts": (
        {"set": {"t": "y"}, "increment": {"n": 2}, "append": {"l": [2]}, "prepend": {"l2": [0]}, "delete": ["gone"]},
        {"t": "y", "n": 3, "l": [1, 2], "l2": [0, 9]},
    ),
    "Python: what is added is no list": (
        PYTHON | {"append": {"l": "x"}, "prepend": {"l2": {"a": 1}}},
        {"l": [1, "x"], "l2": [{"a": 1}, 9], "gone": 0},
    ),
    "by hand: one part": ({"increment": {"n": 1}}, {"n": 2, "gone": 0}),
    "JavaScript: operations": (
        {
            "n": {"__op": "increment", "value": -1},
            "l": {"__op": "append", "value": "x"},
            "l2": {"__op": "prepend", "value": [7, 8]},
            "t": {"__op": "set", "value": {"a": 1}},
            "gone": {"__op": "trim"},
        },
        {"n": 0, "l": [1, "x"], "l2": [7, 8, 9], "t": {"a": 1}},
    ),
    "JavaScript: plain values": ({"t": "y", "o": {"p": None}, "n": 5}, {"t": "y", "o": {"p": None}, "n": 5, "gone": 0}),
    "JavaScript: fields with the names of parts": (
        {"set": {"__op": "set", "value": 1}, "delete": {"__op": "set", "value": {}}},
        {"set": 1, "delete": {}, "gone": 0},
    ),
    "JavaScript: a field with the name of a part": ({"set": 1, "append": "x"}, {"set": 1, "append": "x", "gone": 0}),
    "JavaScript: delete": ({"gone": {"__op": "delete"}}, {}),
}


@pytest.mark.parametrize("way", UPDATES)
def test_updates_are_understood_in_each_clients_way_and_answered_with_the_item(client: BaseClient, way: str) -> None:
    updates, changed = UPDATES[way]
    before = {"key": "a", "n": 1, "l": [1], "l2": [9], "t": "x"}
    client.put(before | {"gone": 0})

    response = client.update("a", {"updates": updates})

    assert (response.status_code, exact_json(response)) == (200, before | changed)
    assert client.stored("a") == before | changed
    assert response.headers["ETag"] == client.get("a").headers["ETag"]


@pytest.mark.parametrize(
    "body",
    [
        {"updates": None},
        {"updates": []},
        {"updates": {}},
        {"updates": PYTHON},
        {"updates": {"n": {"__op": "multiply", "value": 2}}},
        {"updates": {"n": {"__op": ["set"], "value": 2}}},
        {"updates": {"n": {"__op": "increment"}}},
        {"updates": {"n": {"__op": "increment", "value": "x"}}},
        {"updates": {"t": {"__op": "append", "value": 1}}},
        {"updates": {"key": "b"}},
        {"updates": {"n": 1}, "set": {"n": 2}},
    ],
)
def test_bad_updates_change_nothing(client: BaseClient, body: Any) -> None:
    client.put({"key": "a", "n": 1, "t": "x"})

    response = client.update("a", body)

    assert response.status_code == 400
    assert exact_json(response)["errors"]
    assert client.stored("a") == {"key": "a", "n": 1, "t": "x"}


def test_updates_hold_under_a_condition(client: BaseClient) -> None:
    client.put({"key": "a", "n": 1})

    response = client.send("PATCH", "/items/a", {"updates": {"n": 2}}, headers={"If-Match": '"1"'})

    assert response.status_code == 412


REQUESTS, NODE, BROWSER, CURL = "python-requests/2.32", "node-fetch/1.0 (+x)", "Mozilla/5.0", "curl/8.5"
# A query's body, by whom, and whether the answer has the fields of the first clients.
QUERIES: list[tuple[dict[str, Any], str, bool]] = [
    ({"query": {"n?gte": 0}, "limit": 2}, REQUESTS, True),
    ({"query": {"n?gte": 0}, "limit": 2, "last": "k0"}, NODE, True),
    ({"query": {}}, BROWSER, True),
    ({"query": [{"n": 0}, {"n": 1}]}, REQUESTS, True),
    ({}, REQUESTS, True),
    ({"limit": 2}, NODE, True),
    ({"limit": 2, "last": "k0"}, BROWSER, True),
    ({"query": {"n?gte": 0}, "limit": 2}, CURL, False),
    ({}, CURL, False),
    ({"query": [{}], "limit": 2, "last": "", "sort": ""}, NODE, False),  # the original's JavaScript
    ({"query": [{}], "limit": 2, "last": "", "sort": ""}, BROWSER, False),
    ({"limit": 2, "last": None}, "", False),  # its Python
    ({"limit": 2}, "Python/3.12 aiohttp/3.9", False),
    ({"query": [{}], "limit": 2}, "Go-http-client/1.1", False),
]


@pytest.mark.parametrize("body, agent, summed", QUERIES)
def test_a_fetch_of_the_first_clients_has_count_and_last(
    client: BaseClient, body: dict[str, Any], agent: str, summed: bool
) -> None:
    client.put(*({"key": f"k{n}", "n": n} for n in range(4)))

    answer = exact_json(client.send("POST", "/query", body, headers={"User-Agent": agent}))

    last = answer["paging"].get("last")
    assert answer["paging"]["size"] == len(answer["items"]) > 0
    more = {"count": len(answer["items"]), "last": last} if summed else {}
    assert answer == {"paging": answer["paging"], "items": answer["items"], **more}
