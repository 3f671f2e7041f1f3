"""The bundled Postgres lets nobody in without its password, and its password is told to nobody else."""

import threading
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import psycopg
import pytest
from django.db import connection

from storage.embedded import state
from tests.serving import Server


@pytest.mark.parametrize("user", ["homeport", "postgres", "root"])
@pytest.mark.parametrize("way", ["port", "socket"])
def test_it_wants_a_password_by_the_port_and_by_the_socket(server: Server, way: str, user: str) -> None:
    kept = state.load(server.data)
    assert kept
    host = "127.0.0.1" if way == "port" else kept.postgres.host
    place: dict[str, Any] = {"host": host, "port": kept.postgres.port, "user": user, "dbname": "homeport"}
    place["passfile"] = "/nonexistent"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(**place)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**place, password="postgres")


def test_a_program_in_its_place_is_not_told_the_password(server: Server) -> None:
    heard: list[bytes] = []

    class Impostor(BaseRequestHandler):
        """It asks for the password as it is."""

        def handle(self) -> None:
            self.request.recv(1000)
            self.request.sendall(b"R" + (8).to_bytes(4) + (3).to_bytes(4))
            heard.append(self.request.recv(1000))

    parameters = connection.get_connection_params()
    with ThreadingTCPServer(("127.0.0.1", 0), Impostor) as impostor:
        threading.Thread(target=impostor.serve_forever, daemon=True).start()
        place = {"host": "127.0.0.1", "port": impostor.server_address[1], "sslmode": "disable", "gssencmode": "disable"}
        with pytest.raises(psycopg.OperationalError, match="scram-sha-256"):
            psycopg.connect(**{**parameters, **place})
        impostor.shutdown()
    assert parameters["password"].encode() not in b"".join(heard)
