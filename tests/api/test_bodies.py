"""What a body may be (contract: Everywhere): JSON, an object, whole, not encoded."""

import gzip
import json
from typing import Any

import pytest

from console.api import handler
from tests.factories import BaseClient, exact_json, make_client
from tests.serving import Server

# Every request that has a body, with one that is good.
WITH_BODY: list[tuple[str, str, bytes]] = [
    ("PUT", "/items", b'{"items":[{"key":"new"}]}'),
    ("POST", "/items", b'{"item":{"key":"new"}}'),
    ("PATCH", "/items/a", b'{"set":{"n":2}}'),
    ("POST", "/query", b'{"query":[]}'),
]
METHODS = [f"{method} {path}" for method, path, _ in WITH_BODY]


@pytest.fixture
def stored(client: BaseClient) -> BaseClient:
    client.put({"key": "a", "n": 1})
    return client


def assert_refused(client: BaseClient, response: Any, status: int = 400) -> None:
    """The answer is an error in JSON, and nothing has changed."""
    assert response.status_code == status, response.text
    answer = exact_json(response)
    assert list(answer) == ["errors"]
    assert all(isinstance(message, str) and message for message in answer["errors"])
    assert exact_json(client.query([]))["items"] == [{"key": "a", "n": 1}]


NOT_AN_OBJECT: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("blanks", b" \n"),
    ("null", b"null"),
    ("a number", b"1"),
    ("a text", b'"items"'),
    ("a list", b"[]"),
    ("a list of items", b'[{"key":"new"}]'),
    ("two objects", b'{"items":[{"key":"new"}]}{}'),
    ("an object cut short", b'{"items":[{"key":"new"}]'),
    ("a text cut short", b'{"items":[{"key":"new'),
    ("text behind the object", b'{"items":[{"key":"new"}]} x'),
    ("a comma too many", b'{"items":[{"key":"new"},]}'),
    ("a comment", b'{"items":[{"key":"new"}]} // x'),
    ("single quotes", b"{'items':[{'key':'new'}]}"),
    ("a form", b"items=%5B%7B%22key%22%3A%22new%22%7D%5D"),
    ("HTML", b"<html>"),
    ("a byte order mark", b'\xef\xbb\xbf{"items":[{"key":"new"}]}'),
    ("UTF-16", '{"items":[{"key":"new"}]}'.encode("utf-16")),
    ("UTF-16 without a mark", '{"items":[{"key":"new"}]}'.encode("utf-16-le")),
    ("UTF-32", '{"items":[{"key":"new"}]}'.encode("utf-32")),
    ("Latin-1", '{"items":[{"key":"né"}]}'.encode("latin-1")),
    ("a lone byte", b'{"items":[{"key":"\xff"}]}'),
    ("an overlong sequence", b'{"items":[{"key":"\xc0\xaf"}]}'),
    ("a surrogate in UTF-8", b'{"items":[{"key":"\xed\xa0\x80"}]}'),
    ("a raw line break in a text", b'{"items":[{"key":"a\nb"}]}'),
    ("a raw NUL in a text", b'{"items":[{"key":"a\x00b"}]}'),
    ("NUL behind the object", b'{"items":[{"key":"new"}]}\x00'),
    ("an unknown escape", b'{"items":[{"key":"\\x41"}]}'),
    ("100,000 brackets", b"[" * 100_000),
    ("100,000 braces", b'{"a":' * 100_000),
    ("an integer of 5,000 digits", b"9" * 5000),
]


@pytest.mark.parametrize("body", [body for _, body in NOT_AN_OBJECT], ids=[name for name, _ in NOT_AN_OBJECT])
@pytest.mark.parametrize("method, path, _good", WITH_BODY, ids=METHODS)
def test_a_body_that_is_no_json_object_is_400(
    stored: BaseClient, method: str, path: str, _good: bytes, body: bytes
) -> None:
    assert_refused(stored, stored.send(method, path, content=body))


# Put in the place of a value.
UNSTORABLE: list[tuple[str, bytes]] = [
    ("an escaped NUL", b'"\\u0000"'),
    ("a lone high surrogate", b'"\\ud800"'),
    ("a lone low surrogate", b'"x\\udc00"'),
    ("surrogates in the wrong order", b'"\\udc00\\ud800"'),
    ("a high surrogate and a letter", b'"\\ud800a"'),
    ("NaN", b"NaN"),
    ("Infinity", b"Infinity"),
    ("-Infinity", b"-Infinity"),
    ("an attribute name with NUL", b'{"\\u0000":1}'),
    ("an attribute name with a lone surrogate", b'{"\\ud800":1}'),
]


