"""What the published Python and Go clients send, to the letter (the JavaScript client itself runs in tests/sdk)."""

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.factories import BaseClient, RawConnection, raw_head


class PythonClient:
    """The requests of the Python client: `http.client`, the standard library's JSON with its blanks and escapes."""

    def __init__(self, client: BaseClient) -> None:
        self._client = client
        address = urlsplit(client.server.url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port)

    def close(self) -> None:
        self._connection.close()

    def request(self, method: str, path: str, value: Any = None) -> tuple[int, Any]:
        headers = {"X-Api-Key": self._client.key_text}
        if value is not None:
            headers["Content-Type"] = "application/json"
        body = None if value is None else json.dumps(value)
        self._connection.request(method, self._client.path + path, headers=headers, body=body)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


@pytest.fixture
def python(client: BaseClient) -> Any:
    spoken = PythonClient(client)
    yield spoken
    spoken.close()


def test_the_python_clients_session(python: PythonClient) -> None:
    """One connection: put, insert, a conflict, get, update, query to the end, delete, and what is gone."""
    key = "%@#//#!#)#$_ é"
    path = "/items/" + quote(key, safe="")
    item = {"value": [1, "é"], "key": key, "tags": ["a"], "n": 1}
    empty: dict[str, Any] = {"set": {}, "increment": {}, "append": {}, "prepend": {}, "delete": []}

    assert python.request("PUT", "/items", {"items": [item]}) == (207, {"processed": {"items": [item]}})
    assert python.request("POST", "/items", {"item": {"key": "b"}}) == (201, {"key": "b"})
    assert python.request("POST", "/items", {"item": {"key": "b"}}) == (409, {"errors": ["Key already exists"]})
    assert python.request("GET", path) == (200, item)

    patch = empty | {"increment": {"n": 1}, "append": {"tags": ["b"]}, "prepend": {"value": [0]}}
    assert python.request("PATCH", path, patch) == (200, {"key": key} | patch)
    assert python.request("PATCH", "/items/none", empty | {"set": {"n": 1}}) == (404, {"errors": ["Key not found"]})
    assert python.request("PATCH", path, empty)[0] == 400

    changed = item | {"n": 2, "tags": ["a", "b"], "value": [0, 1, "é"]}
    # Without a limit or a place to go on from, the client sends null for them, and no query at all.
    query: dict[str, Any] = {"limit": None, "last": None}
    assert python.request("POST", "/query", query) == (200, {"paging": {"size": 2}, "items": [changed, {"key": "b"}]})
    query = {"limit": 1, "last": None, "query": [{"n?gt": 1}]}
    assert python.request("POST", "/query", query) == (200, {"paging": {"size": 1}, "items": [changed]})
    query = {"limit": 1, "last": None, "query": [{}]}
    first = python.request("POST", "/query", query)
    assert first == (200, {"paging": {"size": 1, "last": key}, "items": [changed]})
    query = {"limit": 1, "last": key, "query": [{}]}
    assert python.request("POST", "/query", query) == (200, {"paging": {"size": 1}, "items": [{"key": "b"}]})

    assert python.request("DELETE", path) == (200, {"key": key})
    assert python.request("DELETE", path) == (200, {"key": key})
    assert python.request("GET", path) == (404, {"key": key})


GO_REQUESTS: list[tuple[str, str, str, bytes, int, Any]] = [
    # name, method, path, body, status, answer; the item `a$&+=:@` with n 1 and l [1] is there
    ("get, with what Go's PathEscape leaves alone", "GET", "/items/a$&+=:@", b"", 200,
     {"key": "a$&+=:@", "n": 1, "l": [1]}),
    ("put of many", "PUT", "/items", b'{"items":[{"key":"x","n":1.5},{"key":"y","v":null}]}', 207,
     {"processed": {"items": [{"key": "x", "n": 1.5}, {"key": "y", "v": None}]}}),
    ("update with its parts in Go's order", "PATCH", "/items/a$&+=:@",
     b'{"set":{},"delete":[],"append":{"l":[2]},"prepend":{},"increment":{"n":1}}', 200,
     {"key": "a$&+=:@", "set": {}, "delete": [], "append": {"l": [2]}, "prepend": {}, "increment": {"n": 1}}),
    ("query nil", "POST", "/query", b'{"query":null}', 200,
     {"paging": {"size": 1}, "items": [{"key": "a$&+=:@", "n": 1, "l": [1]}]}),
    ("query with all options", "POST", "/query", b'{"query":[{"n?lte":1}],"last":"0","limit":1,"sort":"desc"}', 200,
     {"paging": {"size": 0}, "items": []}),
    ("query escaped as Go writes <, > and &", "POST", "/query", b'{"query":[{"n?\\u003e=":1,"n?\\u003c":2}]}', 200,
     {"paging": {"size": 1}, "items": [{"key": "a$&+=:@", "n": 1, "l": [1]}]}),
    ("delete", "DELETE", "/items/a$&+=:@", b"", 200, {"key": "a$&+=:@"}),
]  # fmt: skip


@pytest.mark.parametrize(
    "method, path, body, status, wanted", [case[1:] for case in GO_REQUESTS], ids=[case[0] for case in GO_REQUESTS]
)
def test_a_go_clients_request(
    client: BaseClient, method: str, path: str, body: bytes, status: int, wanted: Any
) -> None:
    client.put({"key": "a$&+=:@", "n": 1, "l": [1]})
    headers = ["User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"]
    if body:
        headers += ["Content-Type: application/json", f"Content-Length: {len(body)}"]

    with RawConnection(client.server) as connection:
        connection.send(raw_head(client, method, path, *headers), body)
        answer = connection.answer()

    assert answer is not None
    assert (answer.status, answer.json) == (status, wanted)
    assert "Content-Encoding" not in answer.headers


def test_the_javascript_clients_query(client: BaseClient) -> None:
    """Its `last` and `sort` are empty texts when not given, and it reads `paging.last` as undefined at the end."""
    client.put({"key": "a"}, {"key": "b"})

    answer = client.send("POST", "/query", {"query": [{}], "limit": 1000, "last": "", "sort": ""})

    assert answer.json() == {"paging": {"size": 2}, "items": [{"key": "a"}, {"key": "b"}]}
