"""The two ways to the bundled S3, by its socket and by TLS (see `storage/s3/pool.py`), and what is no way."""

import contextlib
import re
import ssl
import threading
import time
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
    next(blobs.list_blobs(), None)


def test_the_probe_takes_the_way_of_files_and_nothing_longer(patched: pytest.MonkeyPatch) -> None:
    """Whoever is asked first in a fresh process answers as soon as later ones do."""
    patched.setattr(blobs, "_listing_client", lambda: pytest.fail("takes long to be made"))
    patched.setattr(settings, "S3_ENDPOINT_URL", "https://127.0.0.1:9")
    assert blobs.find_fault() is None


class _Answering(BaseRequestHandler):
    """An S3 that says yes to whatever it is asked, after a while."""

    after_seconds = 0.4

    def handle(self) -> None:
        while self.request.recv(10_000):
            time.sleep(self.after_seconds)
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhomeport")


def test_an_s3_that_is_slow_at_each_step_is_told_in_time(patched: pytest.MonkeyPatch) -> None:
    patched.setattr(settings, "S3_SOCKET", "")
    patched.setattr(settings, "S3_TLS", None)
    patched.setattr(blobs, "_PROBE_SECONDS", 1.0)
    with ThreadingTCPServer(("127.0.0.1", 0), _Answering) as slow:
        slow.daemon_threads = True
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        patched.setattr(settings, "S3_ENDPOINT_URL", f"http://127.0.0.1:{slow.server_address[1]}")
        assert blobs.find_fault() == "no answer within 1 s"
        slow.shutdown()
        forget_clients()


@pytest.mark.parametrize(
    "setting, value, said",
    [("S3_SECRET_ACCESS_KEY", "another", "S3 answered 403"), ("S3_SOCKET", "/nowhere", "/nowhere: ")],
)
def test_what_is_wrong_is_told(patched: pytest.MonkeyPatch, setting: str, value: str, said: str) -> None:
    patched.setattr(settings, setting, value)
    assert re.search(said, str(blobs.find_fault()))
