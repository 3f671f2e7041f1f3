"""kill -9 of the job worker in the middle of the copy of a Drive: another goes on, and nothing half is left."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from storage import jobs
from storage.drive import duplication, files
from storage.models import Drive, Duplication
from storage.postgres.caller import Access
from tests import archives
from tests.drives import noise
from tests.failpoints import arm, disarm_all, is_armed
from tests.people import make_member
from tests.serving import Server
from tests.sweeping import repair_now, swept_report
from tests.waiting import eventually

pytestmark = pytest.mark.slow
FILES = 250


@pytest.fixture(autouse=True)
def unarmed(server: Server) -> Iterator[None]:
    repair_now()
    yield
    disarm_all()


def contents(collection_id: str, drive: str) -> dict[str, str]:
    access = Access(collection_id)
    names = files.list_files(access=access, drive=drive, limit=1_000).names
    return {name: files.get_file(access=access, drive=drive, name=name).etag for name in names}


@pytest.mark.parametrize("moment", ["duplicate-blob-copied", "duplicate-before-commit", "duplicate-after-commit"])
def test_a_copy_whose_worker_is_killed_goes_on(moment: str) -> None:
    access = archives.new_collection()
    for number in range(FILES):
        archives.put(access, "files", f"{number:03}.txt", f"file {number}".encode())
    archives.put(access, "files", "large.bin", noise(9_000_000))
    person = make_member(access.collection_id)
    arm(moment)
    asked = duplication.ask_for_duplication(
        access=Access(access.collection_id, person_id=person.pk), drive="files", new_name="copy"
    )
    jobs.start(jobs.continue_duplications)
    eventually(lambda: not is_armed(moment), what=f"nobody came to {moment}")
    found = Duplication.objects.get(pk=asked.pk)
    assert found.state == Duplication.State.RUNNING
    # A batch ends after 100 files, or before that when they take long.
    assert 0 < found.copied <= 100 if moment == "duplicate-after-commit" else found.copied == 0
    assert len(contents(access.collection_id, "copy")) == found.copied

    Duplication.objects.filter(pk=asked.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    jobs.start(jobs.continue_duplications)
    eventually(lambda: Duplication.objects.get(pk=asked.pk).finished_at, what="nobody took it up")
    found = Duplication.objects.get(pk=asked.pk)
    assert (found.state, found.copied, found.left_out) == (Duplication.State.DONE, FILES + 1, 0)
    assert contents(access.collection_id, "copy") == contents(access.collection_id, "files")
    assert swept_report().is_clean
    assert Drive.objects.get(pk=asked.target_id).name == "copy"
