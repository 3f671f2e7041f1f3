"""A data folder of version 0.1.0, made by its own code, starts with this one and has all that it had; newer data is refused."""

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.drives import noise
from tests.serving import ROOT, Server, child_of_serve, kill
from tests.waiting import MOMENT_SECONDS, eventually

pytestmark = pytest.mark.slow

MakeServer = Callable[..., Server]
TAG = "0.1.0"
# What it needs and this version does not.
ITS_OWN = ("granian", "json5")
ITEMS = [{"key": key, "n": 10**25, "text": "é\u2028"} for key in ("a", "ä", "😀")]
CONTENT = noise(300_000)


@pytest.fixture(scope="module")
def first_release() -> Iterator[Path]:
    """The tag's files, and beside them what is installed for it alone."""
    packed = subprocess.run(["git", "archive", TAG], cwd=ROOT, capture_output=True)
    if packed.returncode != 0:
        pytest.skip(f"this checkout does not have the tag {TAG}")
    with tempfile.TemporaryDirectory(prefix="homeport-first-release-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
            tar.extractall(folder, filter="data")
        pinned = (folder / "constraints.txt").read_text().splitlines()
        wanted = [line for line in pinned if line.split("==")[0] in ITS_OWN]
        assert len(wanted) == len(ITS_OWN)
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder / "own"), *wanted]
        subprocess.run(command, check=True)
        yield folder


def api(server: Server, collection: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=f"{server.url}/v1/{collection}/", headers={"X-API-Key": key}, timeout=MOMENT_SECONDS)


def test_its_data_folder_starts_with_this_version(make_server: MakeServer, first_release: Path) -> None:
    server = make_server(PYTHONPATH=str(first_release / "own"))
    server.folder = first_release
    server.start().wait_ready()
    collection = server.run("collection", "create", "Kept").stdout.split()[-1]
    key = server.run("datakey", "create", collection, "app").stdout.split()[-1]
    with api(server, collection, key) as client:
        assert client.put("things/items", json={"items": ITEMS}).is_success
        assert client.post("files/files", params={"name": "a/é"}, content=CONTENT).is_success
    server.stop()

    server.folder = ROOT
    server.start().wait_ready()
    with api(server, collection, key) as client:
        found = client.post("things/query", json={}).json()["items"]
        assert {item["key"]: item for item in found} == {item["key"]: item for item in ITEMS}
        assert client.get("files/files/download", params={"name": "a/é"}).content == CONTENT
        assert client.put("things/items", json={"items": [{"key": "new"}]}).is_success
    scrubbed = server.run("scrub")
    assert (scrubbed.returncode, " 0 are damaged" in scrubbed.stdout) == (0, True), scrubbed
    assert server.run_code(_HASHES) == "0", "what it stored has its SHA-256 by now"
    _refuse_newer(server)


_HASHES = """
import django
django.setup()
from storage.models import Blob
print(Blob.objects.filter(state="live", sha256=None).count())
"""
_RECORD = """
import django
django.setup()
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
MigrationRecorder(connection).{}("storage", "9999_later")
"""


def _refuse_newer(server: Server) -> None:
    """Another node has brought the database further: what is started now says so."""
    server.run_code(_RECORD.format("record_applied"))
    refused = server.run("collection", "list")
    assert refused.returncode == 1
    assert "made by a newer version of Homeport (the database has storage.9999_later" in refused.stderr
    assert server.run("collection", "--help").returncode == 0
    kill(child_of_serve(server, "procrastinate"))
    eventually(lambda: "made by a newer version of Homeport" in server.log, what=server.log)
    server.run_code(_RECORD.format("record_unapplied"))
    server.wait_ready()
