"""Bases and Drives as wholes: another name, another collection, emptied, deleted, brought back; and who writes meanwhile."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from storage import disk_space
from storage.base import bases, edits, items
from storage.base.merging import Add
from storage.base.query import Predicate
from storage.collections import collections, deletion, keys, stores
from storage.collections.stores import Kind
from storage.drive import drives, files
from storage.errors import (
    AlreadyTaken,
    BaseNotFound,
    DeletionNotFound,
    DriveNotFound,
    Forbidden,
    InvalidInput,
    Unauthorized,
    UndoOver,
)
from storage.exact_json import parse
from storage.models import Base, DataKey, Deletion, Drive, Item, Membership, Role
from storage.postgres.caller import Access
from tests.people import make_member
from tests.storage.drive.test_files import Content
from tests.storage.rows import fill_base
from tests.waiting import eventually

KINDS: tuple[Kind, ...] = ("base", "drive")


@pytest.fixture
def access(database: None) -> Access:
    """Ada, in a collection of her own with the Base and the Drive `things`, one item and one file in them."""
    collection_id = collections.create_collection("Made by a test").id
    put(collection_id, "things", "a")
    files.put_file(access=Access(collection_id), drive="things", name="a", content=Content(b"bytes"))
    return Access(collection_id, person_id=make_member(collection_id, name="ada").pk)


def put(collection_id: str, base: str, *its_keys: str) -> None:
    items.put_items(access=Access(collection_id), base=base, items=[{"key": key} for key in its_keys])


def held(collection_id: str, kind: Kind, name: str) -> list[str]:
    """The keys or names in it."""
    server = Access(collection_id)
    if kind == "drive":
        return files.list_files(access=server, drive=name, limit=100).names
    page = items.query_items(access=server, base=name, predicate=Predicate(), limit=1_000)
    return [parse(text.encode())["key"] for text in page.items]


def work_off(**of: Any) -> None:
    """What the job does, once the server's own is not at it: until these deletions have no more to delete or move."""
    unended = Deletion.objects.filter(emptied_at=None, **of)

    def has_ended() -> bool:
        deletion.continue_deletions()
        return not unended.exists()

    eventually(has_ended, what="the deletion never ends")


def names_of(collection_id: str, kind: Kind) -> list[str]:
    model = Base if kind == "base" else Drive
    return list(model.objects.filter(collection_id=collection_id).order_by("name").values_list("name", flat=True))


@pytest.mark.parametrize("kind", KINDS)
def test_another_name_keeps_what_is_in_it(access: Access, kind: Kind) -> None:
    its: dict[str, Any] = {"access": access, "kind": kind}
    stores.rename_store(**its, name="things", new_name="others")
    assert names_of(access.collection_id, kind) == ["others"]
    assert held(access.collection_id, kind, "others") == ["a"]
    with pytest.raises((BaseNotFound, DriveNotFound)):
        stores.rename_store(**its, name="things", new_name="more")
    for wrong in ("", ".x", "a b", "x" * 300, "others"):
        with pytest.raises(InvalidInput):
            stores.rename_store(**its, name="others", new_name=wrong)
    bases.ensure_base(collection_id=access.collection_id, name="taken")
    drives.ensure_drive(collection_id=access.collection_id, name="taken")
    with pytest.raises(AlreadyTaken, match="“taken” already"):
        stores.rename_store(**its, name="others", new_name="taken")
    assert held(access.collection_id, kind, "others") == ["a"]


def test_a_data_key_that_may_use_it_alone_goes_on(access: Access) -> None:
    limited, text = keys.create_key(
        collection_id=access.collection_id, name="k", base_names=["things", "more"], drive_names=["things"]
    )
    stores.rename_store(access=access, kind="base", name="things", new_name="others")
    limited = DataKey.objects.get(pk=limited.pk)
    assert (limited.base_names, limited.drive_names) == (["others", "more"], ["things"])
    by_key = keys.read_key(text)
    assert items.get_item(access=by_key, base="others", key="a")
    with pytest.raises(Forbidden):
        items.put_items(access=by_key, base="things", items=[{"key": "b"}])


