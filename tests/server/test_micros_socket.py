"""The socket by which Micros reach the server: the API alone, whoever they say they are, over the server's own TLS."""

import json
import socket

import pytest

from storage.embedded.micros.sockets import connect
from storage.micros import hosts
from tests.factories import BaseClient
from tests.micros_api import Asked
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_api_answers_under_the_names_that_micros_use(client: BaseClient, server: Server, name: str) -> None:
    client.put({"key": "a", "n": 1})
    asked = Asked(server.data, hosts.the_places().api, f"{client.path}/items/a", key=client.key_text, name=name)
    assert (asked.status, json.loads(asked.body)) == (200, {"key": "a", "n": 1})


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/sign-in/", "/static/css/tokens.css", "/v1x", "//v1/", "/v1", "/v1/"]
)
def test_nothing_else_does(server: Server, path: str) -> None:
    asked = Asked(server.data, hosts.the_places().api, path)
    assert (asked.status, json.loads(asked.body)) == (404, {"errors": ["Not found"]})
    assert "Content-Type: application/json" in asked.head


def test_only_we_may_connect(server: Server) -> None:
    path = hosts.the_places().api
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_plain_http_is_not_spoken_there(server: Server) -> None:
    with connect(hosts.the_places().api, seconds=MOMENT_SECONDS) as plain:
        plain.sendall(b"GET /v1/x HTTP/1.1\r\n\r\n")
        heard = _all(plain)
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert b"This port speaks https" in heard


def _all(connection: socket.socket) -> bytes:
    heard = b""
    try:
        while data := connection.recv(65_536):
            heard += data
    except OSError:
        return heard
    return heard
