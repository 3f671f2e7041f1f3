"""What a person may send from here: this collection's own API, and nothing else."""

from typing import Any

import pytest

from console.visor.request_drafts import check_target, make_draft, read_headers
from storage.errors import InvalidInput

ID = "abcdefghij"
# The list of promises: absolute, another host, another collection, upwards, split; as written and percent-encoded.
WAYS_OUT = [
    "http://example.com/",
    "HTTPS://example.com",
    "javascript:alert(1)",
    "http:%2f%2fexample.com",
    "//example.com/v1/x",
    "/%2fexample.com",
    "%2f%2fexample.com",
    "%252f%252fexample.com",
    "\\\\example.com",
    "%5c%5cexample.com",
    "@example.com/",
    "%40example.com/",
    "/v1/zyxwvutsrq/notes/items",
    "/healthz",
    "/",
    "",
    "..",
    "../zyxwvutsrq/notes/items",
    "notes/../../zyxwvutsrq/notes/items",
    "notes/./items",
    "notes/..%2f..%2fzyxwvutsrq",
    "notes/%2e%2e/%2e%2e/zyxwvutsrq/notes/items",
    "notes/%252e%252e/x",
    "notes/%25252e%25252e/x",
    "notes\\..\\..\\x",
    f"/v1/{ID}/../zyxwvutsrq/notes/items",
    "notes/items HTTP/1.1\r\nHost: example.com",
    "notes/items\r\nX-A: b",
    "notes/items\nX",
    "notes/items\tX",
    "notes/items\x00",
    "notes/items/%zz",
]


@pytest.mark.parametrize("target", WAYS_OUT)
def test_ways_out_are_refused(target: str) -> None:
    with pytest.raises(InvalidInput):
        check_target(target, collection_id=ID)


@pytest.mark.parametrize(
    "target, expected",
    [
        ("notes/items/a", ("notes/items/a", "")),
        (f"/v1/{ID}/notes/items/a", ("notes/items/a", "")),
        ("pics/files?name=../x&a=http://b", ("pics/files", "name=../x&a=http://b")),
        ("notes/items/a%0Ab", ("notes/items/a%0Ab", "")),
        ("notes/items/%25@%23%2F%2F%23!%23)%23$_", ("notes/items/%25@%23%2F%2F%23!%23)%23$_", "")),
        ("notes/items/a..b", ("notes/items/a..b", "")),
        ("notes/items/grün", ("notes/items/grün", "")),
    ],
)
def test_what_follows_the_address_is_taken(target: str, expected: tuple[str, str]) -> None:
    assert check_target(target, collection_id=ID) == expected


@pytest.mark.parametrize(
    "line",
    [
        "Host: example.com",
        "host: x",
        "Cookie: sessionid=x",
        "X-API-Key: x",
        "Authorization: Bearer x",
        "Connection: close",
        "Transfer-Encoding: chunked",
        "Content-Length: 5",
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Host: example.com",
        "Upgrade: websocket",
        "no colon",
        "A b: c",
        ": empty",
        "X-A: b\rHost: c",
        "X-A: \x1b[31m",
        "X_API_Key: sneaked in by an underscore",
    ],
)
def test_headers_that_are_not_a_persons_to_send_are_refused(line: str) -> None:
    with pytest.raises(InvalidInput):
        read_headers(line)


def test_other_headers_are_taken() -> None:
    assert read_headers('If-None-Match: "1"\r\n\nX-Hint:  a: b ') == [("If-None-Match", '"1"'), ("X-Hint", "a: b")]


def test_too_much_is_refused() -> None:
    draft: dict[str, Any] = {"collection_id": ID, "method": "GET", "target": "a/items", "headers": "", "body": b""}
    for change in (
        {"method": "TRACE"},
        {"body": b"x" * 1_048_577},
        {"headers": "\n".join(f"X-{n}: y" for n in range(51))},
        {"target": "a/" + "b" * 5_000},
    ):
        with pytest.raises(InvalidInput):
            make_draft(**draft | change)
