"""An app asked on its socket: every way that an answer may come, and every way that it may not."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from storage import limits
from storage.embedded.micros.upstream import BadAnswer, Crowded, Ended, NotThere, Upstream
from tests.waiting import MOMENT_SECONDS


class Patient:
    """Waits as long as a busy machine needs."""

    def seconds_left(self) -> float:
        return MOMENT_SECONDS


class Tired(Exception):
    pass


class Impatient:
    """Waits for no byte."""

    def seconds_left(self) -> float:
        raise Tired


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.sock"


@pytest.fixture
def listening(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(8)
        yield listener


def ask(listening: socket.socket, path: Path, *answers: bytes, method: str = "GET", body: bytes = b"") -> Upstream:
    """A request that an app answers with these pieces, one after the other, and then closes."""

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            taken = b""
            while b"\r\n\r\n" not in taken or len(taken.partition(b"\r\n\r\n")[2]) < len(body):
                taken += connection.recv(65_536)
            # Of an answer that is refused in its middle nobody takes the rest.
            with suppress(BrokenPipeError, ConnectionResetError):
                for part in answers:
                    connection.sendall(part)

    threading.Thread(target=serve, daemon=True).start()
    upstream = Upstream(path, Patient())
    upstream.send(method, "/a%20b?q=%C3%A9", [("host", "app.localhost")], body)
    return upstream


def read_whole(upstream: Upstream) -> bytes:
    upstream.read_head()
    return b"".join(upstream.body())


ANSWERS = {
    "with a length": ([b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwhole"[:-1]], b"whol"),
    "in chunks": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"1\r\nd\r\n0\r\n\r\n"],
        b"abcd",
    ),
    "until it closes": ([b"HTTP/1.0 200 OK\r\n\r\n", b"ab", b"cd"], b"abcd"),
    "byte by byte": ([bytes([each]) for each in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], b"ok"),
    "behind early hints": (
        [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"],
        b"ok",
    ),
    "empty": ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], b""),
}


@pytest.mark.parametrize("pieces, body", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_arrives_however_it_comes(
    listening: socket.socket, path: Path, pieces: list[bytes], body: bytes
) -> None:
    upstream = ask(listening, path, *pieces)
    upstream.read_head()
    assert (upstream.status, upstream.reason) == (200, "OK")
    assert "link" not in {name.lower() for name, _ in upstream.headers}
    assert b"".join(upstream.body()) == body
    upstream.close()


@pytest.mark.parametrize(
    "method, head", [("HEAD", b"200 OK\r\nContent-Length: 900"), ("GET", b"304 Not Modified\r\nContent-Length: 900")]
)
def test_an_answer_without_a_body_is_whole_with_its_head(
    listening: socket.socket, path: Path, method: str, head: bytes
) -> None:
    upstream = ask(listening, path, b"HTTP/1.1 " + head + b"\r\n\r\n", method=method)
    upstream.read_head()
    assert upstream.is_whole()
    assert list(upstream.body()) == []
    upstream.close()


BROKEN = {
    "nothing": ([], Ended),
    "half a head": ([b"HTTP/1.1 200 OK\r\nContent-"], Ended),
    "half a body": ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"], Ended),
    "a chunk without an end": ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"], Ended),
    "no http": ([b"SSH-2.0-OpenSSH_9.9\r\n"], BadAnswer),
    "two lengths": ([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"], BadAnswer),
    "another protocol": ([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"], BadAnswer),
    "one huge header": (
        [b"HTTP/1.1 200 OK\r\nX: " + b"x" * (limits.MICRO_HEADERS_MAX_BYTES + 1) + b"\r\n\r\n"],
        BadAnswer,
    ),
    "headers without end": ([b"HTTP/1.1 200 OK\r\n", *[b"X-Y: %s\r\n" % (b"x" * 4_000)] * 60], BadAnswer),
}


@pytest.mark.parametrize("pieces, error", BROKEN.values(), ids=BROKEN)
def test_what_is_no_whole_answer_is_told_apart(
    listening: socket.socket, path: Path, pieces: list[bytes], error: type[Exception]
) -> None:
    upstream = ask(listening, path, *pieces)
    with pytest.raises(error):
        read_whole(upstream)
    upstream.close()


def test_a_request_arrives_as_it_was_written(listening: socket.socket, path: Path) -> None:
    taken: list[bytes] = []

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            data = bytearray()
            while len(data) < 3_000_000 or not data.endswith(b"x" * 3_000_000):
                data += connection.recv(1_000_000)
            taken.append(bytes(data))
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    upstream = Upstream(path, Patient())
    upstream.send("PATCH", "/a%2Fb?q=%C3%A9", [("host", "app.localhost"), ("x-a", "b")], b"x" * 3_000_000)
    upstream.read_head()
    assert taken[0].startswith(b"PATCH /a%2Fb?q=%C3%A9 HTTP/1.1\r\nhost: app.localhost\r\nx-a: b\r\n\r\nxxx")
    upstream.close()


def test_an_app_that_answers_without_taking_the_body_is_heard(listening: socket.socket, path: Path) -> None:
    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(10)
            connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    threading.Thread(target=serve, daemon=True).start()
    upstream = Upstream(path, Patient())
    upstream.send("POST", "/", [], b"x" * 3_000_000)
    upstream.read_head()
    assert (upstream.status, b"".join(upstream.body())) == (413, b"no")
    upstream.close()


def test_nobody_listens(path: Path) -> None:
    with pytest.raises(NotThere):
        Upstream(path, Patient())
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(NotThere):
        Upstream(path, Patient())


def test_a_full_backlog_is_told_at_once(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        callers: list[Upstream] = []
        with pytest.raises(Crowded):
            callers.extend(Upstream(path, Patient()) for _ in range(10))
        for caller in callers:
            caller.close()


def test_the_waiting_ends_when_patience_does(listening: socket.socket, path: Path) -> None:
    upstream = Upstream(path, Impatient())
    upstream.send("GET", "/", [], b"")
    with pytest.raises(Tired):
        upstream.read_head()
    upstream.close()


def test_what_follows_the_head_at_once_is_taken_in_with_it(listening: socket.socket, path: Path) -> None:
    upstream = ask(listening, path, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"he", b"llo")
    upstream.read_head()
    upstream.read_rest(MOMENT_SECONDS)
    assert upstream.is_whole()
    assert b"".join(upstream.body()) == b"hello"
    upstream.close()


def test_what_does_not_come_at_once_is_left_for_later(listening: socket.socket, path: Path) -> None:
    upstream = Upstream(path, Patient())
    upstream.send("GET", "/", [], b"")
    with listening.accept()[0] as app:
        app.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
        upstream.read_head()
        upstream.read_rest(0.01)
        assert not upstream.is_whole()
        app.sendall(b"llo")
        assert b"".join(upstream.body()) == b"hello"
    upstream.close()


def test_of_a_long_answer_only_its_beginning_is_kept(listening: socket.socket, path: Path) -> None:
    upstream = ask(listening, path, b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n", b"x" * 5_000_000)
    upstream.read_head()
    upstream.read_rest(MOMENT_SECONDS)
    assert not upstream.is_whole()
    assert len(b"".join(upstream.body())) == 5_000_000
    upstream.close()
