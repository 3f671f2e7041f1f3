"""Uploads from the console: resumed by what tells a file from others, of the size that was said, each a person's own."""

import threading

import pytest
from django.db import connection

from storage import limits
from storage.collections import collections
from storage.drive import files, person_uploads, uploads
from storage.drive.person_uploads import Upload as Started
from storage.errors import DriveNotFound, InvalidInput, NamesTaken, UploadMismatch, UploadNotFound
from storage.models import Blob, Membership, Role, Upload
from storage.postgres.caller import Access
from tests.drives import PART, noise
from tests.people import make_member
from tests.storage.drive.test_files import Content
from tests.storage.drive.test_moves import Desk, desk  # noqa: F401 (a fixture)


class Sender:
    """A person who uploads to a Drive."""

    def __init__(self, desk: Desk) -> None:  # noqa: F811
        self.desk = desk
        self.person = make_member(desk.access.collection_id)
        self.access = Access(desk.access.collection_id, person_id=self.person.pk)

    def start(
        self, name: str, size: int, *, if_exists: str = "fail", fingerprint: str = "", drive: str = ""
    ) -> Started:
        return person_uploads.start_upload(
            access=self.access,
            drive=drive or self.desk.drive,
            name=name,
            size_bytes=size,
            content_type="text/x-test",
            if_exists=if_exists,  # type: ignore[arg-type]
            fingerprint=fingerprint,
        )

    def part(self, upload_id: str, number: int, content: bytes) -> None:
        person_uploads.put_part(
            access=self.access, drive=self.desk.drive, upload_id=upload_id, number=number, content=Content(content)
        )

    def end(self, upload_id: str) -> str:
        return person_uploads.end_upload(access=self.access, drive=self.desk.drive, upload_id=upload_id)[0]

    def find(self, upload_id: str) -> Started:
        return person_uploads.find_upload(access=self.access, drive=self.desk.drive, upload_id=upload_id)


@pytest.fixture
def sender(desk: Desk) -> Sender:  # noqa: F811
    return Sender(desk)


def test_an_upload_from_start_to_end(sender: Sender) -> None:
    started = sender.start("in/f.bin", PART + 3)
    sender.part(started.id, 2, b"end")
    sender.part(started.id, 1, noise(PART))
    assert [(part.number, part.stored.size_bytes) for part in sender.find(started.id).parts] == [(1, PART), (2, 3)]
    assert sender.desk.names() == []
    assert sender.end(started.id) == "in/f.bin"
    assert sender.end(started.id) == "in/f.bin"
    assert sender.find(started.id).has_ended
    assert sender.desk.read("in/f.bin") == noise(PART) + b"end"


def test_an_empty_file_has_no_part(sender: Sender) -> None:
    sender.end(sender.start("empty", 0).id)
    assert sender.desk.read("empty") == b""


@pytest.mark.parametrize("sent", [b"", b"12", b"1234"])
def test_another_size_than_was_said_is_no_file(sender: Sender, sent: bytes) -> None:
    started = sender.start("f", 3)
    if sent:
        sender.part(started.id, 1, sent)
    with pytest.raises(UploadMismatch):
        sender.end(started.id)
    assert sender.desk.names() == []
    sender.part(started.id, 1, b"123")
    sender.end(started.id)
    assert sender.desk.read("f") == b"123"


def test_the_same_file_goes_on_where_it_was(sender: Sender) -> None:
    first = sender.start("f", PART + 1, fingerprint="f 1 today")
    sender.part(first.id, 1, noise(PART))
    again = sender.start("f", PART + 1, fingerprint="f 1 today")
    assert again.id == first.id
    assert [part.number for part in again.parts] == [1]
    for other in (
        sender.start("f", PART + 1, fingerprint="f 1 yesterday"),
        sender.start("f", PART + 2, fingerprint="f 1 today"),
        sender.start("g", PART + 1, fingerprint="f 1 today"),
        sender.start("f", PART + 1, fingerprint="f 1 today", if_exists="replace"),
        sender.start("f", PART + 1),
        Sender(sender.desk).start("f", PART + 1, fingerprint="f 1 today"),
    ):
        assert other.id != first.id
    sender.part(first.id, 2, b"x")
    sender.end(first.id)
    assert sender.start("f", PART + 1, fingerprint="f 1 today", if_exists="replace").id != first.id


