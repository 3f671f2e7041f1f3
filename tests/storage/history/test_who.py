"""Every statement that writes items, found by its text, leaves a version that says who it was for."""

import ast
import re
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from storage.archive import sql as archive_sql
from storage.base import changes, edits, items
from storage.base.acts import Delete as DeleteAll
from storage.base.acts import Set
from storage.base.merging import Add, Delete
from storage.base.updates import parse_patch
from storage.collections import collections, deletion, keys, stores
from storage.collections.sql import stores as stores_sql
from storage.history.timelines import find_timeline
from storage.models import Deletion
from storage.postgres import clock
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.statements import Statement
from storage.sweeper import sweep_expired_items
from tests.people import make_member
from tests.serving import ROOT

_WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+storage_item\b")


class Row(NamedTuple):
    kind: str
    by_key: int | None
    by_person: int | None
    is_kept: bool


class World:
    """The Base `b` with the item `k`, written by the server; a data key and a person."""

    def __init__(self) -> None:
        self.collection_id = collections.create_collection("Made by a test").id
        issued = keys.create_key(collection_id=self.collection_id, name="bot")
        self.key, self.key_id = Access(self.collection_id, bytes(issued.data_key.digest)), issued.data_key.pk
        self.person_id = make_member(self.collection_id, name="ada").pk
        self.person = Access(self.collection_id, person_id=self.person_id)
        self.server = Access(self.collection_id)
        items.put_items(access=self.server, base="b", items=[{"key": "k", "n": 1}])
        base_id = find_timeline(self.server, "b").base_id
        assert base_id is not None
        self.base_id = base_id

    @property
    def callers(self) -> list[tuple[Access, int | None, int | None]]:
        return [(self.key, self.key_id, None), (self.person, None, self.person_id), (self.server, None, None)]

    def rows(self) -> list[Row]:
        """The versions of the Base's items, oldest first, but for the first."""
        text = """SELECT kind::text, by_key, by_person, before IS NOT NULL FROM storage_itemversion
            WHERE base_id = $1 ORDER BY id OFFSET 1"""
        return run(Statement(text, [self.base_id], Row))

    def revision(self) -> int:
        return items.get_item(access=self.server, base="b", key="k").revision

    def save(self, *its_changes: Any) -> None:
        edits.save_changes(access=self.person, base="b", save_id=uuid.uuid4(), changes=list(its_changes))


def put(world: World) -> list[Row]:
    expected = []
    for access, key_id, person_id in world.callers:
        items.put_items(access=access, base="b", items=[{"key": "k"}])
        items.insert_item(access=access, base="b", item={})
        expected += [Row("u", key_id, person_id, True), Row("c", key_id, person_id, False)]
    return expected


def replace(world: World) -> list[Row]:
    for access, _, _ in world.callers:
        items.update_item(access=access, base="b", key="k", operations=parse_patch({"increment": {"n": 1}}))
    return [Row("u", key_id, person_id, True) for _, key_id, person_id in world.callers]


def delete(world: World) -> list[Row]:
    expected = []
    for access, key_id, person_id in world.callers:
        items.delete_item(access=access, base="b", key="k")
        items.put_items(access=access, base="b", items=[{"key": "k"}])
        expected += [Row("d", key_id, person_id, True), Row("c", key_id, person_id, False)]
    return expected


def expire(world: World) -> list[Row]:
    items.put_items(access=world.person, base="b", items=[{"key": "k", "__expires": 1}])
    sweep_expired_items()
    return [Row("u", None, world.person_id, True), Row("e", None, None, True)]


def save(world: World) -> list[Row]:
    world.save(Add("1", "new", {"n": "1"}), Delete("2", "k", world.revision()))
    return [Row("d", None, world.person_id, True), Row("c", None, world.person_id, False)]


def change_many(world: World) -> list[Row]:
    for act in (Set("n", "2"), DeleteAll()):
        asked = changes.ask_for_change(access=world.person, base="b", act=act)
        changes.continue_changes()
        changes.ask_for_undo(access=world.person, change_id=asked.pk)
        changes.continue_changes()
    return [Row(kind, None, world.person_id, kind != "c") for kind in "uudc"]


def import_them(world: World) -> list[Row]:
    rows: list[Any] = [("k", '{"key":"k"}', 11, None), ("new", '{"key":"new"}', 13, None)]
    for way in ("merge", "update"):
        items.put_items(access=world.key, base="b", items=[{"key": "k"}])
        run(archive_sql.import_items(world.base_id, rows, since=None, way=way, person_id=world.person_id))
    by_key, by_person = Row("u", world.key_id, None, True), Row("u", None, world.person_id, True)
    return [by_key, Row("c", None, world.person_id, False), by_person, by_key, by_person, by_person]


def remove_older(world: World) -> list[Row]:
    before = clock.now()
    run(archive_sql.delete_older_items(world.base_id, before=before, last="", limit=10, person_id=world.person_id))
    return [Row("d", None, world.person_id, True)]


def remove_base(world: World) -> list[Row]:
    stores.delete_store(access=world.person, kind="base", name="b", typed_name="b")
    Deletion.objects.filter(collection_id=world.collection_id).update(undo_until=clock.now() - timedelta(seconds=1))
    deletion.continue_deletions()
    return [Row("d", None, world.person_id, True)]


def move(world: World) -> list[Row]:
    items.put_items(access=world.key, base="other", items=[{"key": "k"}, {"key": "more"}])
    other_id = find_timeline(world.server, "other").base_id
    assert other_id is not None
    run(stores_sql.move_items(other_id, world.base_id, 10))
    return [Row("c", world.key_id, None, False), Row("u", world.key_id, None, True)]


WRITERS: dict[str, Callable[[World], list[Row]]] = {
    "storage.base.sql.items._insert": put,
    "storage.base.sql.items.replace_item": replace,
    "storage.base.sql.items.delete_item": delete,
    "storage.base.sql.items.delete_expired": expire,
    "storage.base.sql.edits.store_items": save,
    "storage.base.sql.edits.delete_items": change_many,
    "storage.archive.sql.import_items": import_them,
    "storage.archive.sql.delete_older_items": remove_older,
    "storage.collections.sql.deletion.delete_items_of": remove_base,
    "storage.collections.sql.stores.move_items": move,
}


def test_every_statement_that_writes_items_is_here() -> None:
    found = set()
    for path in (ROOT / "storage").rglob("*.py"):
        if "migrations" in path.parts:
            continue
        text = path.read_text()
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef) and _WRITES.search(ast.get_source_segment(text, function) or ""):
                found.add(".".join(path.relative_to(ROOT).with_suffix("").parts) + "." + function.name)
    assert found == set(WRITERS)


@pytest.mark.parametrize("name", WRITERS)
def test_each_says_who_it_was_for(database: None, name: str) -> None:
    world = World()
    expected = WRITERS[name](world)
    assert Counter(world.rows()) == Counter(expected)
