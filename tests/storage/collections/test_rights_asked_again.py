"""A right that is lost after the first question for it: the transaction that would make a write visible asks again."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from storage.archive.importing import imports
from storage.base import bases, edits, items
from storage.base.merging import Add
from storage.collections import collections, keys, roles
from storage.drive import deletion, drives, files, folders, moves, person_uploads, uploads
from storage.drive.moves import Chosen
from storage.errors import Forbidden, StorageError, Unauthorized
from storage.models import File, FileDeletion, Folder, Import, Item, Part, Role, Upload
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.statements import Statement
from tests.people import make_member
from tests.waiting import MOMENT_SECONDS, eventually

Lose = Callable[[], None]


class Losing:
    """Content on whose way in a right is lost."""

    content_type: str | None = None

    def __init__(self, lose: Lose) -> None:
        self._lose = lose

    def open(self) -> tuple[int, Iterator[bytes]]:
        self._lose()
        return 3, iter([b"new"])


class Kept:
    content_type: str | None = None

    def open(self) -> tuple[int, Iterator[bytes]]:
        return 3, iter([b"old"])


class Scene:
    """A collection with an item, a file, a member and a key."""

    def __init__(self) -> None:
        self.id = collections.create_collection("Made by a test").id
        self.server = Access(self.id)
        bases.ensure_base(collection_id=self.id, name="b")
        items.put_items(access=self.server, base="b", items=[{"key": "old"}])
        self.drive_id = drives.ensure_drive(collection_id=self.id, name="d")
        files.put_file(access=self.server, drive="d", name="old", content=Kept())
        self.person = make_member(self.id)
        self.member = Access(self.id, person_id=self.person.pk)
        made = keys.create_key(collection_id=self.id, name="k")
        self.key_id, self.key = made.data_key.pk, keys.read_key(made.text)

    def lower(self) -> None:
        roles.set_role(collection_id=self.id, person_id=self.person.pk, role=Role.READER)

    def remove(self) -> None:
        roles.remove_member(collection_id=self.id, person_id=self.person.pk)

    def close(self) -> None:
        User.objects.filter(pk=self.person.pk).update(is_active=False)

    def revoke(self) -> None:
        keys.revoke_key(collection_id=self.id, key_id=self.key_id)

    def state(self) -> list[object]:
        base_id = items.find_base_id(self.server, "b")
        return [
            sorted(Item.objects.filter(base_id=base_id).values_list("key", "revision")),
            sorted(File.objects.filter(drive_id=self.drive_id).values_list("name", "etag")),
            Folder.objects.filter(drive_id=self.drive_id).count(),
            FileDeletion.objects.filter(drive_id=self.drive_id, undo_asked_at=None).count(),
            Upload.objects.filter(collection_id=self.id, ended_at=None).count(),
            list(Import.objects.filter(collection_id=self.id).values_list("size_bytes", flat=True)),
        ]


@pytest.fixture
def scene(database: None) -> Scene:
    return Scene()


LOSSES: list[tuple[str, type[StorageError]]] = [
    ("lower", Forbidden),
    ("remove", Unauthorized),
    ("close", Unauthorized),
    ("revoke", Unauthorized),
]
OF_PEOPLE = LOSSES[:3]


@pytest.mark.parametrize("how, error", LOSSES)
@pytest.mark.parametrize("name", ["new", "old"])
def test_file_whose_bytes_outlive_the_right(scene: Scene, how: str, error: type[StorageError], name: str) -> None:
    access, before = (scene.key if how == "revoke" else scene.member), scene.state()
    with pytest.raises(error):
        files.put_file(access=access, drive="d", name=name, content=Losing(getattr(scene, how)))
    assert scene.state() == before


@pytest.mark.parametrize("how, error", LOSSES)
def test_part_whose_bytes_outlive_the_right(scene: Scene, how: str, error: type[StorageError]) -> None:
    access = scene.key if how == "revoke" else scene.member
    upload_id = uploads.start_upload(access=access, drive="d", name="f", content_type=None)
    content = Losing(getattr(scene, how))
    with pytest.raises(error):
        uploads.put_part(access=access, drive="d", upload_id=upload_id, name="f", number=1, content=content)
    assert not Part.objects.filter(upload_id=upload_id).exists()


@pytest.mark.parametrize("how, error", OF_PEOPLE)
def test_archive_whose_bytes_outlive_the_right(scene: Scene, how: str, error: type[StorageError]) -> None:
    """Begun by somebody else, whose imports go on."""
    started = imports.start_import(collection_id=scene.id, file_name="a", size_bytes=3, asked_by=None)
    before = scene.state()
    content = Losing(getattr(scene, how))
    with pytest.raises(error):
        imports.append_part(access=scene.member, import_id=started.pk, start=0, content=content)
    assert scene.state() == before


def _upload_to_end(scene: Scene) -> Callable[[], object]:
    started = person_uploads.start_upload(
        access=scene.member, drive="d", name="f", size_bytes=3, content_type=None, if_exists="fail", fingerprint=""
    )
    person_uploads.put_part(access=scene.member, drive="d", upload_id=started.id, number=1, content=Kept())
    return lambda: person_uploads.end_upload(access=scene.member, drive="d", upload_id=started.id)


def _upload_to_abort(scene: Scene) -> Callable[[], object]:
    """The API's own."""
    upload_id = uploads.start_upload(access=scene.member, drive="d", name="f", content_type=None)
    return lambda: uploads.abort_upload(access=scene.member, drive="d", upload_id=upload_id, name="f")


