"""A whole Drive copied on each S3: what comes along, what is left out, killed workers, and what is left in the bucket."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from secrets import token_hex
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from pytest_django import Settings

from storage import disk_space, limits
from storage.audit.log import Verb
from storage.collections import deletion as collection_deletion
from storage.collections import roles, stores
from storage.drive import drives, duplication, files, folders
from storage.drive.files import Download
from storage.drive.sql import files as files_sql
from storage.errors import AlreadyTaken, DiskFull, DriveNotFound, DuplicationNotFound, Forbidden, InvalidInput
from storage.models import AuditEntry, Drive, Duplication, File, FileToCopy, Folder, Role, ShareLink
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.s3 import blobs
from storage.share_links import links
from tests.drives import PART, noise
from tests.people import make_member
from tests.storage.drive.test_files import Content
from tests.storage.drive.test_moves import Desk
from tests.sweeping import repair_now, sweep_now, swept_report
from tests.waiting import eventually

State = Duplication.State


class Copier(Desk):
    """A Drive that a person has copied."""

    def __init__(self) -> None:
        super().__init__()
        self.person = make_member(self.access.collection_id, name="ada")
        self.by_person = Access(self.access.collection_id, person_id=self.person.pk)

    def ask(self, new_name: str = "copy") -> Duplication:
        return duplication.ask_for_duplication(access=self.by_person, drive=self.drive, new_name=new_name)

    def drives(self) -> list[str]:
        return drives.list_drive_names(collection_id=self.access.collection_id, limit=10)

    def copied(self) -> dict[str, bytes]:
        found = {}
        for name in files.list_files(access=self.access, drive="copy", limit=1_000).names:
            file = files.get_file(access=self.access, drive="copy", name=name)
            found[name] = b"".join(Download(file, start=0, length=file.size_bytes))
        return found


def work(asked: Duplication, seconds: float = 1_000) -> Duplication:
    return duplication.work_a_while(duplication_id=asked.pk, seconds=seconds)


def done(asked: Duplication) -> Duplication:
    """When it has come to its end, whoever works on it."""

    def is_over() -> Duplication | None:
        found = work(asked)
        return found if found.finished_at else None

    over = eventually(is_over)
    assert over
    return over


def abandon(asked: Duplication) -> None:
    """As if its worker had been dead for a while."""
    Duplication.objects.filter(pk=asked.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))


def claimed(copier: Copier) -> Duplication:
    """A copy that nobody but the test works on."""
    with transaction.atomic():
        found = duplication._claim(Q(pk=copier.ask().pk))
    assert found
    return found


@pytest.fixture
def copier(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copier]:
    monkeypatch.setattr(limits, "DUPLICATE_BATCH_FILES", 3)
    made = Copier()
    yield made
    # To be swept, as what the test leaves behind is in a bucket that may be gone later.
    drive_ids = list(Drive.objects.filter(collection_id=made.access.collection_id).values_list("pk", flat=True))
    for drive_id in drive_ids:
        if names := list(File.objects.filter(drive_id=drive_id).values_list("name", flat=True)):
            run(files_sql.delete_files(drive_id, names))
    Folder.objects.filter(drive_id__in=drive_ids).delete()


@pytest.fixture
def swept(s3: str) -> Iterator[None]:
    """What the test leaves behind is swept while its S3 is the one to sweep it from."""
    repair_now()
    yield
    sweep_now()


@pytest.mark.usefixtures("swept")
def test_all_files_come_along_on_each_s3(copier: Copier) -> None:
    # Of other kinds than files, which other tests hold in the other S3.
    elsewhere = swept_report()
    copier.put("a.txt", b"content")
    copier.put("é/ü%+ ?.bin", noise(1_000))
    typed = Content(b"{}", "application/x-own; charset=utf-8")
    files.put_file(access=copier.access, drive=copier.drive, name="typed", content=typed)
    copier.end(copier.upload("large.bin", noise(PART), noise(1_000, 1)), "large.bin")
    copier.end(copier.upload("one part.bin", noise(1_000, 2)), "one part.bin")
    copier.end(copier.upload("no part.bin"), "no part.bin")
    folders.make_folder(access=copier.by_person, drive_id=copier.id, path="kept/")
    links.create_link(
        access=copier.by_person,
        drive="files",
        drive_id=copier.id,
        name="a.txt",
        text=token_hex(),
        hours=1,
        made_by=copier.person,
    )

    asked = claimed(copier)
    assert (asked.expected, asked.expected_bytes) == (6, PART + 3_009)
    duplication._work(asked)
    asked.refresh_from_db()
    assert (asked.state, asked.copied, asked.copied_bytes) == (State.DONE, 6, PART + 3_009)
    assert (asked.left_out, asked.bytes_under_way, asked.reason) == (0, 0, "")
    source, copy = (described(drive_id) for drive_id in (asked.source_id, asked.target_id))
    assert source == copy
    assert Folder.objects.filter(drive_id=asked.target_id).values_list("path", flat=True).get() == "kept/"
    assert not ShareLink.objects.filter(drive_id=asked.target_id).exists()
    assert not FileToCopy.objects.filter(duplication_id=asked.pk).exists()
    entry = AuditEntry.objects.get(verb=Verb.FILES_COPIED, collection_id=copier.access.collection_id)
    assert (entry.about, entry.amount, entry.details["to"]) == ("files", 6, "copy")

    # No blob is shared: the copy is whole without what it was made of, for `rebuild` as well.
    before = copier.content()
    copier.delete(*copier.names())
    assert swept_report() == elsewhere
    assert copier.copied() == before
    for file in File.objects.filter(drive_id=asked.target_id):
        owner = blobs.find_owner(file.manifest_id or file.blob_ids[0])
        assert owner is not None
        assert (owner.collection_id, owner.drive, owner.name) == (asked.collection_id, "copy", file.name)
        assert (owner.content_type, owner.is_manifest) == (file.content_type, file.manifest_id is not None)
        if file.manifest_id:
            assert blobs.read_manifest(file.manifest_id, blobs.find_size(file.manifest_id) or 0) == file.blob_ids


def described(drive_id: int) -> set[tuple[object, ...]]:
    return {
        (file.name, file.size_bytes, file.content_type, file.etag, tuple(file.blob_sizes), file.manifest_id is None)
        for file in File.objects.filter(drive_id=drive_id)
    }


def test_the_list_is_that_of_the_beginning_and_what_is_gone_by_then_is_told(copier: Copier) -> None:
    for name in "abcdefgh":
        copier.put(name, name.encode())
    asked = claimed(copier)
    duplication._work(asked, until=0)
    asked.refresh_from_db()
    first = set(copier.copied())
    assert (asked.state, asked.copied) == (State.QUEUED, len(first))
    assert 0 < len(first) < 8
    copier.delete("g")
    copier.rename("h", "i")
    copier.put("f", b"replaced")
    copier.put("new", b"")
    files.put_file(access=copier.access, drive="copy", name="e", content=Content(b"there"))
    over = done(asked)
    assert (over.state, over.copied, over.left_out, over.expected) == (State.DONE, 5, 3, 8)
    assert sorted(over.problems) == [
        "e: the copy has a file of this name, which somebody stored meanwhile",
        "g: it was deleted or renamed meanwhile",
        "h: it was deleted or renamed meanwhile",
    ]
    assert copier.copied() == {name: name.encode() for name in "abcd"} | {"e": b"there", "f": b"replaced"}
    assert duplication.find_told(over.target_id) == over
    assert duplication.find_told(over.source_id) is None
    assert duplication.find_duplication(drive_id=over.source_id, duplication_id=over.pk) == over
    with pytest.raises(DuplicationNotFound):
        duplication.find_duplication(drive_id=over.target_id + 1, duplication_id=over.pk)


def test_a_file_whose_bytes_are_missing_is_left_out(copier: Copier) -> None:
    repair_now()
    for name in "abc":
        copier.put(name, name.encode())
    (blob_id,) = files.get_file(access=copier.access, drive="files", name="b").blob_ids
    blobs.delete([blob_id])
    over = done(copier.ask())
    assert (over.state, over.copied, over.problems) == (State.DONE, 2, ["b: its bytes are missing from storage"])
    assert set(copier.copied()) == {"a", "c"}
    copier.delete("b")
    assert swept_report().is_clean


def test_a_file_that_is_replaced_while_it_is_copied_is_copied_as_it_is_then(
    copier: Copier, monkeypatch: pytest.MonkeyPatch
) -> None:
    copier.put("a", b"old")
    copy = blobs.copy

    def replaced_before(blob_id: UUID, new_id: UUID, **given: Any) -> None:
        monkeypatch.setattr(blobs, "copy", copy)
        copier.put("a", b"new")
        sweep_now()
        copy(blob_id, new_id, **given)

    asked = claimed(copier)
    monkeypatch.setattr(blobs, "copy", replaced_before)
    duplication._work(asked)
    assert copier.copied() == {"a": b"new"}
    assert done(asked).left_out == 0


@pytest.mark.parametrize("moment", ["duplicate-blob-copied", "duplicate-before-commit", "duplicate-after-commit"])
def test_a_copy_goes_on_behind_the_last_batch_of_a_killed_worker(
    copier: Copier, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """As if it had died there; that it does is tried by `tests/embedded/test_duplication_kills.py`."""
    repair_now()
    for number in range(8):
        copier.put(f"{number}.txt", str(number).encode())
    reached: list[str] = []

    def die(place: str) -> None:
        reached.append(place)
        if reached.count(moment) == 2:
            raise KeyboardInterrupt

    asked = claimed(copier)
    monkeypatch.setattr(duplication, "reach", die)
    monkeypatch.setattr(duplication, "_discard", lambda blob_ids: None)
    with pytest.raises(KeyboardInterrupt):
        duplication._work(asked)
    monkeypatch.undo()
    asked.refresh_from_db()
    assert asked.state == State.RUNNING
    assert work(asked).state == State.RUNNING, "its worker may live"
    abandon(asked)
    over = done(asked)
    assert (over.state, over.copied, over.copied_bytes, over.left_out) == (State.DONE, 8, 8, 0)
    assert copier.copied() == copier.content()
    assert swept_report().is_clean


def test_a_copy_that_never_gets_any_further_ends_in_words(copier: Copier) -> None:
    copier.put("a", b"a")
    asked = claimed(copier)
    Duplication.objects.filter(pk=asked.pk).update(attempts=duplication._ATTEMPTS_MAX + 1)
    abandon(asked)
    over = done(asked)
    assert (over.state, over.reason) == (State.FAILED, "It was begun too often, and never got any further.")


Act = Callable[[Copier, Duplication], object]
ENDS: dict[str, tuple[Act, str]] = {
    "the person may only read": (
        lambda copier, _: roles.set_role(
            collection_id=copier.access.collection_id, person_id=copier.person.pk, role=Role.READER
        ),
        "may no longer write here",
    ),
    "the person is gone": (lambda copier, _: copier.person.delete(), "may no longer write here"),
    "the Drive is deleted": (
        lambda copier, _: delete(copier, "files"),
        "“files” was deleted, emptied or moved meanwhile",
    ),
    "the Drive is emptied": (
        lambda copier, _: stores.empty_store(access=copier.access, kind="drive", name="files"),
        "“files” was deleted, emptied or moved meanwhile",
    ),
    "the copy is deleted": (lambda copier, _: delete(copier, "copy"), "The new Drive was deleted"),
}


def delete(copier: Copier, name: str) -> None:
    stores.delete_store(access=copier.access, kind="drive", name=name, typed_name=name)


@pytest.mark.parametrize("act, reason", ENDS.values(), ids=ENDS)
def test_what_ends_a_copy_is_told_and_leaves_nothing_half(copier: Copier, act: Act, reason: str) -> None:
    repair_now()
    for name in "abcdefgh":
        copier.put(name, name.encode())
    asked = claimed(copier)
    duplication._work(asked, until=0)
    act(copier, asked)
    over = done(asked)
    assert over.state == State.FAILED
    assert reason in over.reason
    assert not FileToCopy.objects.filter(duplication_id=asked.pk).exists()
    assert over.copied == File.objects.filter(drive_id=over.target_id).count() > 0
    if reason.startswith("“"):
        assert duplication.find_told(over.target_id) == over
    assert swept_report().is_clean


def test_the_right_is_asked_for_when_the_files_become_visible(copier: Copier, monkeypatch: pytest.MonkeyPatch) -> None:
    copier.put("a", b"a")
    asked = claimed(copier)
    commit = duplication._commit

    def lose_the_right(*given: Any, **options: Any) -> None:
        roles.remove_member(collection_id=copier.access.collection_id, person_id=copier.person.pk)
        commit(*given, **options)

    monkeypatch.setattr(duplication, "_commit", lose_the_right)
    duplication._work(asked)
    asked.refresh_from_db()
    assert (asked.state, asked.copied, copier.copied()) == (State.FAILED, 0, {})
    assert swept_report().is_clean


def test_both_drives_may_be_renamed_meanwhile(copier: Copier) -> None:
    for name in "abcdefgh":
        copier.put(name, name.encode())
    asked = claimed(copier)
    duplication._work(asked, until=0)
    stores.rename_store(access=copier.access, kind="drive", name="files", new_name="renamed")
    stores.rename_store(access=copier.access, kind="drive", name="copy", new_name="other")
    stores.rename_store(access=copier.access, kind="drive", name="renamed", new_name="copy")
    assert (done(asked).state, len(copier.copied())) == (State.DONE, 8)
    assert described(asked.source_id) == described(asked.target_id)


def test_a_collection_is_deleted_meanwhile(copier: Copier) -> None:
    for name in "abcdefgh":
        copier.put(name, name.encode())
    asked = claimed(copier)
    duplication._work(asked, until=0)
    collection_deletion.delete_collection(
        collection_id=copier.access.collection_id, typed_name="Made by a test", asked_by=None
    )
    duplication.continue_duplications()
    assert not Duplication.objects.filter(pk=asked.pk).exists()
    assert FileToCopy.objects.filter(duplication_id=asked.pk).exists()
    duplication.forget_old()
    assert not FileToCopy.objects.filter(duplication_id=asked.pk).exists()


def test_what_is_not_begun(copier: Copier, monkeypatch: pytest.MonkeyPatch) -> None:
    copier.put("a", b"content")
    server, reader = copier.access, make_member(copier.access.collection_id, Role.READER)

    def ask(name: str, **given: Any) -> None:
        asked: dict[str, Any] = {"access": server, "drive": "files", "new_name": name} | given
        duplication.ask_for_duplication(**asked)

    with pytest.raises(AlreadyTaken, match="There is a Drive called “files” already"):
        ask("files")
    with pytest.raises(InvalidInput):
        ask("two words")
    with pytest.raises(DriveNotFound):
        ask("copy", drive="never")
    with pytest.raises(Forbidden):
        ask("copy", access=Access(server.collection_id, person_id=reader.pk))
    monkeypatch.setattr(limits, "DUPLICATIONS_WAITING_MAX", 0)
    with pytest.raises(InvalidInput, match="are being copied"):
        ask("copy")
    assert copier.drives() == ["files"]
    assert not Duplication.objects.filter(collection_id=server.collection_id).exists()


def test_a_drive_that_would_not_fit_is_not_begun(copier: Copier, monkeypatch: pytest.MonkeyPatch) -> None:
    copier.put("a", noise(1_000_000))
    copier.put("b", b"")
    needed = disk_space._needed_for_files(10**12)
    usage = SimpleNamespace(total=10**12, free=needed + 1_500_000)
    monkeypatch.setattr(disk_space, "_usage", lambda folder=None: usage)
    with transaction.atomic():
        assert copier.ask("fits").expected_bytes == 1_000_000
        # What is on its way already counts.
        with pytest.raises(DiskFull, match=r"It takes 2.0 MB, and there is space for 1.5 MB: free some space"):
            copier.ask()
        transaction.set_rollback(True)
    usage.free = needed + 999_999
    with pytest.raises(DiskFull, match=r"It takes 1.0 MB"):
        copier.ask()
    assert copier.drives() == ["files"]


def test_a_disk_that_fills_up_meanwhile_ends_it_in_words(
    copier: Copier, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcdefgh":
        copier.put(name, name.encode())
    asked = claimed(copier)
    commit = duplication._commit

    def fill_up(*given: Any, **options: Any) -> None:
        commit(*given, **options)
        settings.DISK_RESERVE_MB = 10**9

    monkeypatch.setattr(duplication, "_commit", fill_up)
    duplication._work(asked)
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == (State.FAILED, "Storage is full: free some space, then try again.")
    assert (asked.copied, len(copier.copied())) == (3, 3)


def test_old_copies_are_forgotten(copier: Copier) -> None:
    over = done(copier.ask())
    assert (over.state, over.copied) == (State.DONE, 0)
    duplication.forget_old()
    assert Duplication.objects.filter(pk=over.pk).exists()
    Duplication.objects.filter(pk=over.pk).update(finished_at=timezone.now() - timedelta(days=2))
    duplication.forget_old()
    assert not Duplication.objects.filter(pk=over.pk).exists()
