"""What the server refuses by itself: JSON under `/v1`, a sentence elsewhere, and the connection ends."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.factories import RawAnswer, RawConnection
from tests.waiting import MOMENT_SECONDS

# What comes before and behind the address, and the status.
BAD: list[tuple[str, bytes, bytes, int]] = [
    ("bare LF", b"GET ", b" HTTP/1.1\nHost: a\n\n", 400),
    ("bare LF in the headers", b"GET ", b" HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
    ("a bad length", b"PUT ", b" HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
    ("two lengths", b"PUT ", b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (
        "length and chunks",
        b"PUT ",
        b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    ("no host", b"GET ", b" HTTP/1.1\r\n\r\n", 400),
    ("a long address", b"GET ", b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ("large headers", b"GET ", b" HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    ("many headers", b"GET ", b" HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
    ("another transfer coding", b"PUT ", b" HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("another version", b"GET ", b" HTTP/2.0\r\nHost: a\r\n\r\n", 505),
]
IDS = [case[0] for case in BAD]


def exchange(server: Any, data: bytes) -> RawAnswer:
    with RawConnection(server) as connection:
        connection.send(data)
        answer = connection.answer()
        assert answer is not None
        assert connection.is_closed_by_server()
    return answer


@pytest.mark.parametrize("path", [b"/v1/abc/things/items", b"/cli/"])
@pytest.mark.parametrize("before, behind, status", [case[1:] for case in BAD], ids=IDS)
def test_programs_are_answered_in_json(server: Any, before: bytes, behind: bytes, status: int, path: bytes) -> None:
    answer = exchange(server, before + path + behind)

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert (list(answer.json), len(answer.json["errors"])) == (["errors"], 1)
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("before, behind, status", [case[1:] for case in BAD], ids=IDS)
def test_elsewhere_it_is_a_sentence(server: Any, before: bytes, behind: bytes, status: int) -> None:
    answer = exchange(server, before + b"/collections/" + behind)

    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.body.endswith(b".\n")


def test_what_is_no_http_is_told_so(server: Any) -> None:
    assert b"https port" in exchange(server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").body


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"HEAD"])
def test_plain_http_on_the_https_port_is_told_so(server: Any, method: bytes) -> None:
    port = urlsplit(server.tls_url).port
    told = "This port speaks https: write https:// in the address"
    for path, body in ((b"/v1/abc/things/items", json.dumps({"errors": [told]})), (b"/sign-in/", f"{told}.\n")):
        with socket.create_connection(("127.0.0.1", port), MOMENT_SECONDS) as connection:
            connection.sendall(method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
            connection.shutdown(socket.SHUT_WR)
            head, _, rest = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert f"Content-Length: {len(body)}".encode() in head
        assert rest.decode() == ("" if method == b"HEAD" else body)


def test_a_key_in_a_header_with_underscores_is_none(server: Any, client: Any) -> None:
    with RawConnection(server) as connection:
        connection.send(
            f"GET {client.path}/items/a HTTP/1.1\r\nHost: localhost\r\nX_API_Key: {client.key_text}\r\n\r\n".encode()
        )
        answer = connection.answer()

    assert answer is not None
    assert (answer.status, json.loads(answer.body)) == (401, {"errors": ["Unauthorized"]})