def test_uploads_are_one_persons(sender: Sender) -> None:
    started = sender.start("f", 1)
    other = Sender(sender.desk)
    calls = [
        lambda who: who.part(started.id, 1, b"x"),
        lambda who: who.find(started.id),
        lambda who: who.end(started.id),
        lambda who: person_uploads.abort_upload(access=who.access, drive="files", upload_id=started.id),
    ]
    for call in calls:
        with pytest.raises(UploadNotFound):
            call(other)
    elsewhere = Sender(sender.desk)
    other_id = collections.create_collection("Made by a test").id
    Membership.objects.create(collection_id=other_id, person=sender.person, role=Role.OWNER)
    elsewhere.access = Access(other_id, person_id=sender.person.pk)
    with pytest.raises(UploadNotFound):
        elsewhere.find(started.id)
    # Nor can a data key of the collection use it, or a person the API's.
    with pytest.raises(UploadNotFound):
        uploads.abort_upload(access=sender.desk.access, drive="files", upload_id=started.id, name="f")
    by_key = sender.desk.upload("f")
    with pytest.raises(UploadNotFound):
        sender.find(by_key)


def test_names_that_are_taken(sender: Sender) -> None:
    sender.desk.put("f.txt", b"old")
    with pytest.raises(NamesTaken):
        sender.start("f.txt", 1)
    both = sender.start("f.txt", 1, if_exists="keep-both", fingerprint="x")
    assert both.name == "f (2).txt"
    assert sender.start("f.txt", 1, if_exists="keep-both", fingerprint="x").id == both.id
    sender.desk.put("f (2).txt", b"came between")
    sender.part(both.id, 1, b"n")
    assert sender.end(both.id) == "f (3).txt"
    assert sender.end(both.id) == "f (3).txt"
    replaced = sender.start("f.txt", 1, if_exists="replace")
    sender.part(replaced.id, 1, b"r")
    sender.end(replaced.id)
    assert sender.desk.content() == {"f.txt": b"r", "f (2).txt": b"came between", "f (3).txt": b"n"}


def test_a_name_taken_while_the_bytes_came_is_not_overwritten(sender: Sender) -> None:
    started = sender.start("f", 1)
    sender.part(started.id, 1, b"n")
    sender.desk.put("f", b"old")
    with pytest.raises(NamesTaken):
        sender.end(started.id)
    assert sender.desk.read("f") == b"old"
    assert not sender.find(started.id).has_ended


def test_many_at_once_all_keep_their_files(sender: Sender) -> None:
    ready = threading.Barrier(6)
    ends: list[str] = []

    def send(number: int) -> None:
        started = sender.start("f.txt", 1, if_exists="keep-both")
        sender.part(started.id, 1, str(number).encode())
        ready.wait()
        ends.append(sender.end(started.id))
        connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["f (2).txt", "f (3).txt", "f (4).txt", "f (5).txt", "f (6).txt", "f.txt"]
    assert sorted(sender.desk.content().values()) == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_what_was_sent_for_an_aborted_upload_is_garbage(sender: Sender) -> None:
    started = sender.start("f", 1)
    sender.part(started.id, 1, b"x")
    (blob_id,) = (part.stored.id for part in sender.find(started.id).parts)
    person_uploads.abort_upload(access=sender.access, drive="files", upload_id=started.id)
    assert Blob.objects.get(id=blob_id).state == "garbage"
    assert not Upload.objects.filter(id=started.id).exists()


def test_bad_starts_are_refused(sender: Sender) -> None:
    for name, size in (("", 1), ("a/", 1), ("a\x00", 1), ("a", -1), ("a", person_uploads.MAX_BYTES + 1)):
        with pytest.raises(InvalidInput):
            sender.start(name, size)
    with pytest.raises(DriveNotFound):
        sender.start("a", 1, drive="none")
    assert limits.PARTS_MAX * limits.FILE_BODY_MAX_BYTES == person_uploads.MAX_BYTES


def test_no_room_for_a_number_is_told(sender: Sender) -> None:
    name = "d/" * 510 + "a.b"
    sender.desk.put(name, b"old")
    with pytest.raises(InvalidInput):
        sender.start(name, 1, if_exists="keep-both")
    with pytest.raises(InvalidInput):
        files.put_file(access=sender.access, drive="files", name=name, content=Content(b"new"), if_exists="keep-both")
    assert sender.desk.content() == {name: b"old"}
