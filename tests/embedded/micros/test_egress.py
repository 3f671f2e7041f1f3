"""The proxy to the internet: what it asks for, whom it connects to, and what it says when it does not."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pytest

from storage.embedded.micros.egress import HEAD_MAX_BYTES, Egress, Resolve
from storage.embedded.micros.reach import Reach
from tests import awaiting
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS


class Server:
    """Answers every connection with what it was sent first, upper-cased, on an address of this machine's."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.heard: list[bytes] = []
        self._listening = socket.create_server((address, port))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            with accepted:
                data = accepted.recv(65_536)
                self.heard.append(data)
                accepted.sendall(data.upper())

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with closing(Server()) as made:
        yield made


def naming(*addresses: str) -> Resolve:
    """What finds these for every name; a second time it finds others."""
    answers = iter([list(addresses), ["127.0.0.9"]])

    async def resolve(host: str, port: int) -> list[str]:
        return next(answers)

    return resolve


def ask(
    sent: bytes,
    *,
    then: bytes = b"",
    may_reach: Sequence[str] = (),
    resolve: Resolve | None = None,
    trusted: Sequence[str] = (),
) -> bytes:
    """What comes back through a proxy for what is sent; `then` is sent when a tunnel stands."""

    async def converse() -> bytes:
        egress = Egress(Reach(may_reach), resolve=resolve)
        proxy = await asyncio.start_server(
            lambda reader, writer: egress.serve(reader, writer, trusted=trusted), "127.0.0.1", 0, limit=HEAD_MAX_BYTES
        )
        async with proxy, asyncio.timeout(MOMENT_SECONDS):
            port = proxy.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            answer = b""
            if then:
                answer = await reader.readuntil(b"\r\n\r\n")
                writer.write(then)
            answer += await reader.read()
            writer.close()
        return answer

    answered: bytes = awaiting.run(converse())
    return answered


def connect_to(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()


def get(address: str) -> bytes:
    return f"GET {address} HTTP/1.1\r\n\r\n".encode()


def test_a_tunnel_passes_bytes_both_ways(server: Server) -> None:
    answer = ask(connect_to(f"127.0.0.1:{server.port}"), then=b"\x16\x03hello", may_reach=["127.0.0.1"])
    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n\x16\x03HELLO"


def test_a_plain_request_goes_on_as_to_its_server(server: Server) -> None:
    head = (
        f"POST http://there.example:{server.port}/a/b?c=d#e HTTP/1.1\r\nHost: there.example\r\nProxy-Connection: x\r\n"
        "Proxy-Authorization: Basic x\r\nConnection: keep-alive\r\nX-Mine: yes\r\nContent-Length: 4\r\n\r\nbody"
    )
    ask(head.encode(), may_reach=["127.0.0.1"], resolve=naming("127.0.0.1"))
    assert server.heard[0].partition(b"\r\n\r\n")[0] == (
        b"POST /a/b?c=d HTTP/1.1\r\nHost: there.example\r\nX-Mine: yes\r\nContent-Length: 4\r\nConnection: close"
    )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "169.16689662",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "10.0.0.1",
    ],
)
@pytest.mark.parametrize("way", [lambda host: connect_to(f"{host}:80"), lambda host: get(f"http://{host}/x")])
def test_addresses_of_our_own_are_refused_in_every_spelling(host: str, way: Callable[[str], bytes]) -> None:
    answer = ask(way(host))
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"can't be reached from a Micro: it is " in answer
    assert b"HOMEPORT_MICROS_MAY_REACH" in answer


def test_a_name_that_means_a_private_address_is_refused_by_both() -> None:
    answer = ask(connect_to("inside.example:443"), resolve=naming("10.9.8.7"))
    assert b"inside.example (10.9.8.7) can't be reached from a Micro: it is a private address" in answer


def test_a_name_is_looked_up_once_and_connected_to_where_that_said(server: Server) -> None:
    """An attacker's second answer, another address, has nobody who asks for it."""
    answer = ask(
        connect_to(f"rebinding.example:{server.port}"),
        then=b"hello",
        may_reach=["127.0.0.1"],
        resolve=naming("127.0.0.1"),
    )
    assert answer.endswith(b"HELLO")


def test_of_several_addresses_only_allowed_ones_are_tried(server: Server) -> None:
    with closing(Server("127.0.0.3", server.port)) as forbidden:
        answer = ask(
            connect_to(f"mixed.example:{server.port}"),
            then=b"hello",
            may_reach=["127.0.0.1", "127.0.0.2"],
            # Nobody answers on the second.
            resolve=naming("127.0.0.3", "127.0.0.2", "127.0.0.1"),
        )
        assert answer.endswith(b"HELLO")
        assert forbidden.heard == []


def test_a_build_reaches_its_package_index_wherever_that_is(server: Server) -> None:
    target = f"packages.example:{server.port}"
    trusted = [target]
    assert ask(connect_to(target), then=b"hello", trusted=trusted, resolve=naming("127.0.0.1")).endswith(b"HELLO")
    assert b"403" in ask(connect_to("packages.example:9"), trusted=trusted, resolve=naming("127.0.0.1"))
    assert b"403" in ask(connect_to(f"other.example:{server.port}"), trusted=trusted, resolve=naming("127.0.0.1"))


@pytest.mark.parametrize(
    "sent, status",
    [
        (connect_to("mail.example:25"), b"403 Forbidden"),
        (b"GET http://mail.example:25/ HTTP/1.1\r\n\r\n", b"403 Forbidden"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"400 Bad Request"),
        (b"GET https://x.example/ HTTP/1.1\r\n\r\n", b"400 Bad Request"),
        (b"GET ftp://x.example/ HTTP/1.1\r\n\r\n", b"400 Bad Request"),
        (connect_to("x.example"), b"400 Bad Request"),
        (connect_to("x.example:99999"), b"400 Bad Request"),
        (connect_to("x.example:0"), b"400 Bad Request"),
        (connect_to("x.example:443/path"), b"400 Bad Request"),
        (connect_to("[::1"), b"400 Bad Request"),
        (b"\xff\xfe\r\n\r\n", b"400 Bad Request"),
        (b"one two\r\n\r\n", b"400 Bad Request"),
        (b"GET http://x.example/ HTTP/1.1\r\nX: " + b"x" * HEAD_MAX_BYTES, b"431 Request Header Fields Too Large"),
        (connect_to(f"{'a' * 300}.example:80"), b"502 Bad Gateway"),
        (connect_to("nul\0.example:80"), b"502 Bad Gateway"),
        (connect_to("no-such-name.invalid:80"), b"502 Bad Gateway"),
        (connect_to("127.0.0.1:1"), b"502 Bad Gateway"),
    ],
)
def test_what_cannot_be_done_is_answered(sent: bytes, status: bytes) -> None:
    answer = ask(sent, may_reach=["127.0.0.1"])
    assert answer.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert b"Connection: close" in answer


@pytest.mark.slow
def test_a_name_that_takes_too_long_is_given_up() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.sleep(PROMISED_SECONDS * 10)
        return []

    assert ask(connect_to("slow.example:443"), resolve=never).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
