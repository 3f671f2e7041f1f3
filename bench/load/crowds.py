"""Crowds of clients that are slow, silent or half gone, held beside a measurement."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


@contextlib.contextmanager
def crowd(origin: str, count: int, sent: bytes, *, is_brief: bool = True, drip: bytes = b"") -> Iterator[None]:
    """So many clients that each send the bytes and wait; each connects again when it is sent away.

    A brief one goes when it has been answered, the others stay, and take nothing of what comes. `drip` is sent once a second
    besides.
    """
    address = urlsplit(origin)
    over = threading.Event()
    clients: list[socket.socket] = []

    def connect() -> socket.socket:
        client = socket.create_connection((address.hostname, address.port), 30)
        client.sendall(sent)
        return client

    def come_again() -> None:
        while not over.wait(1.0):
            for number, client in enumerate(clients):
                client.setblocking(False)
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    if client.recv(1, socket.MSG_PEEK) == b"" or is_brief:
                        client.close()
                        clients[number] = connect()
                if drip:
                    with contextlib.suppress(BlockingIOError, ConnectionError):
                        clients[number].send(drip)

    clients.extend(connect() for _ in range(count))
    again = threading.Thread(target=come_again)
    again.start()
    try:
        yield
    finally:
        over.set()
        again.join()
        for client in clients:
            client.close()


def head(method: str, path: str, key: str, *headers: str) -> bytes:
    """The head of a request, as a client with this data key sends it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"X-API-Key: {key}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
