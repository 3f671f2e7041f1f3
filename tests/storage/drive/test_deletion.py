"""Deleting in the console: set aside, undone, or let go of in the end; and what else must know of it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from storage import limits
from storage.collections import deletion
from storage.drive import deletion as file_deletion
from storage.drive import files, folders, moves, reconcile
from storage.drive.deletion import Progress
from storage.drive.moves import Chosen
from storage.errors import DeletionNotFound, DriveNotFound, FileNotFound, Unauthorized, UndoOver
from storage.models import Blob, Collection, DeletedFile, File, FileDeletion, Folder
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.locks import only_worker
from storage.postgres.statements import Statement
from storage.s3 import blobs
from tests.drives import PART, noise
from tests.people import make_member
from tests.storage.drive.test_files import Content, in_bucket
from tests.storage.drive.test_moves import Desk
from tests.sweeping import once_alone, sweep_now, swept_report
from tests.waiting import MOMENT_SECONDS, eventually


class Bin(Desk):
    """A Drive whose files somebody deletes."""

    def __init__(self) -> None:
        super().__init__()
        self.person = make_member(self.access.collection_id)
        self.by_person = Access(self.access.collection_id, person_id=self.person.pk)

    def throw(self, *paths: str) -> Progress:
        chosen = moves.choose([p for p in paths if p[-1:] != "/"], [p for p in paths if p[-1:] == "/"])
        return file_deletion.delete(access=self.by_person, drive_id=self.id, chosen=chosen)

    def undo(self, progress: Progress) -> Progress:
        return file_deletion.undo(access=self.by_person, drive_id=self.id, deletion_id=progress.id)

    def look(self, progress: Progress) -> Progress:
        return file_deletion.find_deletion(drive_id=self.id, deletion_id=progress.id)

    def let_time_pass(self) -> None:
        """As if the time to undo had been over for a while."""
        long_ago = timezone.now() - timedelta(seconds=limits.UNDO_SECONDS + 120)
        FileDeletion.objects.filter(drive_id=self.id, ended_at__isnull=False).update(ended_at=long_ago)

    def work_off(self) -> None:
        """What the job does, once the server's own is not at it."""
        unended = FileDeletion.objects.filter(drive_id=self.id, ended_at=None, undone_at=None, forgotten_at=None)

        def has_ended() -> bool:
            file_deletion.continue_deletions()
            return not unended.exists()

        eventually(has_ended, what="the deletion never ends")


@pytest.fixture
def heap(database: None) -> Iterator[Bin]:
    made = Bin()
    yield made
    if Collection.objects.filter(id=made.access.collection_id).exists() and (names := made.names()):
        made.delete(*names)
    Folder.objects.filter(drive_id=made.id).delete()
    made.let_time_pass()
    made.work_off()


def states(blob_ids: set[UUID]) -> set[str]:
    return set(Blob.objects.filter(id__in=blob_ids).values_list("state", flat=True))


def test_deleted_files_come_back_as_they_were(heap: Bin) -> None:
    for name in ("a", "in/b", "in/deep/c", "stays"):
        heap.put(name, name.encode())
    heap.end(heap.upload("in/large", noise(PART), b"rest"), "in/large")
    before, held = heap.rows(), heap.blobs()

    gone = heap.throw("a", "in/")

    assert (gone.files, gone.done, gone.has_ended) == (4, 4, True)
    assert gone.size_bytes == len("ain/bin/deep/c") + PART + 4
    assert heap.names() == ["stays"]
    assert limits.UNDO_SECONDS - MOMENT_SECONDS < gone.undo_seconds <= limits.UNDO_SECONDS
    sweep_now()
    assert states(held) == {"live"}
    report = swept_report()
    assert not held & (set(report.unreferenced) | set(report.missing))

    back = heap.undo(gone)

    assert (back.is_undone, back.has_ended, back.done, back.renamed) == (True, True, 4, [])
    assert heap.rows() == before
    assert heap.read("in/large") == noise(PART) + b"rest"
    assert heap.undo(gone) == back, "undoing again changes nothing"
    assert not DeletedFile.objects.filter(deletion_id=gone.id).exists()


def test_a_name_that_was_taken_meanwhile_is_kept(heap: Bin) -> None:
    heap.put("a.txt", b"old")
    heap.put("a (2).txt", b"second")
    gone = heap.throw("a.txt", "a (2).txt")
    heap.put("a.txt", b"new")

    back = heap.undo(gone)

    assert back.renamed == ["a (3).txt"]
    assert heap.content() == {"a.txt": b"new", "a (2).txt": b"second", "a (3).txt": b"old"}


