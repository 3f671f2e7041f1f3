"""Clients that are slow, silent or half gone, in large numbers, from one thread."""

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from tests.processes import living_children
from tests.serving import Server, child_of_serve
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS


@dataclass(frozen=True)
class App:
    """An app with a data key."""

    server: Server
    path: str
    key: str

    def head(self, method: str, path: str, *headers: str, key: str | None = None) -> bytes:
        """The head of one of its requests."""
        lines = [f"{method} {self.path}{path} HTTP/1.1", "Host: localhost", f"X-API-Key: {key or self.key}", *headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def call(self, method: str, path: str, **options: object) -> httpx.Response:
        """Make a request as a client in good health does, on a connection of its own."""
        with httpx.Client(base_url=self.server.url, timeout=MOMENT_SECONDS, trust_env=False) as http:
            return http.request(method, self.path + path, headers={"X-API-Key": self.key}, **options)  # type: ignore[arg-type]


def make_app(server: Server) -> App:
    """An app with a collection of its own and one item."""
    collection_id, key = server.make_key("Beside slow clients")
    app = App(server, f"/v1/{collection_id}/things", key)
    assert app.call("PUT", "/items", json={"items": [{"key": "a"}]}).status_code == 207
    return app


@contextmanager
def many_connections(address: str, count: int, *, sending: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many open connections, each of which has sent that much."""
    url = urlsplit(address)
    with ExitStack() as stack:
        made = []
        for _ in range(count):
            made.append(stack.enter_context(socket.create_connection((url.hostname, url.port), MOMENT_SECONDS)))
            if sending:
                made[-1].sendall(sending)
        yield made


def read_answers(connections: list[socket.socket], seconds: float) -> list[bytes]:
    """What each was sent, as soon as all were sent something, or after so long."""
    found = dict.fromkeys(connections, b"")
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        while selector.get_map() and time.monotonic() < until:
            for key, _ in selector.select(timeout=0.5):
                found[key.fileobj] = key.fileobj.recv(65_536)  # type: ignore[index, union-attr]
                selector.unregister(key.fileobj)
    return list(found.values())


def others_are_served(app: App) -> None:
    """Rows, pages and files, each within what is promised."""
    for method, path, status in [("GET", "/items/a", 200), ("POST", "/query", 200), ("GET", "/files", 200)]:
        began = time.monotonic()
        answer = app.call(method, path, **({"json": {}} if method == "POST" else {}))
        assert answer.status_code == status, answer.text
        assert time.monotonic() - began < PROMISED_SECONDS
    began = time.monotonic()
    with httpx.Client(base_url=app.server.url, timeout=MOMENT_SECONDS, trust_env=False) as http:
        assert http.get("/sign-in/", follow_redirects=True).status_code == 200
    assert time.monotonic() - began < PROMISED_SECONDS


def memory_of_workers(server: Server) -> int:
    """What all web workers hold for themselves, in bytes."""
    workers = living_children(child_of_serve(server, "console.listener"))
    return sum(worker.memory_full_info().uss for worker in workers)