@pytest.mark.parametrize("kind", KINDS)
def test_it_moves_where_its_person_may_write(access: Access, kind: Kind) -> None:
    other = collections.create_collection("Another").id
    its: dict[str, Any] = {"access": access, "kind": kind, "name": "things"}
    with pytest.raises(Unauthorized):
        stores.move_store(**its, to_collection_id=other)
    assert access.person_id
    Membership.objects.create(collection_id=other, person_id=access.person_id, role=Role.READER)
    with pytest.raises(Forbidden):
        stores.move_store(**its, to_collection_id=other)
    assert held(access.collection_id, kind, "things") == ["a"]

    both = make_member(other)
    Membership.objects.create(collection_id=access.collection_id, person=both, role=Role.MEMBER)
    by_both = Access(access.collection_id, person_id=both.pk)
    stores.move_store(access=by_both, kind=kind, name="things", to_collection_id=other)
    assert (names_of(access.collection_id, kind), held(other, kind, "things")) == ([], ["a"])

    put(access.collection_id, "things", "b")
    files.put_file(access=Access(access.collection_id), drive="things", name="b", content=Content(b""))
    with pytest.raises(AlreadyTaken):
        stores.move_store(access=by_both, kind=kind, name="things", to_collection_id=other)
    assert held(access.collection_id, kind, "things") == ["b"]


@pytest.mark.parametrize("kind", KINDS)
def test_emptied_and_undone(access: Access, kind: Kind) -> None:
    found = stores.empty_store(access=access, kind=kind, name="things")
    assert (names_of(access.collection_id, kind), held(access.collection_id, kind, "things")) == (["things"], [])
    assert [each.pk for each in stores.list_set_aside(collection_id=access.collection_id, kind=kind)] == [found.pk]
    stores.rename_store(access=access, kind=kind, name="things", new_name="others")
    assert stores.bring_back(access=access, deletion_id=found.pk).name == "others"
    assert stores.bring_back(access=access, deletion_id=found.pk).name == "others"
    assert (names_of(access.collection_id, kind), held(access.collection_id, kind, "others")) == (["others"], ["a"])
    assert stores.list_set_aside(collection_id=access.collection_id, kind=kind) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act", ["empty", "delete"])
def test_what_was_written_since_stays_when_it_comes_back(access: Access, kind: Kind, act: str) -> None:
    if act == "empty":
        found = stores.empty_store(access=access, kind=kind, name="things")
    else:
        found = stores.delete_store(access=access, kind=kind, name="things", typed_name=" things ")
        assert names_of(access.collection_id, kind) == []
    put(access.collection_id, "things", "new")
    files.put_file(access=Access(access.collection_id), drive="things", name="new", content=Content(b""))
    assert stores.bring_back(access=access, deletion_id=found.pk).name == "things-2"
    assert held(access.collection_id, kind, "things") == ["new"]
    assert held(access.collection_id, kind, "things-2") == ["a"]


