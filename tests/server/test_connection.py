"""What goes over one connection: each request is answered once and in turn, and nothing of one passes for another."""

import json
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.server.echo import STREAM_PIECE, STREAM_PIECES
from tests.waiting import MOMENT_SECONDS, NOTHING_SECONDS, PROMISED_SECONDS, eventually

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Echo:
    """A running worker, see `echo.py`."""

    pid: int
    port: int
    tls_port: int
    authority: str

    def connect(self, *, tls: bool = False) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.tls_port if tls else self.port), MOMENT_SECONDS)

    def send(self, *parts: bytes, pause_seconds: float = 0.0) -> bytes:
        """All that is answered until the server ends the connection; in parts, with a pause behind each."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause_seconds)
            return read_all(connection)

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def read_all(connection: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while piece := connection.recv(1_000_000):
            received += piece
    return received


@contextmanager
def running_echo(**limits: float) -> Iterator[Echo]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.server.echo", json.dumps(limits)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        (port, tls_port), authority = json.loads(process.stdout.readline())
        yield Echo(process.pid, port, tls_port, authority)
        process.terminate()
    assert process.returncode == 0


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with running_echo() as running:
        yield running


def answers(received: bytes) -> list[tuple[int, Any]]:
    """The status and the JSON, or the text, of each answer; all have a length."""
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        (length,) = re.findall(rb"\r\nContent-Length: (\d+)", head)
        body, received = received[: int(length)], received[int(length) :]
        found.append((int(head.split()[1]), json.loads(body) if body.startswith(b"{") else body.decode()))
    return found


LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def asked(received: bytes) -> list[tuple[int, str, str]]:
    return [(status, said["path"], said["body"]) for status, said in answers(received)]


@pytest.mark.parametrize(
    "first, expected",
    [
        (b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n", ("/a", "")),
        (b"\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", ("/a", "")),
        (b"PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", ("/a", "hello")),
        (b"GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", ("/a", "hello")),
        # A body that looks like a request is none.
        (b"PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(LAST), LAST), ("/a", LAST.decode())),
        (
            b"PUT /a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUPGRADE: h2c\r\nContent-Length: 2\r\n\r\nhi",
            ("/a", "hi"),
        ),
        (b"PUT /a HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nhi", ("/a", "hi")),
    ],
)
@pytest.mark.parametrize("in_pieces", [False, True])
def test_requests_behind_each_other_are_told_apart(
    echo: Echo, first: bytes, expected: tuple[str, str], in_pieces: bool
) -> None:
    sent = first + LAST
    pieces = [sent[at : at + 1] for at in range(len(sent))] if in_pieces else [sent]

    assert asked(echo.send(*pieces)) == [(200, *expected), (200, "/last", "")]


def test_a_hundred_requests_in_one_piece_are_answered_in_turn(echo: Echo) -> None:
    sent = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(100))

    assert [path for _, path, _ in asked(echo.send(sent + LAST))] == [*(f"/{number}" for number in range(100)), "/last"]


@pytest.mark.parametrize("ending", [b"0\r\n\r\n", b"0;a=b\r\n\r\n", b"0\r\nX: y\r\n\r\n"])
def test_what_comes_behind_chunks_is_left_unread_and_the_connection_ends(echo: Echo, ending: bytes) -> None:
    head = b"PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

    assert asked(echo.send(head + ending + LAST)) == [(200, "/a", "hello")]


def test_after_chunks_alone_the_connection_goes_on(echo: Echo) -> None:
    sent = b"PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    assert asked(echo.send(sent, LAST, pause_seconds=0.2)) == [(200, "/a", "hello"), (200, "/last", "")]


@pytest.mark.parametrize("frame", [b"5\nhello\r\n0\r\n\r\n", b"zz\r\n", b"5\r\nhelloworld\r\n"])
def test_broken_chunks_are_a_body_that_broke_off_and_the_connection_ends(echo: Echo, frame: bytes) -> None:
    sent = b"PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + frame
    ((status, said),) = answers(echo.send(sent + LAST))

    assert (status, said["is_cut"]) == (200, True)


def test_a_refusal_of_what_is_here_keeps_the_connection_and_of_what_is_not_ends_it(echo: Echo) -> None:
    refused = b"PUT /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"

    assert answers(echo.send(refused + b"hello" + LAST))[1][0] == 200
    assert [status for status, _ in answers(echo.send(refused, b"hello" + LAST, pause_seconds=0.3))] == [403]


@pytest.mark.parametrize("bad", [b"GET /a HTTP/1.1\nHost: a\n\n", b"GET /a HTTP/9.9\r\n\r\n", b"x\r\n\r\n"])
def test_nothing_behind_what_cannot_be_read_is_answered(echo: Echo, bad: bytes) -> None:
    received = echo.send(bad + LAST)

    assert received.count(b"HTTP/1.1 ") == 1
    assert b"/last" not in received


def test_a_head_is_answered_without_a_body_and_the_next_request_follows(echo: Echo) -> None:
    sent = b"HEAD /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + LAST
    first, _, rest = echo.send(sent).partition(b"\r\n\r\n")

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert asked(rest) == [(200, "/last", "")]


@pytest.mark.parametrize(
    "path, interim, statuses", [("/expected", 1, [200]), ("/refused", 0, [403])], ids=["wanted", "refused"]
)
def test_to_go_on_is_said_once_and_only_for_what_is_wanted(
    echo: Echo, path: str, interim: int, statuses: list[int]
) -> None:
    head = f"PUT {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
    received = echo.send(head.encode(), b"hello", pause_seconds=0.3)

    assert received.count(b"HTTP/1.1 100 Continue\r\n\r\n") == interim
    assert [status for status, _ in answers(received.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b""))] == statuses


def test_a_large_body_is_looked_at_once_before_it_is_here_and_once_when_it_is(echo: Echo) -> None:
    body = b"x" * 900_000
    head = b"PUT /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    with echo.connect() as connection:
        connection.sendall(head)
        time.sleep(0.02)  # less than the server waits for a body before it asks
        connection.sendall(body[:200_000])
        time.sleep(0.3)
        connection.sendall(body[200_000:])
        ((_, said),) = answers(read_all(connection))

    assert (len(said["body"]), said["asked"]) == (len(body), 2)


@pytest.mark.parametrize("end", [socket.SHUT_WR, None])
def test_a_stream_comes_whole_and_ends_as_the_client_asked(echo: Echo, end: int | None) -> None:
    """Who has ended sending gets no other answer, and waits for the end of the connection."""
    began = time.monotonic()
    with echo.connect() as connection:
        connection.sendall(b"GET /streamed HTTP/1.1\r\nHost: a\r\n\r\n")
        received = connection.recv(1)
        if end is None:
            connection.sendall(LAST)
        else:
            connection.shutdown(end)
        received += read_all(connection)

    assert received.count(STREAM_PIECE) == STREAM_PIECES
    assert (b"/last" in received) is (end is None)
    assert time.monotonic() - began < PROMISED_SECONDS


def test_an_answer_with_a_line_break_in_a_header_is_not_sent(echo: Echo) -> None:
    assert echo.send(b"GET /broken?a+Set-Cookie:b HTTP/1.1\r\nHost: a\r\n\r\n") == b""
    assert b"X: a" in echo.send(b"GET /broken?a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")


def test_a_body_that_breaks_off_while_the_application_thinks_about_it_is_answered_at_once(echo: Echo) -> None:
    with echo.connect() as connection:
        connection.sendall(b"PUT /thoughtful HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        ((status, said),) = answers(read_all(connection))

    assert (status, said["is_cut"], said["asked"]) == (200, True, 2)


@pytest.mark.parametrize("tls", [False, True])
def test_a_body_that_was_refused_is_never_taken_for_a_request(echo: Echo, tls: bool) -> None:
    """Who waits for the refusal before sending it, and can choose it, would make a request of it."""
    smuggled = f"GET /smuggled-{tls} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    head = b"PUT /refused HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(smuggled)
    trust = ssl.create_default_context(cadata=echo.authority)
    with echo.connect(tls=tls) as plain, ExitStack() as stack:
        line = stack.enter_context(trust.wrap_socket(plain, server_hostname="localhost")) if tls else plain
        line.sendall(head)
        assert line.recv(1_000).startswith(b"HTTP/1.1 403 ")
        line.sendall(smuggled)
        time.sleep(NOTHING_SECONDS)

    ((_, said),) = answers(echo.send(smuggled))
    assert said["asked"] == 1


def padded(start: bytes, size: int) -> bytes:
    return start + b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1_000) for number in range(size // 1_000))


KEPT: list[tuple[str, Callable[[], bytes]]] = [
    ("half a head", lambda: padded(b"GET /a HTTP/1.1\r\nHost: a\r\n", 20_000)),
    (
        "a head whose body never comes",
        lambda: padded(b"PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n", 20_000) + b"\r\n",
    ),
]


@pytest.mark.parametrize("make", [case[1] for case in KEPT], ids=[case[0] for case in KEPT])
def test_who_makes_the_server_keep_too_much_for_longest_has_to_go(make: Callable[[], bytes]) -> None:
    """At once, and not only when all clients are looked at the next time."""
    sent = make()
    with running_echo(KEPT_MAX_BYTES=200_000, TICK_SECONDS=60) as small:
        small_ones = [small.connect() for _ in range(20)]
        for each in small_ones:
            each.sendall(sent[:1_000])
        time.sleep(0.2)
        large_ones = [small.connect() for _ in range(30)]
        for each in large_ones:
            with suppress(ConnectionError):
                each.sendall(sent)
                time.sleep(0.02)

        def ended() -> list[int]:
            return [number for number, each in enumerate(large_ones) if is_ended(each)]

        # 200,000 bytes have room for nine of them.
        eventually(lambda: len(ended()) >= 20)
        assert 29 not in ended()
        assert not any(is_ended(each) for each in small_ones)
        assert asked(small.send(LAST)) == [(200, "/last", "")]
        for each in (*small_ones, *large_ones):
            each.close()


def is_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_those_who_only_connect_take_a_bounded_number_of_descriptors() -> None:
    with running_echo(CONNECTIONS_MAX=64, HANDSHAKES_MAX=20, TLS_SECONDS=600) as small:
        before = small.descriptors()
        for tls, most in ((False, 64), (True, 20)):
            idle = [small.connect(tls=tls) for _ in range(200)]
            # Each but the last of them was taken in and sent away again.
            eventually(lambda idle=idle, most=most: sum(map(is_ended, idle)) >= 200 - most)  # type: ignore[misc]
            assert small.descriptors() <= before + 64 + 20 + 5
            assert asked(small.send(LAST)) == [(200, "/last", "")]
            for each in idle:
                each.close()
        trust = ssl.create_default_context(cadata=small.authority)
        with small.connect(tls=True) as plain, trust.wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(LAST)
            assert asked(read_all(secure)) == [(200, "/last", "")]
