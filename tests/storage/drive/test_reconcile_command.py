"""`manage.py reconcile`: what it prints and how it ends."""

import subprocess
import uuid

from storage.s3 import blobs
from storage.s3.blobs import Owner
from tests.commands import run_here
from tests.storage.drive.test_files import Place
from tests.sweeping import sweep_now
from tests.waiting import eventually


def reconciled(*options: str) -> "subprocess.CompletedProcess[str]":
    """How it ended, and all that it printed: while the server's own sweeper is at work it asks to be tried again."""
    printed: list[str] = []

    def run() -> "subprocess.CompletedProcess[str] | None":
        done = run_here("reconcile", *options)
        printed.append(done.stdout)
        return None if "is at work" in done.stderr else done

    done = eventually(run)
    assert done
    done.stdout = "".join(printed)
    return done


def test_the_command_reports_rebuilds_and_repairs(database: None) -> None:
    place = Place()
    place.put("kept", b"kept")
    lost, nobodys = uuid.uuid4(), uuid.uuid4()
    blobs.put(lost, length=3, chunks=[b"abc"], owner=Owner(place.access.collection_id, "files", "lost"))
    blobs.put(nobodys, length=3, chunks=[b"abc"], owner=Owner(place.access.collection_id, "files", "kept"))
    sweep_now()

    reported = reconciled()
    assert reported.returncode != 0
    assert f"orphaned  {lost.hex} (3 bytes)" in reported.stdout
    assert "Run it with --repair" in reported.stderr

    repaired = reconciled("--rebuild", "--repair")
    assert repaired.returncode == 0, repaired.stderr
    assert f"added  {place.access.collection_id} files 'lost'" in repaired.stdout
    assert f"orphaned  {nobodys.hex}" in repaired.stdout
    assert (place.names(), place.read("lost"), place.read("kept")) == (["kept", "lost"], b"abc", b"kept")
    assert blobs.find_size(nobodys) is None
    sweep_now()

    clean = reconciled()
    assert clean.returncode == 0, clean.stdout
    assert clean.stdout.strip().endswith("0 orphaned objects, 0 unreferenced blobs, 0 missing objects, 0 damaged files")
