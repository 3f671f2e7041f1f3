"""A proxy by which a client with a fixed host reaches a server of ours: its requests for that host go there."""

import select
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from tests.waiting import MOMENT_SECONDS


@contextmanager
def stand_in_for(host: str, url: str) -> Iterator[tuple[str, str]]:
    """The proxy's address, and the file of the certificate authority that vouches for `host` behind it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    address = urlsplit(url)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        ca_path = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(ca_path)
        beyond = (address.hostname or "", address.port or 0)
        threading.Thread(target=_accept, args=(listener, context, host, beyond), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", str(ca_path)


def _accept(listener: socket.socket, context: ssl.SSLContext, host: str, beyond: tuple[str, int]) -> None:
    with suppress(OSError):  # the listener was closed: the test is over
        while True:
            caller, _ = listener.accept()
            threading.Thread(target=_serve, args=(caller, context, host, beyond), daemon=True).start()


def _serve(caller: socket.socket, context: ssl.SSLContext, host: str, beyond: tuple[str, int]) -> None:
    with caller, suppress(OSError):
        caller.settimeout(MOMENT_SECONDS)
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += caller.recv(1)  # no byte of what is behind it
        allowed = asked.startswith(f"CONNECT {host}:443 ".encode())
        caller.sendall(
            b"HTTP/1.1 200 OK\r\n\r\n" if allowed else b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
        )
        if not allowed:
            return
        with context.wrap_socket(caller, server_side=True) as plain, socket.create_connection(beyond) as server:
            _relay(plain, server)


def _relay(plain: ssl.SSLSocket, server: socket.socket) -> None:
    """Until either side ends. In one thread: a TLS connection is not for two."""
    while True:
        ready = [plain] if plain.pending() else select.select([plain, server], [], [], MOMENT_SECONDS)[0]
        if not ready:
            return
        for source in ready:
            some = source.recv(65_536)
            if not some:
                return
            (server if source is plain else plain).sendall(some)
