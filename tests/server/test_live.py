"""Answers that last: they come as they are written, hold no thread, and end with the server, their client or themselves."""

import json
import os
import signal
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from tests.server.echo import LIVE_PIECE
from tests.server.test_connection import LAST, Echo, answers, read_all, running_echo
from tests.waiting import MOMENT_SECONDS, eventually

LIVE = b"GET /live?%d HTTP/1.1\r\nHost: a\r\n\r\n"
FOR_EVER = 1_000_000


@pytest.fixture
def echo() -> Iterator[Echo]:
    with running_echo() as running:
        yield running


def lives(echo: Echo) -> dict[str, int]:
    connection = HTTPConnection("127.0.0.1", echo.port, timeout=MOMENT_SECONDS)
    connection.request("GET", "/lives")
    found: dict[str, int] = json.loads(connection.getresponse().read())
    connection.close()
    return found


def test_it_comes_as_it_is_written_and_the_next_request_waits_for_its_end(echo: Echo) -> None:
    received = echo.send(LIVE % 3 + LAST)
    head, _, rest = received.partition(b"\r\n\r\n")
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in [LIVE_PIECE] * 3 + [b"over"])

    assert b"Transfer-Encoding: chunked" in head
    assert rest.startswith(chunks + b"0\r\n\r\n")
    assert [path for _, path in [(status, said["path"]) for status, said in answers(rest[len(chunks) + 5 :])]] == [
        "/last"
    ]
    assert lives(echo)["closed"] == 1


def test_an_old_client_gets_it_until_the_connection_ends(echo: Echo) -> None:
    head, _, body = echo.send(b"GET /live?2 HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")

    assert b"Connection: close" in head
    assert body == LIVE_PIECE * 2 + b"over"


def test_a_head_alone_is_answered_and_nothing_begun(echo: Echo) -> None:
    received = echo.send(b"HEAD /live?2 HTTP/1.1\r\nHost: a\r\n\r\n" + LAST)

    assert [line for line in received.splitlines() if line.startswith(b"HTTP/")] == [b"HTTP/1.1 200 OK"] * 2
    assert lives(echo) == {"closed": 1}


def test_many_hold_no_thread_and_end_with_their_clients(echo: Echo) -> None:
    """There are four threads."""
    connections = [echo.connect() for _ in range(20)]
    for connection in connections:
        connection.sendall(LIVE % FOR_EVER)
    eventually(lambda: lives(echo).get("begun") == 20)
    for connection in connections:
        connection.close()
    eventually(lambda: lives(echo)["closed"] == 20)


def test_the_server_does_not_wait_for_them_when_it_stops(echo: Echo) -> None:
    with echo.connect() as plain, echo.connect() as other:
        for connection in (plain, other):
            connection.sendall(LIVE % FOR_EVER)
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200")
        os.kill(echo.pid, signal.SIGTERM)
        for connection in (plain, other):
            assert read_all(connection).endswith(b"7\r\nstopped\r\n0\r\n\r\n")
