"""A scrubber that is killed, and downloads while it heals (promises: P2, P3)."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import UUID

from storage.drive import files
from storage.drive.files import Download
from storage.errors import BlobMissing, EngineUnreachable
from storage.models import ScrubRound
from storage.scrubbing import scrubber
from tests.drives import noise
from tests.serving import ROOT, Server
from tests.storage.drive.test_files import Place
from tests.storage.scrubbing.rounds import Rounds, blob_of, change

# The job worker's minute, in a process of its own that says which blobs it has begun to read.
_SCRUB = """
import time
import django
django.setup()
from django.conf import settings
from storage.scrubbing import scrubber
def check(blob):
    print(blob.id.int, flush=True)
    time.sleep(0.01)
scrubber.check = check
scrubber._pause = lambda *_: None
settings.SCRUB_MB_PER_MINUTE = 10**6
scrubber.scrub()
"""
_ALL, _KILLED_AT = 100, 2 * scrubber._STEP + 5


def test_a_scrubber_that_is_killed_goes_on_where_it_was(rounds: Callable[[list[int]], Rounds], server: Server) -> None:
    made = rounds([10] * _ALL)
    made.begin(days=40)
    with subprocess.Popen(
        [sys.executable, "-c", _SCRUB], cwd=ROOT, env=server.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        begun = [int(line) for line, _ in zip(process.stdout, range(_KILLED_AT), strict=False)]
        os.kill(process.pid, signal.SIGKILL)
    assert begun == list(range(1, _KILLED_AT + 1))
    now = ScrubRound.objects.get()
    assert now.position == UUID(int=2 * scrubber._STEP), "whole steps are noted, and no more"
    assert (now.blobs, now.size_bytes) == (2 * scrubber._STEP, 20 * scrubber._STEP)
    scrubber.scrub()
    own = [number for number in made.read if number <= _ALL]
    assert own == list(range(2 * scrubber._STEP + 1, _ALL + 1)), "none is left out, and few are read again"
    assert ScrubRound.objects.get().last_ended_at


# So much that SeaweedFS keeps it in several pieces, the last of which are asked for long after the first.
GOOD, BAD = noise(12_000_000, 1), noise(12_000_000, 2)


def read_on(pieces: Iterator[bytes], begun: bytes) -> bytes | None:
    """What is left of a download; None when it breaks off, of which whoever reads is told."""
    try:
        return begun + b"".join(pieces)
    except (BlobMissing, EngineUnreachable):
        return None


def test_a_download_during_a_heal_has_all_of_one_content_or_breaks_off(place: Place) -> None:
    place.put("f", GOOD)
    place.put("twin", GOOD)
    blob = blob_of(place, "f")
    over, seen = threading.Event(), []

    def read_again_and_again() -> None:
        while not over.is_set():
            file = files.get_file(access=place.access, drive=place.drive, name="f")
            with closing(Download(file, start=0, length=len(GOOD))) as download:
                seen.append(read_on(iter(download), b""))

    readers = [threading.Thread(target=read_again_and_again) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(3):
            change(blob.id, BAD)
            file = files.get_file(access=place.access, drive=place.drive, name="f")
            with closing(Download(file, start=0, length=len(GOOD))) as download:
                pieces = iter(download)
                begun = next(pieces)
                assert scrubber.check(blob)
                assert read_on(pieces, begun) in (BAD, None)
            assert place.read("f") == GOOD
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert {None, GOOD, BAD} >= set(seen)
    assert GOOD in seen