@pytest.mark.parametrize("value", [value for _, value in UNSTORABLE], ids=[name for name, _ in UNSTORABLE])
@pytest.mark.parametrize(
    "method, path, frame",
    [
        ("PUT", "/items", b'{"items":[{"key":"new","deep":[{"v":%s}]}]}'),
        ("POST", "/items", b'{"item":{"key":"new","v":%s}}'),
        ("PATCH", "/items/a", b'{"set":{"n":%s}}'),
        ("PATCH", "/items/a", b'{"set":{"v":{"w":%s}}}'),
    ],
)
def test_what_postgres_or_json_cannot_hold_is_400_and_says_so(
    stored: BaseClient, method: str, path: str, frame: bytes, value: bytes
) -> None:
    response = stored.send(method, path, content=frame % value)

    assert_refused(stored, response)
    told = " ".join(exact_json(response)["errors"])
    assert any(word in told for word in ("u0000", "surrogate", "NaN", "Infinity", "number")), told


@pytest.mark.parametrize("key", ["\\u0000", "a\\u0000b", "\\ud800", "x\\udfff"])
def test_a_key_that_postgres_cannot_hold_is_400(stored: BaseClient, key: str) -> None:
    assert_refused(stored, stored.send("PUT", "/items", content=b'{"items":[{"key":"%s"}]}' % key.encode()))
    assert_refused(stored, stored.send("POST", "/items", content=b'{"item":{"key":"%s"}}' % key.encode()))


def test_surrogates_that_make_a_pair_are_one_character(client: BaseClient) -> None:
    client.send("PUT", "/items", content=b'{"items":[{"key":"\\ud83d\\ude42","v":"\\uD83D\\uDE42"}]}')

    assert client.stored("🙂") == {"key": "🙂", "v": "🙂"}


ENCODINGS = ["gzip", "GZIP", "deflate", "br", "zstd", "gzip, gzip", "nonsense"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("method, path, good", WITH_BODY, ids=METHODS)
def test_a_content_encoding_is_415(stored: BaseClient, method: str, path: str, good: bytes, encoding: str) -> None:
    body = gzip.compress(good) if encoding.lower() == "gzip" else good

    assert_refused(stored, stored.send(method, path, content=body, headers={"Content-Encoding": encoding}), 415)


CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/xml",
    "nonsense",
    "",
]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_the_declared_content_type_is_never_a_reason_to_read_a_body_otherwise(
    client: BaseClient, content_type: str
) -> None:
    headers = {"Content-Type": content_type}

    put = client.send("PUT", "/items", content=b'{"items":[{"key":"a=1&b","n":1}]}', headers=headers)
    patch = client.send("PATCH", "/items/a=1&b", content=b'{"increment":{"n":1}}', headers=headers)
    query = client.send("POST", "/query", content=b'{"query":{"n":2}}', headers=headers)

    assert [put.status_code, patch.status_code, query.status_code] == [207, 200, 200]
    assert exact_json(query)["items"] == [{"key": "a=1&b", "n": 2}]


def test_a_body_on_get_and_delete_is_ignored(stored: BaseClient) -> None:
    assert exact_json(stored.send("GET", "/items/a", content=b"not json")) == {"key": "a", "n": 1}
    assert exact_json(stored.send("DELETE", "/items/a", content=b"not json")) == {"key": "a"}


@pytest.mark.parametrize("method, path, good", WITH_BODY, ids=METHODS)
def test_a_body_over_16_mb_is_400_for_every_request(stored: BaseClient, method: str, path: str, good: bytes) -> None:
    assert_refused(stored, stored.send(method, path, content=good + b" " * (16_777_217 - len(good))))


def test_white_space_around_json_is_fine(client: BaseClient) -> None:
    body = json.dumps({"items": [{"key": "a"}]}, indent=4).replace("\n", "\r\n").encode()

    assert client.send("PUT", "/items", content=b"\n\t " + body + b"\r\n").status_code == 207


class _Watched:
    """A body whose readings are noted; one without a size would take in all of it."""

    def __init__(self) -> None:
        self.sizes: list[int | None] = []

    def read(self, size: int | None = None) -> bytes:
        self.sizes.append(size)
        return b""

    readline = read


@pytest.mark.parametrize("path", ["things/items", "things/files"])
def test_chunked_body_is_not_taken_in_from_just_anybody(server: Server, path: str) -> None:
    client = make_client(server)
    body = _Watched()
    environ = {
        "REQUEST_METHOD": "PUT" if path.endswith("items") else "POST",
        "PATH_INFO": f"/v1/{client.collection_id}/{path}",
        "QUERY_STRING": "name=a",
        "HTTP_X_API_KEY": f"{client.collection_id}_{'x' * 32}",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": body,
    }
    status, *_ = handler.answer(environ)
    assert status == "401 Unauthorized"
    assert None not in body.sizes
