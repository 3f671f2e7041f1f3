"""Asking the API as Micros do: over the socket that is for them, by the server's own TLS."""

import ssl
from pathlib import Path

from storage.embedded.micros.sockets import connect
from tests.waiting import MOMENT_SECONDS


class Asked:
    """The answer to a GET of a server that keeps its data in `data`, and has its socket at `api`."""

    def __init__(self, data: Path, api: Path, path: str, *headers: str, key: str = "", name: str = "127.0.0.1") -> None:
        context = ssl.create_default_context(cafile=data / "tls" / "ca.pem")
        with (
            connect(api, seconds=MOMENT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1:4443", "Connection: close", f"X-API-Key: {key}", *headers]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            answer = b""
            while heard := connection.recv(65_536):
                answer += heard
        self.head, _, self.body = answer.decode().partition("\r\n\r\n")
        self.status = int(self.head.split()[1])
