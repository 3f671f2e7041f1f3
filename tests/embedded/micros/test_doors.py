"""The two ports inside a sandbox: to the API as bytes, to the internet through the proxy; and nobody else's."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from storage.embedded.micros import sockets
from storage.embedded.micros.doors import CONNECTIONS_MAX, is_door
from storage.micro_host import State
from tests.embedded.micros.stand import Stand
from tests.waiting import eventually

TALKING = """
import os, socket, urllib.parse

kept = []

def app(environ, start):
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    start("200 OK", [("Content-Type", "text/plain")])
    path = environ["PATH_INFO"]
    if path == "/listen":
        kept.append(socket.create_server(("127.0.0.1", int(query["port"]))))
        return [b"listening"]
    if path == "/forge":
        ours = socket.socketpair()
        with socket.socket(fileno=os.dup(4)) as control:
            kept.extend(ours)
            socket.send_fds(control, [b'{"doors": ["api", "proxy"]}\\n'], [each.fileno() for each in ours])
        return [b"forged"]
    if path == "/flood":
        with socket.socket(fileno=os.dup(4)) as control:
            control.setblocking(False)
            try:
                for _ in range(100_000):
                    control.send(b'[[[[{"ready": true, "fault": 1}]]]]\\n' * 100)
            except OSError:
                pass
        return [b"flooded"]
    if path == "/many":
        for _ in range(int(query["count"])):
            kept.append(socket.create_connection(("127.0.0.1", 4443), timeout=20))
        return [b"connected"]
    try:
        with socket.create_connection(("127.0.0.1", int(query["port"])), timeout=20) as connection:
            connection.sendall(query["say"].encode())
            heard = connection.recv(1_000)
    except OSError as error:
        heard = repr(error).encode()
    return [heard]
"""


class Api:
    """Stands where the web server does: says back what it hears, and counts who is there."""

    def __init__(self, stand: Stand) -> None:
        self.connections = 0
        self._listening = sockets.listen(stand.places.api, backlog=256)
        self._listening.setblocking(True)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with ThreadPoolExecutor(100) as pool:
            while True:
                try:
                    accepted, _ = self._listening.accept()
                except OSError:
                    return
                pool.submit(self._echo, accepted)

    def _echo(self, accepted: socket.socket) -> None:
        self.connections += 1
        with accepted:
            while data := accepted.recv(1_000):
                accepted.sendall(b"api: " + data)
        self.connections -= 1

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture(scope="module")
def api(stand: Stand) -> Iterator[Api]:
    with closing(Api(stand)) as made:
        yield made


def test_the_api_is_reached_by_its_bytes(stand: Stand, api: Api) -> None:
    wanted = stand.add(TALKING)
    assert stand.get(wanted, "/?port=4443&say=hello") == (200, "api: hello")


def test_the_proxy_is_reached(stand: Stand) -> None:
    wanted = stand.add(TALKING)
    _, said = stand.get(wanted, "/?port=4280&say=CONNECT+169.254.169.254:80+HTTP/1.1%0d%0a%0d%0a")
    assert said.startswith("HTTP/1.1 403 Forbidden\r\n")
    assert "169.254.169.254 can't be reached from a Micro" in said


def test_two_micros_do_not_see_each_others_ports(stand: Stand) -> None:
    one, other = stand.add(TALKING), stand.add(TALKING)
    assert stand.get(one, "/listen?port=5000") == (200, "listening")
    assert "ConnectionRefusedError" in stand.get(other, "/?port=5000&say=hello")[1]


def test_ports_of_the_machine_are_not_seen(stand: Stand) -> None:
    wanted = stand.add(TALKING)
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]
        assert "ConnectionRefusedError" in stand.get(wanted, f"/?port={port}&say=hello")[1]


def test_an_app_cannot_hand_out_doors_of_its_own(stand: Stand, api: Api) -> None:
    wanted = stand.add(TALKING)
    assert stand.get(wanted, "/forge") == (200, "forged")
    assert stand.get(wanted, "/?port=4443&say=hello") == (200, "api: hello")


def test_an_app_that_floods_its_control_socket_harms_itself_alone(stand: Stand) -> None:
    wanted, other = stand.add(TALKING), stand.add()
    assert stand.get(wanted, "/flood") == (200, "flooded")
    assert stand.get(other) == (200, "hello")
    stand.host.stop(wanted.micro_id)
    eventually(lambda: stand.status(wanted).state is State.ASLEEP)
    assert stand.get(wanted, "/listen?port=5000") == (200, "listening")


def test_connections_through_a_door_are_bounded_for_each_micro(stand: Stand, api: Api) -> None:
    wanted, other = stand.add(TALKING), stand.add(TALKING)
    before = api.connections
    assert stand.get(wanted, f"/many?count={CONNECTIONS_MAX + 10}") == (200, "connected")
    eventually(lambda: api.connections == before + CONNECTIONS_MAX)
    assert stand.get(other, "/?port=4443&say=hello") == (200, "api: hello")
    stand.host.stop(wanted.micro_id)
    eventually(lambda: api.connections == before)


def _tcp() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@pytest.mark.parametrize(
    "make, is_one",
    [
        (_tcp, True),
        (lambda: socket.create_server(("::1", 0), family=socket.AF_INET6), False),
        (lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), False),
        (lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM), False),
        (lambda: socket.socket(socket.AF_UNIX), False),
    ],
)
def test_only_what_listens_for_tcp_is_a_door(make: Callable[[], socket.socket], is_one: bool) -> None:
    with make() as made:
        assert is_door(made) is is_one
