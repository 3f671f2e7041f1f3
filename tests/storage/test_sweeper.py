"""What the sweeper does when S3 holds on to an object (see `storage/sweeper.py`)."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import settings
from django.utils import timezone

from storage import limits, sweeper
from storage.drive import reconcile
from storage.errors import EngineUnreachable
from storage.models import Blob
from storage.s3 import blobs
from storage.s3.blobs import Owner
from tests.storage.conftest import forget_clients
from tests.sweeping import once_alone, sweep_now

OWNER = Owner("c" * 10, "drive", "name")


@contextmanager
def s3_that_keeps(kept: set[uuid.UUID]) -> Iterator[None]:
    """The S3 as it is, but that it refuses to delete these objects, as one with a retention rule does."""
    engine = blobs._pool.__wrapped__()
    keys = {blobs.key_of(blob_id) for blob_id in kept}

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            if self.command == "DELETE" and any(key in self.path for key in keys):
                status, headers, body = 403, [], b"<Error><Code>AccessDenied</Code></Error>"
            else:
                length = int(self.headers.get("Content-Length") or 0)
                there = engine.urlopen(
                    self.command, self.path, self.rfile.read(length) or None, dict(self.headers), decode_content=False
                )
                status, headers, body = there.status, list(there.headers.items()), there.data
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding"):
                    self.send_header(name, value)
            told = dict(headers).get("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", told or str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_DELETE = pass_on  # noqa: N815  http.server looks for these names

        def log_message(self, *_: object) -> None:
            """Nothing: the tests say what they look at."""

    door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=door.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "S3_ENDPOINT_URL", f"http://127.0.0.1:{door.server_port}")
        patch.setattr(settings, "S3_SOCKET", "")
        patch.setattr(settings, "S3_TLS", None)
        forget_clients()
        try:
            yield
        finally:
            forget_clients()
            door.shutdown()
            door.server_close()


def put_garbage(count: int) -> list[uuid.UUID]:
    """Objects that no file has needed for long."""
    ids = [uuid.uuid4() for _ in range(count)]
    for blob_id in ids:
        blobs.put(blob_id, length=1, chunks=[b"x"], owner=OWNER)
        long_ago = timezone.now() - timedelta(seconds=2 * limits.GARBAGE_KEPT_SECONDS)
        Blob.objects.create(id=blob_id, size_bytes=1, state="garbage", changed_at=long_ago)
    return ids


def sweep_garbage(count: int, kept: int) -> list[uuid.UUID]:
    """Sweep so much garbage of an S3 that will not delete the first of it, out of reach of the server's own sweeper."""
    with reconcile.alone():
        ids = put_garbage(count)
        with s3_that_keeps(set(ids[:kept])):
            sweeper.sweep_files()
    return ids


@pytest.mark.parametrize("count, kept", [(4, 1), (1, 1), (3, 3)])
def test_what_s3_will_not_delete_keeps_nothing_else(
    database: None, caplog: pytest.LogCaptureFixture, count: int, kept: int
) -> None:
    before = timezone.now()

    ids = once_alone(lambda: sweep_garbage(count, kept))

    assert [blobs.find_size(blob_id) for blob_id in ids] == [1] * kept + [None] * (count - kept)
    still_there = Blob.objects.filter(id__in=ids)
    assert {blob.id for blob in still_there} == set(ids[:kept])
    # They wait as long as if they had become garbage now.
    assert all(blob.changed_at >= before for blob in still_there)
    assert caplog.text.count("AccessDenied") == kept
    sweep_now()
    assert [blobs.find_size(blob_id) for blob_id in ids] == [None] * count


def test_a_repair_says_what_s3_would_not_delete(database: None) -> None:
    kept, other = uuid.uuid4(), uuid.uuid4()
    for blob_id in (kept, other):
        blobs.put(blob_id, length=1, chunks=[b"x"], owner=OWNER)

    with s3_that_keeps({kept}), pytest.raises(EngineUnreachable, match="would not delete 1 of"):
        once_alone(reconcile.repair)

    assert (blobs.find_size(kept), blobs.find_size(other)) == (1, None)
    once_alone(reconcile.repair)
    assert blobs.find_size(kept) is None
