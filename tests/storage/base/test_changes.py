"""Many items changed at once on the real database: batches, what is left out, undo, killed workers, apps that write meanwhile."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from storage import limits
from storage.base import bases, changes, edits, items
from storage.base.acts import Act, Convert, Copy, Delete, Rename, Set, Unset
from storage.base.query import Predicate
from storage.base.updates import Operation
from storage.collections import collections, deletion, roles, stores
from storage.errors import BadQuery, BaseNotFound, Forbidden, InvalidInput, Unauthorized, UndoOver
from storage.exact_json import parse
from storage.models import Base, ChangedItem, ItemChange, Role
from storage.postgres.caller import Access
from tests.people import make_member
from tests.storage.rows import fill_base
from tests.waiting import eventually

State = ItemChange.State


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHANGE_BATCH_ITEMS", 10)


@pytest.fixture
def access(database: None) -> Access:
    """Ada, in a collection of her own with the Base `b`, which has 25 items."""
    collection_id = collections.create_collection("Made by a test").id
    bases.ensure_base(collection_id=collection_id, name="b")
    fill_base(base_id(collection_id), [{"key": f"k{n:02}", "n": n, "even": n % 2 == 0, "a": "1"} for n in range(25)])
    return Access(collection_id, person_id=make_member(collection_id, name="ada").pk)


def base_id(collection_id: str, name: str = "b") -> int:
    return int(Base.objects.get(collection_id=collection_id, name=name).pk)


def stored(access: Access, base: str = "b") -> dict[str, dict[str, Any]]:
    page = items.query_items(access=Access(access.collection_id), base=base, predicate=Predicate(), limit=1_000)
    return {item.pop("key"): item for item in (parse(text.encode()) for text in page.items)}


def ask(access: Access, act: Act, **which: Any) -> ItemChange:
    return changes.ask_for_change(access=access, base="b", act=act, **which)


def done(change: ItemChange) -> ItemChange:
    """When it has come to its end, whoever works on it."""

    def is_over() -> ItemChange | None:
        found = changes.work_a_while(change_id=change.pk, seconds=1_000)
        return found if found.finished_at else None

    over = eventually(is_over)
    assert over
    return over


def undone(access: Access, change: ItemChange) -> ItemChange:
    changes.ask_for_undo(access=access, change_id=change.pk)
    return done(change)


def test_all_that_match_are_changed_and_everything_comes_back(access: Access) -> None:
    before = stored(access)
    asked = ask(access, Set("city", '"Paris"'), query='{"even": true}')
    assert asked.expected == 13
    change = done(asked)
    assert (change.state, change.seen, change.changed, change.refused) == (State.DONE, 13, 13, 0)
    assert {key for key, item in stored(access).items() if item.get("city") == "Paris"} == {
        key for key, item in before.items() if item["even"]
    }
    state = edits.get_state(access=access, base="b", key="k00")
    assert (state.changed_by_key, state.changed_by_person) == (None, access.person_id)
    back = undone(access, change)
    assert (back.state, back.restored, back.kept) == (State.UNDONE, 13, 0)
    assert stored(access) == before
    assert not ChangedItem.objects.filter(change_id=change.pk).exists()


ACTS: list[tuple[Act, Callable[[dict[str, Any]], dict[str, Any]]]] = [
    (Unset("a"), lambda item: {name: value for name, value in item.items() if name != "a"}),
    (Rename("a", "z"), lambda item: {("z" if name == "a" else name): value for name, value in item.items()}),
    (Convert("a", "number"), lambda item: item | {"a": 1}),
]


@pytest.mark.parametrize("act, expected", ACTS, ids=[act.kind for act, _ in ACTS])
def test_a_selection_is_changed(access: Access, act: Act, expected: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    before = stored(access)
    keys = [f"k{number:02}" for number in range(3, 17)]
    change = done(ask(access, act, keys=[*keys, "never"]))
    assert (change.expected, change.seen, change.changed) == (14, 14, 14)
    assert stored(access) == {key: expected(item) if key in keys else item for key, item in before.items()}
    undone(access, change)
    assert stored(access) == before


def test_deleting_comes_back_where_nobody_has_written_since(access: Access) -> None:
    before = stored(access)
    change = done(ask(access, Delete()))
    assert (stored(access), change.changed) == ({}, 25)
    items.put_items(access=Access(access.collection_id), base="b", items=[{"key": "k03", "new": True}])
    back = undone(access, change)
    assert (back.restored, back.kept) == (24, 1)
    assert stored(access) == before | {"k03": {"new": True}}


@pytest.mark.parametrize("replaces", [False, True])
def test_items_are_copied_into_another_base(access: Access, replaces: bool) -> None:
    items.put_items(access=Access(access.collection_id), base="other", items=[{"key": "k03", "there": True}])
    change = done(ask(access, Copy("other", replaces), query='{"n?lt": 12}'))
    assert (change.seen, change.changed, change.refused) == (12, 12 if replaces else 11, 0 if replaces else 1)
    assert len(stored(access, "other")) == 12
    assert ("there" in stored(access, "other")["k03"]) is not replaces
    assert len(stored(access)) == 25
    items.put_items(access=Access(access.collection_id), base="other", items=[{"key": "k05", "since": True}])
    undone(access, change)
    assert stored(access, "other") == {"k03": {"there": True}, "k05": {"since": True}}


def test_what_cannot_be_changed_is_left_as_it_is_and_told(access: Access) -> None:
    server = Access(access.collection_id)
    items.put_items(
        access=server, base="b", items=[{"key": "k01", "a": "one"}, {"key": "k20", "a": [1]}, {"key": "k21", "a": None}]
    )
    before = stored(access)
    change = done(ask(access, Convert("a", "number")))
    assert (change.seen, change.changed, change.refused) == (25, 22, 2)
    assert change.problems == ["k01: “one” is no number", "k20: “[1]” is no number"]
    after = stored(access)
    assert [after[key] for key in ("k01", "k20", "k21")] == [before[key] for key in ("k01", "k20", "k21")]
    large = "x" * (limits.ITEM_MAX_BYTES - 30)
    too_large = done(ask(access, Set("text", f'"{large}"')))
    assert (too_large.changed, too_large.refused) == (0, 25)
    assert "larger than" in too_large.problems[0]


def test_words_and_queries_are_what_they_are_in_the_bar(access: Access) -> None:
    with pytest.raises(BadQuery):
        ask(access, Delete(), query='{"a?gtt": 1}')
    with pytest.raises(InvalidInput):
        ask(access, Delete(), query="{a: 1}")
    for keys in ([], [""], ["x"] * (limits.CHANGE_KEYS_MAX + 1)):
        with pytest.raises(InvalidInput):
            ask(access, Delete(), keys=keys)
    with pytest.raises(InvalidInput, match="Base they are in"):
        ask(access, Copy("b"))
    assert done(ask(access, Delete(), query="k07")).changed == 1
    assert len(stored(access)) == 24
    count = changes.count_meant(access=access, base="b", query='{"key?pfx": "k0"}', keys=None)
    assert count.matched == 9


def test_a_change_goes_on_behind_the_last_batch_of_a_killed_worker(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = ask(access, Set("x", "1"))
    applied = changes._apply
    calls: list[list[str]] = []

    def die_at_the_second(*given: Any) -> changes.Done:
        calls.append(given[2])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return applied(*given)

    monkeypatch.setattr(changes, "_apply", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        changes.work_a_while(change_id=change.pk, seconds=1_000)
    assert changes.work_a_while(change_id=change.pk, seconds=1_000).state == State.RUNNING
    ItemChange.objects.filter(pk=change.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    assert done(change).changed == 25
    assert all(item["x"] == 1 for item in stored(access).values())
    assert calls[1] == calls[2]


def test_it_ends_with_the_right_of_whoever_asked(access: Access) -> None:
    person = make_member(access.collection_id, Role.MEMBER)
    change = ask(Access(access.collection_id, person_id=person.pk), Set("x", "1"))
    roles.set_role(collection_id=access.collection_id, person_id=person.pk, role=Role.READER)
    failed = done(change)
    assert (failed.state, failed.changed) == (State.FAILED, 0)
    assert "may no longer write" in failed.reason
    reader = Access(access.collection_id, person_id=person.pk)
    with pytest.raises(Forbidden):
        ask(reader, Set("x", "1"))
    with pytest.raises(Forbidden):
        changes.ask_for_undo(access=reader, change_id=change.pk)
    with pytest.raises(Unauthorized):
        ask(Access(access.collection_id, person_id=make_member(collections.create_collection("x").id).pk), Delete())
    assert all("x" not in item for item in stored(access).values())


def test_it_follows_its_base_to_another_name_and_ends_with_it(access: Access) -> None:
    change = ask(access, Set("x", "1"))
    stores.rename_store(access=access, kind="base", name="b", new_name="c")
    assert done(change).changed == 25
    assert all(item["x"] == 1 for item in stored(access, "c").values())
    late = changes.ask_for_change(access=access, base="c", act=Set("x", "2"))
    stores.delete_store(access=access, kind="base", name="c", typed_name="c")
    failed = done(late)
    assert (failed.state, failed.reason) == (State.FAILED, "The Base was deleted, emptied or moved meanwhile.")
    with pytest.raises(BaseNotFound):
        ask(access, Delete())


def test_after_a_day_it_cannot_be_undone(access: Access) -> None:
    change = done(ask(access, Set("x", "1")))
    changes.forget_old()
    assert ChangedItem.objects.filter(change_id=change.pk).count() == 25
    ItemChange.objects.filter(pk=change.pk).update(undo_until=timezone.now() - timedelta(seconds=1))
    changes.forget_old()
    assert not ChangedItem.objects.filter(change_id=change.pk).exists()
    with pytest.raises(UndoOver):
        changes.ask_for_undo(access=access, change_id=change.pk)
    ItemChange.objects.filter(pk=change.pk).update(finished_at=timezone.now() - timedelta(days=3))
    changes.forget_old()
    assert not ItemChange.objects.filter(pk=change.pk).exists()


def test_waiting_changes_are_bounded_and_go_with_their_collection(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CHANGES_WAITING_MAX", 0)
    with pytest.raises(InvalidInput, match="waiting"):
        ask(access, Delete())
    monkeypatch.undo()
    asked = ask(access, Set("x", "1"))
    deletion.delete_collection(collection_id=access.collection_id, typed_name="Made by a test", asked_by=None)
    assert not ItemChange.objects.filter(pk=asked.pk).exists()


def test_an_app_that_counts_all_the_while_loses_no_step(access: Access) -> None:
    """Increments and a change of the same items take turns: each is there in the end, and so is the change."""
    counted = [0] * 5

    def count(number: int) -> None:
        try:
            while not is_over.is_set():
                items.update_item(
                    access=Access(access.collection_id),
                    base="b",
                    key=f"k{number:02}",
                    operations=(Operation("increment", ("n",), 1),),
                )
                counted[number] += 1
        finally:
            connection.close()

    is_over = threading.Event()
    counters = [threading.Thread(target=count, args=[number]) for number in range(5)]
    for counter in counters:
        counter.start()
    try:
        for turn in range(4):
            eventually(lambda least=turn * 3: min(counted) > least)  # type: ignore[misc]
            assert done(ask(access, Set(f"turn{turn}", "true"))).changed == 25
    finally:
        is_over.set()
        for counter in counters:
            counter.join()
    after = stored(access)
    assert [after[f"k{number:02}"]["n"] - number for number in range(5)] == counted
    assert all(item[f"turn{turn}"] for item in after.values() for turn in range(4))
