"""The connections to S3 that all threads share.

The bundled SeaweedFS is reached by its Unix socket, in a folder that only its user and root can enter: so no other program
of this machine can take its place while it is being started again, and the bytes need no TLS. Where the socket's path is too
long, and for boto3, which knows no sockets, there is TLS with a certificate on both sides.
"""

import socket
from typing import Any
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError


def open_pool(*, maxsize: int, timeout: urllib3.Timeout) -> urllib3.HTTPConnectionPool:
    """A pool for `settings.S3_ENDPOINT_URL`. It keeps `maxsize` connections and tries nothing twice."""
    options: dict[str, Any] = {"maxsize": maxsize, "timeout": timeout, "retries": False}
    if settings.S3_SOCKET:
        # Requests are signed with the host they name, so it is the address here as well.
        address = urlsplit(settings.S3_ENDPOINT_URL)
        return _SocketPool(address.hostname or "", address.port, path=settings.S3_SOCKET, **options)
    if settings.S3_TLS:
        tls = settings.S3_TLS
        options |= {"ca_certs": str(tls.authority), "cert_file": str(tls.certificate), "key_file": str(tls.key)}
    return urllib3.connection_from_url(settings.S3_ENDPOINT_URL, **options)


class _SocketConnection(HTTPConnection):
    def __init__(self, *place: Any, path: str, **options: Any) -> None:
        super().__init__(*place, **options)
        self._path = path

    def _new_conn(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self.timeout)
            connection.connect(self._path)
        except OSError as error:
            connection.close()
            raise NewConnectionError(self, f"{self._path}: {error}") from error
        return connection


class _SocketPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _SocketConnection
