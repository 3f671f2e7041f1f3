"""Short requests of one kind are answered by the event loop itself, and by a thread where they come to something to wait for."""

import json
from collections.abc import Iterator

import pytest

from console.server import limits
from tests.server.echo import IN_LOOP_PATH, WAITING_END
from tests.server.test_connection import Echo, read_all, running_echo
from tests.waiting import eventually


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with running_echo() as running:
        yield running


def said(answer: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def ask(echo: Echo, path: str, body: bytes = b"") -> dict[str, object]:
    head = f"PUT {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return said(echo.send(head.encode() + body))


@pytest.mark.parametrize(
    "path, size, in_loop, asked",
    [
        (IN_LOOP_PATH + "/empty", 0, True, 1),
        (IN_LOOP_PATH + "/long", limits.LOOP_BODY_MAX_BYTES, True, 1),
        (IN_LOOP_PATH + "/longer", limits.LOOP_BODY_MAX_BYTES + 1, False, 1),
        (IN_LOOP_PATH + WAITING_END, 3, False, 2),
        ("/other", 0, False, 1),
    ],
)
def test_loop_answers_what_is_short_and_waits_for_nothing(
    echo: Echo, path: str, size: int, in_loop: bool, asked: int
) -> None:
    found = ask(echo, path, b"x" * size)

    assert (found["in_loop"], found["asked"], found["body"]) == (in_loop, asked, "x" * size)


def test_body_that_is_still_coming_is_awaited_by_a_thread(echo: Echo) -> None:
    with echo.connect() as connection:
        connection.sendall(
            f"PUT {IN_LOOP_PATH}/late HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n"
            "Expect: 100-continue\r\n\r\n".encode()
        )
        eventually(lambda: b"100 Continue" in connection.recv(1000))
        connection.sendall(b"abc")
        found = said(read_all(connection))

    assert (found["body"], found["asked"]) == ("abc", 2)
