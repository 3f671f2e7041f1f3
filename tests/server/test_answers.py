"""An answer as bytes: how its end is told, and that nothing in it can pass for another one."""

from collections.abc import Iterable

import pytest

from console.server.answers import Answer, Framing

PIECES = iter([b"abc"])


def framing(answer: Answer, *, method: str = "GET", version: str = "1.1", closes: bool = False) -> Framing:
    return Framing(answer, method=method, version=version, closes=closes, request_id="ours")


@pytest.mark.parametrize(
    "method, version, status, headers, body, expected",
    [
        ("GET", "1.1", "200 OK", [], [b"ab", b"c"], ["Content-Length: 3"]),
        ("GET", "1.0", "200 OK", [], [b"abc"], ["Content-Length: 3", "Connection: keep-alive"]),
        ("HEAD", "1.1", "200 OK", [("Content-Length", "9")], [b""], ["Content-Length: 9"]),
        ("GET", "1.1", "200 OK", [], PIECES, ["Transfer-Encoding: chunked"]),
        ("GET", "1.0", "200 OK", [], PIECES, ["Connection: close"]),
        ("GET", "1.1", "200 OK", [("Content-Length", "3")], PIECES, ["Content-Length: 3"]),
        ("HEAD", "1.1", "200 OK", [], PIECES, []),
        ("GET", "1.1", "304 Not Modified", [], [b""], []),
        ("GET", "1.1", "204 No Content", [], [b""], []),
        ("GET", "1.1", "200 OK", [("connection", "Close")], [b""], ["connection: Close", "Content-Length: 0"]),
    ],
)
def test_the_end_of_an_answer_is_told_in_one_way(
    method: str, version: str, status: str, headers: list[tuple[str, str]], body: Iterable[bytes], expected: list[str]
) -> None:
    made = framing((status, headers, body), method=method, version=version)
    first, named, *lines = made.head.decode().removesuffix("\r\n\r\n").split("\r\n")

    assert (first, named) == (f"HTTP/1.1 {status}", "X-Request-ID: ours")
    assert [line for line in lines if not line.startswith("Date: ")] == expected
    assert made.closes is any(line.lower() == "connection: close" for line in expected)
    assert made.has_body is (method != "HEAD" and status.startswith("200"))


@pytest.mark.parametrize(
    "name, value",
    [("X", "a\r\nSet-Cookie: b=c"), ("X", "a\nb"), ("X", "a\rb"), ("X\r\nY", "a"), ("X", "a\r\n\r\n<html>")],
)
def test_a_line_break_in_a_header_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        framing(("200 OK", [(name, value)], [b""]))


def test_an_id_that_an_app_tells_gives_way_to_ours() -> None:
    made = framing(("200 OK", [("x-request-ID", "theirs"), ("X", "kept")], [b""]))
    assert b"theirs" not in made.head
    assert b"X: kept\r\n" in made.head