def test_deleting_wants_the_name_and_the_right(access: Access) -> None:
    with pytest.raises(InvalidInput):
        stores.delete_store(access=access, kind="base", name="things", typed_name="thing")
    reader = Access(access.collection_id, person_id=make_member(access.collection_id, Role.READER).pk)
    acts: list[Callable[[], Any]] = [
        lambda: stores.delete_store(access=reader, kind="base", name="things", typed_name="things"),
        lambda: stores.empty_store(access=reader, kind="base", name="things"),
        lambda: stores.rename_store(access=reader, kind="base", name="things", new_name="others"),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    assert held(access.collection_id, "base", "things") == ["a"]
    found = stores.empty_store(access=access, kind="base", name="things")
    with pytest.raises(Forbidden):
        stores.bring_back(access=reader, deletion_id=found.pk)
    with pytest.raises(DeletionNotFound):
        stores.bring_back(access=Access(collections.create_collection("Else").id), deletion_id=found.pk)


@pytest.mark.parametrize("kind", KINDS)
def test_after_its_time_it_is_removed_for_good(access: Access, kind: Kind) -> None:
    found = stores.delete_store(access=access, kind=kind, name="things", typed_name="things")
    deletion.continue_deletions()
    assert Item.objects.filter(base_id__in=found.base_ids).exists() == (kind == "base")
    Deletion.objects.filter(pk=found.pk).update(undo_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(UndoOver):
        stores.bring_back(access=access, deletion_id=found.pk)
    work_off(pk=found.pk)
    found.refresh_from_db()
    assert (found.undo_until, found.emptied_at is not None, found.rows_deleted) == (None, True, 1)
    with pytest.raises(UndoOver):
        stores.bring_back(access=access, deletion_id=found.pk)


def test_what_is_deleted_on_a_full_disk_cannot_come_back(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = stores.delete_store(access=access, kind="drive", name="things", typed_name="things")
    monkeypatch.setattr(disk_space, "is_short_for_files", lambda: True)
    found = stores.empty_store(access=access, kind="base", name="things")
    assert found.undo_until is None
    work_off(pk__in=[waiting.pk, found.pk])
    assert [Deletion.objects.get(pk=each.pk).rows_deleted for each in (waiting, found)] == [1, 1]


def test_a_write_that_found_the_base_empty_is_with_the_others_when_they_are_back(access: Access) -> None:
    found = stores.empty_store(access=access, kind="base", name="things")
    assert found.emptied_id is not None
    stores.bring_back(access=access, deletion_id=found.pk)
    # As a statement does that had looked up the Base before, and comes to write now.
    fill_base(found.emptied_id, [{"key": "late"}, {"key": "a", "newer": True}])
    work_off(collection_id=access.collection_id, kind=Deletion.Kind.LEFT_OVER)
    assert held(access.collection_id, "base", "things") == ["a", "late"]
    assert "newer" in items.get_item(access=access, base="things", key="a").json


def test_a_save_to_a_base_that_was_deleted_is_not_acknowledged(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = edits.find_base_id

    def delete_then(*given: Any) -> int:
        base_id = taken(*given)
        stores.delete_store(access=access, kind="base", name="things", typed_name="things")
        return base_id

    monkeypatch.setattr(edits, "find_base_id", delete_then)
    with pytest.raises(BaseNotFound):
        edits.save_changes(access=access, base="things", save_id=uuid.uuid4(), changes=[Add("1", "b", {})])


def test_a_file_for_a_drive_that_is_deleted_on_the_way_makes_it_anew(access: Access) -> None:
    class Slow(Content):
        def open(self) -> Any:
            stores.delete_store(access=access, kind="drive", name="things", typed_name="things")
            return super().open()

    files.put_file(access=Access(access.collection_id), drive="things", name="late", content=Slow(b"late"))
    assert held(access.collection_id, "drive", "things") == ["late"]


def test_an_app_that_writes_all_the_while_loses_nothing(access: Access) -> None:
    """Every acknowledged item is in one of the Bases, whatever was done to the one that it was written to."""
    collection_id, acknowledged, is_over = access.collection_id, ["a"], threading.Event()

    def write(writer: int) -> None:
        try:
            for number in range(1_000_000):
                if is_over.is_set():
                    return
                put(collection_id, "things", key := f"{writer}-{number}")
                acknowledged.append(key)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=[number]) for number in range(3)]
    for writer in writers:
        writer.start()
    try:
        for number in range(6):
            before = len(acknowledged)
            eventually(lambda seen=before: len(acknowledged) > seen + 3)  # type: ignore[misc]
            stores.rename_store(access=access, kind="base", name="things", new_name=f"renamed-{number}")
            eventually(lambda: "things" in names_of(collection_id, "base"))
            emptied = stores.empty_store(access=access, kind="base", name="things")
            stores.bring_back(access=access, deletion_id=emptied.pk)
            removed = stores.delete_store(access=access, kind="base", name="things", typed_name="things")
            stores.bring_back(access=access, deletion_id=removed.pk)
    finally:
        is_over.set()
        for writer in writers:
            writer.join()

    def missing() -> set[str]:
        its = Base.objects.filter(collection_id=collection_id).values_list("pk", flat=True)
        return set(acknowledged) - set(Item.objects.filter(base_id__in=list(its)).values_list("key", flat=True))

    # What found a Base as it was empty is moved to the others by the job.
    eventually(lambda: deletion.continue_deletions() or not missing(), what=missing)
