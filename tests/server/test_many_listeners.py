"""A thousand who follow changes on one server hold up nobody, cost little, and are told everything."""

import json
import os
import selectors
import signal
import socket
import time
from contextlib import suppress

import pytest

from tests.embedded.servers import making_servers
from tests.server.slow import make_app, many_connections, memory_of_workers, others_are_served
from tests.serving import child_of_serve
from tests.waiting import PROMISED_SECONDS, eventually, seconds_until

pytestmark = pytest.mark.alone
LISTENERS = 1_000
MB = 1_048_576


class Followers:
    """What each of many connections was sent."""

    def __init__(self, connections: list[socket.socket]) -> None:
        self.received = {connection: bytearray() for connection in connections}
        self.ended: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        for connection in connections:
            self._selector.register(connection, selectors.EVENT_READ)

    def read(self) -> None:
        for key, _ in self._selector.select(timeout=0.2):
            data = b""
            with suppress(ConnectionError):
                data = key.fileobj.recv(262_144)  # type: ignore[union-attr]
            if data:
                self.received[key.fileobj] += data  # type: ignore[index]
            else:
                self.ended.add(key.fileobj)  # type: ignore[arg-type]
                self._selector.unregister(key.fileobj)

    def wait_for(self, text: bytes) -> None:
        def have_all() -> bool:
            self.read()
            return all(text in received for received in self.received.values())

        eventually(have_all, what=f"not all were sent {text!r}")


@pytest.mark.slow
def test_a_thousand_listeners_hold_up_nobody() -> None:
    with making_servers() as make:
        server = make(HOMEPORT_WORKERS="1").start()
        server.wait_ready()
        app = make_app(server)
        before = memory_of_workers(server)
        head = app.head("GET", "/changes?since=now", "Accept: text/event-stream")
        with many_connections(server.url, LISTENERS, sending=head) as connections:
            followers = Followers(connections)
            followers.wait_for(b"retry: ")
            assert all(received.startswith(b"HTTP/1.1 200") for received in followers.received.values())
            others_are_served(app)
            for n in range(10):
                app.call("PUT", "/items", json={"items": [{"key": "a", "n": n}]})
            others_are_served(app)
            followers.wait_for(b'"n": 9}')
            for received in followers.received.values():
                data = [line[6:] for line in bytes(received).split(b"\n") if line.startswith(b"data: ")]
                assert [json.loads(each)["value"]["n"] for each in data] == list(range(10))
            # About 20 KB each. It would be 8 MB of stack where each had a thread.
            assert memory_of_workers(server) - before < 100 * MB

            # One more of the same key is one too many; then the server stops, and waits for none of them.
            with many_connections(server.url, 1_024 - LISTENERS + 1, sending=head) as more:
                refused = Followers(more)

                def is_refused() -> bool:
                    refused.read()
                    return any(received.startswith(b"HTTP/1.1 429") for received in refused.received.values())

                eventually(is_refused)
            os.kill(child_of_serve(server, "console.listener").pid, signal.SIGTERM)

            def have_ended() -> bool:
                followers.read()
                return len(followers.ended) == LISTENERS

            assert seconds_until(have_ended) < PROMISED_SECONDS
            assert all(bytes(received).endswith(b"0\r\n\r\n") for received in followers.received.values())


@pytest.mark.slow
def test_those_who_take_nothing_cost_no_more_than_a_bounded_buffer() -> None:
    with making_servers() as make:
        server = make(HOMEPORT_WORKERS="1").start()
        server.wait_ready()
        app = make_app(server)
        before = memory_of_workers(server)
        head = app.head("GET", "/changes?since=now", "Accept: text/event-stream")
        with many_connections(server.url, 100, sending=head) as connections:
            time.sleep(1)
            for n in range(60):
                item = {"key": f"k{n}", "text": "x" * 300_000}
                assert app.call("PUT", "/items", json={"items": [item]}).status_code == 207
            others_are_served(app)
            # 18 MB for each of them, of which the operating system takes a part.
            assert memory_of_workers(server) - before < 150 * MB
            followers = Followers(connections)
            followers.wait_for(b'"key":"k59"')
            for received in followers.received.values():
                assert bytes(received).count(b"\ndata: ") == 60
