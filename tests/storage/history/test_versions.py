"""The versions of an item and the changes of a Base: what was before and after, in pages, over all ids of the Base."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from storage.base import edits, items
from storage.base.merging import Delete
from storage.base.updates import parse_patch
from storage.collections import deletion, keys, stores
from storage.errors import Forbidden, InvalidInput, Unauthorized
from storage.history import versions
from storage.history.timelines import find_timeline
from storage.history.versions import Conditions
from storage.models import Deletion
from storage.postgres import clock
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.statements import Statement
from storage.sweeper import sweep_expired_items
from tests.storage.history.reading import told, versions_of
from tests.storage.rows import fill_base


def put(access: Access, **attributes: Any) -> None:
    items.put_items(access=access, base="b", items=[{"key": "k", **attributes}])


def test_every_change_of_an_item_with_what_was_before_and_after(access: Access) -> None:
    put(access, n=1)
    patch = parse_patch({"increment": {"n": 1}})
    items.update_item(access=access, base="b", key="k", operations=patch)
    put(access, n=2, more="x")
    items.delete_item(access=access, base="b", key="k")
    put(access)
    expected = [
        ("c", None, {}),
        ("d", {"n": 2, "more": "x"}, None),
        ("u", {"n": 2}, {"n": 2, "more": "x"}),
        ("u", {"n": 1}, {"n": 2}),
        ("c", None, {"n": 1}),
    ]
    for limit in (1, 2, 5, 1_000):
        found = versions_of(access, "b", "k", limit=limit)
        assert [told(version) for version in found] == expected
    assert all(version.is_kept and version.by_person == access.person_id for version in found)
    assert [version.id for version in found] == sorted((version.id for version in found), reverse=True)
    stored = items.get_item(access=access, base="b", key="k")
    assert found[0].revision == stored.revision
    assert found[0].after == stored.json
    assert len({version.revision for version in found}) == 5


def test_an_item_that_had_expired_was_not_there_before(access: Access) -> None:
    put(access, n=1, __expires=1)
    put(access, n=2, __expires=1)
    sweep_expired_items()
    put(access, n=3)
    assert [told(version) for version in versions_of(access, "b", "k")] == [
        ("c", None, {"n": 3}),
        ("e", {"n": 2, "__expires": 1}, None),
        ("c", None, {"n": 2, "__expires": 1}),
        ("c", None, {"n": 1, "__expires": 1}),
    ]


def test_nothing_of_what_never_was(access: Access) -> None:
    assert versions_of(access, "b", "k") == []
    put(access)
    assert versions_of(access, "b", "another") == []
    assert versions.list_changes(access=access, base="another") == versions.Page([], None)
    with pytest.raises(InvalidInput):
        versions_of(access, "b", "")


def test_who_may_not_read_a_base_sees_nothing_of_its_history(access: Access) -> None:
    put(access)
    issued = keys.create_key(collection_id=access.collection_id, name="other", base_names=["other"], drive_names=[])
    for other, refusal in (
        (Access(access.collection_id, key_digest=bytes(issued.data_key.digest)), Forbidden),
        (Access(access.collection_id, key_digest=b"x" * 32), Unauthorized),
    ):
        with pytest.raises(refusal):
            versions.list_versions(access=other, base="b", key="k")
        with pytest.raises(refusal):
            versions.list_changes(access=other, base="b")


def test_a_page_is_cut_where_it_is_large(access: Access) -> None:
    for number in range(6):
        put(access, n=number, text="x" * 300_000)
    page = versions.list_versions(access=access, base="b", key="k")
    assert 1 <= len(page.versions) < 4
    assert page.last == page.versions[-1].id
    assert [told(version)[2]["n"] for version in versions_of(access, "b", "k")] == [5, 4, 3, 2, 1, 0]
    changes = versions.list_changes(access=access, base="b")
    assert changes.versions == page.versions


def test_what_happens_to_the_whole_base_is_in_the_history_of_each_item(access: Access) -> None:
    put(access, n=1)
    emptied = stores.empty_store(access=access, kind="base", name="b")
    put(access, n=2)
    items.delete_item(access=access, base="b", key="k")
    stores.bring_back(access=access, deletion_id=emptied.pk)
    put(access, n=3)
    stores.delete_store(access=access, kind="base", name="b", typed_name="b")
    Deletion.objects.filter(collection_id=access.collection_id).update(undo_until=clock.now() - timedelta(seconds=1))
    deletion.continue_deletions()
    expected = [
        ("d", {"n": 3}, None),
        ("u", {"n": 1}, {"n": 3}),
        ("c", None, {"n": 1}),
        ("d", {"n": 2}, None),
        ("c", None, {"n": 2}),
        ("d", {"n": 1}, None),
        ("c", None, {"n": 1}),
    ]
    for limit in (1, 2, 1_000):
        assert [told(version) for version in versions_of(access, "b", "k", limit=limit)] == expected
    put(access, n=4)
    found = versions_of(access, "b", "k")
    assert [told(version) for version in found] == [("c", None, {"n": 4}), *expected]
    assert [version.turns for version in found] == [False, True, False, True, False, False, True, False]
    assert {version.by_person for version in found} == {access.person_id}


def test_the_changes_of_a_base_by_who_made_them_when_and_of_what(access: Access) -> None:
    issued = keys.create_key(collection_id=access.collection_id, name="bot")
    bot = Access(access.collection_id, key_digest=bytes(issued.data_key.digest))
    items.put_items(access=bot, base="b", items=[{"key": key, "a": {"b": 1}, "n": 1} for key in "xyz"])
    between = clock.now()
    items.put_items(access=access, base="b", items=[{"key": "x", "a": {"b": 1}, "n": 2}, {"key": "y", "a": {}, "n": 1}])
    revision = items.get_item(access=access, base="b", key="z").revision
    edits.save_changes(access=access, base="b", save_id=uuid.uuid4(), changes=[Delete("1", "z", revision)])

    def found(limit: int = 1_000, **conditions: Any) -> list[tuple[str, str]]:
        seen, last = [], None
        while True:
            page = versions.list_changes(
                access=access, base="b", conditions=Conditions(**conditions), limit=limit, last=last
            )
            seen += [(version.key, version.kind) for version in page.versions]
            if page.last is None:
                return seen
            last = page.last

    first, later = [("z", "c"), ("y", "c"), ("x", "c")], [("z", "d"), ("y", "u"), ("x", "u")]
    for limit in (1, 2, 1_000):
        assert found(limit) == later + first
        assert found(limit, key_id=issued.data_key.pk) == first
        assert found(limit, person_id=access.person_id) == later
        assert found(limit, since=between) == later
        assert found(limit, until=between) == first
        assert found(limit, attribute=("a", "b")) == [("z", "d"), ("y", "u"), *first]
        assert found(limit, attribute=("n",), since=between) == [("z", "d"), ("x", "u")]


def test_a_look_for_changes_ends_and_says_where(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.limits.HISTORY_LOOK_MAX", 4)
    for number in range(10):
        put(access, n=number)
    page = versions.list_changes(access=access, base="b", conditions=Conditions(person_id=0))
    assert page.versions == []
    assert page.last is not None
    assert page.looked_until is not None
    looks = 1
    while page.last is not None:
        page = versions.list_changes(access=access, base="b", conditions=Conditions(person_id=0), last=page.last)
        looks += 1
    assert looks == 3


def test_a_statement_with_thousands_of_rows_gives_each_an_id_of_its_own(access: Access) -> None:
    put(access)
    base_id = find_timeline(access, "b").base_id
    assert base_id is not None
    fill_base(base_id, ({"key": f"{number:04}"} for number in range(5_000)))
    put(access)
    text = "SELECT count(*), count(DISTINCT id), max(id) FROM storage_itemversion WHERE base_id = $1"
    [(total, ids, highest)] = run(Statement(text, [base_id], tuple))
    assert total == ids == 5_002
    assert versions_of(access, "b", "k")[0].id == highest