def _upload_of_a_person(scene: Scene, fingerprint: str = "print") -> person_uploads.Upload:
    return person_uploads.start_upload(
        access=scene.member,
        drive="d",
        name="f",
        size_bytes=3,
        content_type=None,
        if_exists="fail",
        fingerprint=fingerprint,
    )


def _upload_of_a_person_to_abort(scene: Scene) -> Callable[[], object]:
    started = _upload_of_a_person(scene)
    return lambda: person_uploads.abort_upload(access=scene.member, drive="d", upload_id=started.id)


def _upload_to_find_again(scene: Scene) -> Callable[[], object]:
    _upload_of_a_person(scene)
    return lambda: _upload_of_a_person(scene)


def _deletion_to_undo(scene: Scene) -> Callable[[], object]:
    gone = deletion.delete(access=scene.member, drive_id=scene.drive_id, chosen=Chosen(["old"], []))
    return lambda: deletion.undo(access=scene.member, drive_id=scene.drive_id, deletion_id=gone.id)


def _edit(scene: Scene) -> Callable[[], object]:
    save_id, changes = uuid.uuid4(), [Add("1", "new", {})]
    return lambda: edits.save_changes(access=scene.member, base="b", save_id=save_id, changes=list(changes))


# What is made ready while the person may, and is then done when they may not, without any gate before.
CALLS: dict[str, Callable[[Scene], Callable[[], object]]] = {
    "edits": _edit,
    "put": lambda scene: lambda: items.put_items(access=scene.member, base="b", items=[{"key": "new"}]),
    "update": lambda scene: lambda: items.update_item(access=scene.member, base="b", key="old", operations=()),
    "delete": lambda scene: lambda: items.delete_item(access=scene.member, base="b", key="old"),
    "folder": lambda scene: lambda: folders.make_folder(access=scene.member, drive_id=scene.drive_id, path="made/"),
    "rename": lambda scene: lambda: moves.rename(access=scene.member, drive_id=scene.drive_id, old="old", new="new"),
    "move": lambda scene: (
        lambda: moves.move(access=scene.member, drive_id=scene.drive_id, chosen=Chosen(["old"], []), to="in/")
    ),
    "deletion": lambda scene: (
        lambda: deletion.delete(access=scene.member, drive_id=scene.drive_id, chosen=Chosen(["old"], []))
    ),
    "undo": _deletion_to_undo,
    "end of an upload": _upload_to_end,
    "abort of an upload": _upload_to_abort,
    "abort of a person's upload": _upload_of_a_person_to_abort,
    "start of a person's upload": lambda scene: lambda: _upload_of_a_person(scene, fingerprint=""),
    "a person's upload found again": _upload_to_find_again,
    "files deleted": lambda scene: lambda: files.delete_files(access=scene.member, drive="d", names_given=["old"]),
}


@pytest.mark.parametrize("how, error", OF_PEOPLE)
@pytest.mark.parametrize("what", CALLS)
def test_nothing_is_written_without_the_right(scene: Scene, what: str, how: str, error: type[StorageError]) -> None:
    call = CALLS[what](scene)
    before = scene.state()
    getattr(scene, how)()
    with pytest.raises(error):
        call()
    assert scene.state() == before


def _waiting() -> int:
    return int(run(Statement("SELECT count(*)::int FROM pg_locks WHERE NOT granted", [], tuple))[0][0])


@pytest.mark.parametrize("what", ["update", "files deleted", "abort of an upload"])
def test_right_that_is_lost_while_a_lock_is_waited_for(scene: Scene, what: str) -> None:
    made_ready = CALLS[what](scene)

    def call() -> None:
        try:
            made_ready()
        finally:
            connection.close()

    before = scene.state()
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            base_id = bases.find_base(collection_id=scene.member.collection_id, name="b").pk
            Item.objects.select_for_update().get(base_id=base_id, key="old")
            File.objects.select_for_update().get(drive_id=scene.drive_id, name="old")
            list(Upload.objects.select_for_update().filter(collection_id=scene.id))
            already = _waiting()
            called = threads.submit(call)
            eventually(lambda: _waiting() > already or called.done())
            scene.lower()
        with pytest.raises(Forbidden):
            called.result(MOMENT_SECONDS)
    assert scene.state() == before
