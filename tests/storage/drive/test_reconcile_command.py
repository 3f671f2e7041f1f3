"""`manage.py reconcile`: what it prints and how it ends."""

import uuid
from typing import Any

from storage.s3 import blobs
from storage.s3.blobs import Owner
from tests.storage.drive.test_files import Place
from tests.sweeping import sweep_now


def test_the_command_reports_rebuilds_and_repairs(server: Any, database: None) -> None:
    place = Place()
    place.put("kept", b"kept")
    lost, nobodys = uuid.uuid4(), uuid.uuid4()
    blobs.put(lost, length=3, chunks=[b"abc"], owner=Owner(place.access.collection_id, "files", "lost"))
    blobs.put(nobodys, length=3, chunks=[b"abc"], owner=Owner(place.access.collection_id, "files", "kept"))
    sweep_now()

    reported = server.run("reconcile")
    assert reported.returncode != 0
    assert f"orphaned  {lost.hex} (3 bytes)" in reported.stdout
    assert "Run it with --repair" in reported.stderr

    repaired = server.run("reconcile", "--rebuild", "--repair")
    assert repaired.returncode == 0, repaired.stderr
    assert f"added  {place.access.collection_id} files 'lost'" in repaired.stdout
    assert f"orphaned  {nobodys.hex}" in repaired.stdout
    assert (place.names(), place.read("lost"), place.read("kept")) == (["kept", "lost"], b"abc", b"kept")
    assert blobs.find_size(nobodys) is None
    sweep_now()

    clean = server.run("reconcile")
    assert clean.returncode == 0, clean.stdout
    assert clean.stdout.strip().endswith("0 orphaned objects, 0 unreferenced blobs, 0 missing objects, 0 damaged files")