def test_when_the_time_is_over_the_bytes_go(heap: Bin) -> None:
    heap.put("a", b"content")
    held = heap.blobs()
    gone = heap.throw("a")
    heap.let_time_pass()
    with pytest.raises(UndoOver):
        heap.undo(gone)
    assert heap.look(gone).undo_seconds == 0

    for _ in range(50):
        file_deletion.continue_deletions()
        if FileDeletion.objects.get(pk=gone.id).forgotten_at:
            break

    assert states(held) == {"garbage"}
    sweep_now()
    assert in_bucket(held) == set()
    with pytest.raises(UndoOver):
        heap.undo(gone)
    FileDeletion.objects.filter(pk=gone.id).update(forgotten_at=timezone.now() - timedelta(days=2))
    file_deletion.forget_old()
    with pytest.raises(DeletionNotFound):
        heap.look(gone)


def test_a_large_deletion_goes_on_after_a_crash(heap: Bin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DELETE_AT_ONCE_FILES", 5)
    monkeypatch.setattr(limits, "DELETE_BATCH_ROWS", 4)
    for number in range(11):
        heap.put(f"many/{number:02}", b"x")
    # The server's own job must not be the one that does it.
    with _nobody_else():
        gone = heap.throw("many/")
        assert (gone.has_ended, gone.done, gone.files) == (False, 0, 11)
        with monkeypatch.context() as patch:
            patch.setattr("storage.postgres.database.run", _dies_after(2))
            with pytest.raises(KeyboardInterrupt):
                file_deletion._work_off(gone.id)
        halfway = heap.look(gone)
        assert halfway.done == 8
        assert len(heap.names()) == 3
        assert not halfway.has_ended
    heap.work_off()
    assert heap.look(gone).has_ended
    assert heap.look(gone).done == 11
    assert heap.names() == []


def test_undo_stops_a_deletion_that_is_under_way(heap: Bin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DELETE_AT_ONCE_FILES", 5)
    monkeypatch.setattr(limits, "DELETE_BATCH_ROWS", 4)
    for number in range(11):
        heap.put(f"many/{number:02}", b"x")
    before = heap.rows()
    with _nobody_else():
        gone = heap.throw("many/")
        file_deletion._next_batch(gone.id)
        assert len(heap.names()) == 7
        back = heap.undo(gone)
    assert (back.is_undone, back.done) == (True, 4)
    assert heap.rows() == before


def test_what_is_written_later_stays(heap: Bin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DELETE_AT_ONCE_FILES", 0)
    heap.put("in/old", b"1")
    heap.put("in/rewritten", b"1")
    with _nobody_else():
        gone = heap.throw("in/")
        heap.put("in/rewritten", b"2")
        heap.put("in/young", b"2")
        file_deletion._work_off(gone.id)
    assert heap.content() == {"in/rewritten": b"2", "in/young": b"2"}
    assert heap.look(gone).files == 1


def test_made_folders_go_and_come_back(heap: Bin) -> None:
    folders.make_folder(access=heap.by_person, drive_id=heap.id, path="a/empty/")
    heap.put("a/full/x", b"1")
    gone = heap.throw("a/empty/", "a/full/")
    assert heap.folders() == ["a/"], "the folder that was emptied stays"
    assert heap.folders("a/") == []
    heap.undo(gone)
    assert heap.folders("a/") == ["a/empty/", "a/full/"]


def test_a_write_that_began_before_and_ends_between_two_batches_stays(
    heap: Bin, monkeypatch: pytest.MonkeyPatch
) -> None:
    heap.put("f", b"old")
    with _write_begun(heap, "f", b"new") as end_write:
        _after_first_batch(monkeypatch, end_write)
        gone = heap.throw("f")

    assert (gone.has_ended, gone.done, gone.files) == (True, 1, 1)
    assert heap.content() == {"f": b"new"}
    assert heap.undo(gone).renamed == ["f (2)"]
    assert heap.content() == {"f": b"new", "f (2)": b"old"}
    assert states(heap.blobs()) == {"live"}


def test_a_write_that_began_before_and_ends_after_the_deletion_was_asked_for_stays(
    heap: Bin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DELETE_AT_ONCE_FILES", 0)
    heap.put("in/old", b"1")
    with _nobody_else():
        with _write_begun(heap, "in/new", b"2") as end_write:
            gone = heap.throw("in/")
            end_write()
        file_deletion._work_off(gone.id)
    assert heap.content() == {"in/new": b"2"}
    assert heap.look(gone).files == 1


@pytest.mark.parametrize("whole", ["in/f", "in/"])
def test_what_is_moved_under_a_name_that_is_gone_already_stays(
    heap: Bin, monkeypatch: pytest.MonkeyPatch, whole: str
) -> None:
    heap.put("in/f", b"1")
    heap.put("older", b"2")
    _after_first_batch(monkeypatch, lambda: heap.rename("older", "in/f"))
    gone = heap.throw(whole)
    assert (gone.has_ended, gone.done) == (True, 1)
    assert heap.content() == {"in/f": b"2"}
    assert heap.undo(gone).renamed == ["in/f (2)"]


def test_what_another_deletion_gives_back_stays(heap: Bin, monkeypatch: pytest.MonkeyPatch) -> None:
    heap.put("f", b"1")
    first = heap.throw("f")
    heap.put("f", b"2")
    _after_first_batch(monkeypatch, lambda: heap.undo(first))
    second = heap.throw("f")
    assert (second.has_ended, second.done) == (True, 1)
    assert heap.content() == {"f": b"1"}
    assert heap.undo(second).renamed == ["f (2)"]
    assert heap.content() == {"f": b"1", "f (2)": b"2"}


def test_a_drive_that_is_gone_has_nothing_to_delete(heap: Bin) -> None:
    with pytest.raises(DriveNotFound):
        file_deletion.delete(access=heap.by_person, drive_id=heap.id + 1_000_000, chosen=Chosen(["a"], []))


def test_a_writer_and_a_deletion_never_share_a_blob(heap: Bin) -> None:
    """A name is written again and again while it is deleted and brought back: what is set aside must stay whole."""
    before = swept_report()
    stop = threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                files.put_file(access=heap.access, drive=heap.drive, name="f", content=Content(str(number).encode()))
        except BaseException as error:
            failures.append(error)
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(25):
            heap.undo(heap.throw("f"))
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert failures == []
    held = heap.blobs()
    assert states(held) <= {"live"}
    for name in heap.names():
        assert heap.read(name).isdigit()
    after = swept_report()
    assert set(after.missing) <= set(before.missing)
    assert set(after.unreferenced) <= set(before.unreferenced)


def test_reconcile_gives_up_deleted_files_whose_bytes_are_gone(heap: Bin) -> None:
    heap.put("good", b"1")
    heap.put("bad", b"2")
    (bad,) = heap.rows()["bad"][0]
    gone = heap.throw("good", "bad")
    blobs.delete([bad])

    assert bad in once_alone(reconcile.compare).missing
    once_alone(reconcile.repair)
    assert bad not in once_alone(reconcile.compare).missing
    heap.undo(gone)
    assert heap.content() == {"good": b"1"}


def test_a_collection_takes_its_deleted_files_along(heap: Bin) -> None:
    heap.put("a", b"1")
    heap.put("b", b"2")
    held = heap.blobs()
    gone = heap.throw("a")
    name = "Made by a test"
    left = deletion.delete_collection(collection_id=heap.access.collection_id, typed_name=name, asked_by=heap.person)
    for _ in range(50):
        deletion.continue_deletions()
        left.refresh_from_db()
        if left.emptied_at:
            break
    assert states(held) == {"garbage"}
    assert not DeletedFile.objects.filter(deletion_id=gone.id).exists()
    with pytest.raises(Unauthorized):
        file_deletion.undo(access=heap.by_person, drive_id=heap.id, deletion_id=gone.id)
    assert not File.objects.filter(drive_id=heap.id).exists(), "nothing comes back to where nobody can see it"
    type(left).objects.filter(pk=left.pk).update(emptied_at="2020-01-01T00:00Z", finished_at=None)
    deletion.continue_deletions()
    assert not FileDeletion.objects.filter(drive_id=heap.id).exists()


def test_deletions_are_their_drives_own(heap: Bin) -> None:
    heap.put("a", b"1")
    gone = heap.throw("a")
    with pytest.raises(DeletionNotFound):
        file_deletion.find_deletion(drive_id=heap.id + 1_000_000, deletion_id=gone.id)
    with pytest.raises(DeletionNotFound):
        file_deletion.undo(access=heap.by_person, drive_id=heap.id + 1_000_000, deletion_id=gone.id)
    with pytest.raises(FileNotFound):
        heap.read("a")


@contextmanager
def _write_begun(heap: Bin, name: str, content: bytes) -> Iterator[Callable[[], None]]:
    """A write whose transaction has begun and waits; what is given lets it end."""
    begun, may_end = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def take_and_wait(stored: files.Stored) -> None:
        files_take(stored)
        begun.set()
        assert may_end.wait(60)

    def write() -> None:
        try:
            heap.put(name, content)
        except BaseException as error:
            failures.append(error)
            begun.set()
        connection.close()

    def end() -> None:
        may_end.set()
        writer.join()
        assert failures == []

    files_take = files.take
    writer = threading.Thread(target=write)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "take", take_and_wait)
        writer.start()
        assert begun.wait(60)
    try:
        yield end
    finally:
        end()


def _after_first_batch(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something done once, when a deletion's first batch has been committed and the second has not begun."""
    work = file_deletion._next_batch
    acts = [act]

    def work_and_act(deletion_id: int) -> bool:
        more = work(deletion_id)
        if acts:
            acts.pop()()
        return more

    monkeypatch.setattr(file_deletion, "_next_batch", work_and_act)


@contextmanager
def _nobody_else() -> Iterator[None]:
    """Hold the lock that the server's own job would need."""
    while True:
        with only_worker("file deletions") as is_ours:
            if is_ours:
                yield
                return
        time.sleep(0.05)


def _dies_after(batches: int) -> Callable[..., object]:
    done = 0

    def run_or_die(statement: Statement[Any]) -> object:
        nonlocal done
        if "INTO storage_deletedfile" in statement.text:
            done += 1
            if done > batches:
                raise KeyboardInterrupt
        return run(statement)

    return run_or_die
