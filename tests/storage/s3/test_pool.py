"""The two ways to the bundled S3, by its socket and by TLS (see `storage/s3/pool.py`), and what is no way."""

import contextlib
import ssl
import threading
import uuid
from collections.abc import Iterator
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
import trustme
from django.conf import settings

from storage.errors import EngineUnreachable
from storage.s3 import blobs
from storage.s3.blobs import Owner
from tests.storage.conftest import forget_clients

OWNER = Owner("c" * 10, "drive", "name")


@pytest.fixture
def patched(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """For tests that change how S3 is reached; afterwards it is reached as before."""
    forget_clients()
    yield monkeypatch
    monkeypatch.undo()
    forget_clients()


def send_and_read() -> bytes:
    blob_id = uuid.uuid4()
    blobs.put(blob_id, length=3, chunks=[b"abc"], owner=OWNER)
    content = b"".join(blobs.read(blob_id, start=0, length=3, size_bytes=3))
    assert blobs.delete([blob_id]) == []
    return content


def test_bytes_take_the_socket(patched: pytest.MonkeyPatch) -> None:
    assert settings.S3_SOCKET.startswith(str(settings.DATA))
    patched.setattr(settings, "S3_ENDPOINT_URL", "https://127.0.0.1:9")
    assert send_and_read() == b"abc"


def test_where_its_path_is_too_long_they_take_tls(patched: pytest.MonkeyPatch) -> None:
    patched.setattr(settings, "S3_SOCKET", "")
    assert settings.S3_ENDPOINT_URL.startswith("https://127.0.0.1:")
    assert send_and_read() == b"abc"


def test_a_socket_that_is_not_there_is_an_engine_that_is_away(patched: pytest.MonkeyPatch) -> None:
    patched.setattr(settings, "S3_SOCKET", f"{settings.S3_SOCKET}.gone")
    with pytest.raises(EngineUnreachable):
        send_and_read()


def test_a_program_in_its_place_gets_no_byte(patched: pytest.MonkeyPatch) -> None:
    """As when another user's program takes the port while SeaweedFS is started again."""
    got: list[bytes] = []

    class Impostor(BaseRequestHandler):
        def handle(self) -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
            with contextlib.suppress(ssl.SSLError), context.wrap_socket(self.request, server_side=True) as connection:
                got.append(connection.recv(1000))

    patched.setattr(settings, "S3_SOCKET", "")
    with ThreadingTCPServer(("127.0.0.1", 0), Impostor) as impostor:
        threading.Thread(target=impostor.serve_forever, daemon=True).start()
        patched.setattr(settings, "S3_ENDPOINT_URL", f"https://127.0.0.1:{impostor.server_address[1]}")
        with pytest.raises(EngineUnreachable):
            send_and_read()
        assert "certificate" in str(blobs.find_fault())
        impostor.shutdown()
    assert b"".join(got) == b""


def test_the_proxy_of_the_environment_is_not_asked(patched: pytest.MonkeyPatch) -> None:
    patched.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert blobs.find_fault() is None
