"""Saves of edits on the real database: outcomes, receipts, batches, who did it, and many at once."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from storage import exact_json, jobs, limits
from storage.base import bases, edits, items
from storage.base.merging import Add, Change, Delete, Edit
from storage.base.query import Predicate
from storage.base.updates import Operation
from storage.collections import collections, keys
from storage.collections.keys import read_key
from storage.errors import BaseNotFound, EngineUnreachable, InvalidInput, SaveReused
from storage.models import Item, SaveReceipt
from storage.postgres.caller import Access
from tests.people import make_member

DIGITS = {"big": "12345678901234567890", "fine": "0.1234567890123456789", "point": "1.0", "power": "1e21"}


@pytest.fixture
def access(database: None) -> Access:
    """Ada, in a collection of her own with the Base `b`."""
    collection_id = collections.create_collection("Made by a test").id
    access = Access(collection_id, person_id=make_member(collection_id, name="ada").pk)
    bases.ensure_base(collection_id=access.collection_id, name="b")
    return access


def put(access: Access, *documents: dict[str, Any]) -> list[int]:
    """Store items without anybody's edits; their revisions."""
    items.put_items(access=Access(access.collection_id), base="b", items=list(documents))
    states = edits.get_states(access=access, base="b", keys=[document["key"] for document in documents])
    return [states[document["key"]].revision for document in documents]


def save(access: Access, *changes: Change, save_id: uuid.UUID | None = None) -> list[edits.Result]:
    return edits.save_changes(access=access, base="b", save_id=save_id or uuid.uuid4(), changes=list(changes))


def stored(access: Access) -> dict[str, str]:
    """Every item's JSON, by key."""
    page = items.query_items(access=access, base="b", predicate=Predicate(), limit=1000)
    return {exact_json.parse(text.encode())["key"]: text for text in page.items}


def test_outcomes_one_by_one(access: Access) -> None:
    same, moved, clashing, gone_since, kept, dropped = put(access, *({"key": key, "a": 1, "b": 1} for key in "abcdef"))
    put(access, {"key": "b", "a": 1, "b": 2}, {"key": "c", "a": 5, "b": 1}, {"key": "e", "a": 9, "b": 1})
    items.delete_item(access=access, base="b", key="d")

    results = save(
        access,
        Edit("1", "a", same, {"a": "1"}, {"a": "2"}),
        Edit("2", "b", moved, {"a": "1"}, {"a": "2"}),
        Edit("3", "c", clashing, {"a": "1"}, {"a": "2"}),
        Edit("4", "d", gone_since, {"a": "1"}, {"a": "2"}),
        Delete("5", "e", kept),
        Delete("6", "f", dropped),
        Delete("7", "never", 1),
        Add("8", "a", {}),
        Add("9", "new/one", {"n": "1"}),
        Edit("10", "a", same, {}, {"a": "{"}),
        Add("11", "", {}),
    )

    outcomes = {result.id: result.outcome for result in results}
    assert outcomes == {
        "1": "saved",
        "2": "merged",
        "3": "clash",
        "4": "gone",
        "5": "clash",
        "6": "saved",
        "7": "saved",
        "8": "refused",
        "9": "saved",
        "10": "refused",
        "11": "refused",
    }
    assert results[2].theirs == {"a": "5"}
    assert results[7].why == "An item with the key “a” exists already"
    assert results[9].why.startswith("`a` is not JSON.")
    assert stored(access) == {
        "a": '{"key":"a","a": 2, "b": 1}',
        "b": '{"key":"b","a": 2, "b": 2}',
        "c": '{"key":"c","a": 5, "b": 1}',
        "e": '{"key":"e","a": 9, "b": 1}',
        "new/one": '{"key":"new/one","n": 1}',
    }
    states = edits.get_states(access=access, base="b", keys="ab")
    assert [states[key].revision for key in "ab"] == [result.revision for result in results[:2]]


def test_digits_survive_an_edit_beside_them(access: Access) -> None:
    [made] = save(access, Add("1", "k", DIGITS))
    before = edits.get_state(access=access, base="b", key="k").json
    assert made.revision is not None

    [edited] = save(access, Edit("1", "k", made.revision, {"x": None}, {"x": "7"}))

    after = edits.get_state(access=access, base="b", key="k").json
    assert edited.outcome == "saved"
    assert before == (
        '{"key":"k","big": 12345678901234567890, "fine": 0.1234567890123456789, "point": 1.0,'
        ' "power": 1000000000000000000000}'
    )
    assert exact_json.split(after) == exact_json.split(before) | {"x": "7"}


def test_expired_item_is_gone_and_its_key_is_free(access: Access) -> None:
    items.put_items(access=access, base="b", items=[{"key": "old", "__expires": 1}, {"key": "older", "__expires": 1}])

    results = save(access, Edit("1", "old", 1, {}, {"a": "1"}), Add("2", "older", {"a": "1"}))

    assert [result.outcome for result in results] == ["gone", "saved"]
    assert stored(access) == {"older": '{"key":"older","a": 1}'}


def test_changes_of_one_key_apply_in_their_order(access: Access) -> None:
    [revision] = put(access, {"key": "k", "a": 1})

    results = save(access, Delete("1", "k", revision), Add("2", "k", {"b": "2"}), Add("3", "k", {"c": "3"}))

    assert [result.outcome for result in results] == ["saved", "saved", "refused"]
    assert stored(access) == {"k": '{"key":"k","b": 2}'}


@pytest.mark.parametrize("rule", [{"__expires": '"soon"'}, {"a": '"' + "x" * limits.ITEM_MAX_BYTES + '"'}, {"": "1"}])
def test_result_that_breaks_a_rule_is_refused_and_the_others_are_saved(access: Access, rule: dict[str, str]) -> None:
    [revision] = put(access, {"key": "k", "a": 1})

    results = save(
        access, Edit("1", "k", revision, dict.fromkeys(rule), rule), Add("2", "n", rule), Add("3", "fine", {})
    )

    assert [result.outcome for result in results][1:] == ["refused", "saved"]
    assert stored(access)["k"] == '{"key":"k","a": 1}'


def test_same_save_again_applies_nothing_and_answers_the_same(access: Access) -> None:
    save_id, changes = uuid.uuid4(), [Add(str(n), None, {"n": str(n)}) for n in range(60)]

    first = save(access, *changes, save_id=save_id)
    again = save(access, *changes, save_id=save_id)

    assert again == first
    assert len({result.key for result in first}) == 60
    assert len(stored(access)) == 60
    assert SaveReceipt.objects.filter(save_id=save_id).count() == 3


def test_save_that_broke_off_goes_on_where_it_stopped(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    save_id, changes = uuid.uuid4(), [Add(str(n), None, {"n": str(n)}) for n in range(60)]
    apply, calls = edits._apply, []

    def break_off(*arguments: Any) -> tuple[list[edits.Result], int]:
        calls.append(arguments)
        results = apply(*arguments)
        if len(calls) == 2:
            raise EngineUnreachable()
        return results

    monkeypatch.setattr(edits, "_apply", break_off)
    with pytest.raises(EngineUnreachable):
        save(access, *changes, save_id=save_id)
    assert len(stored(access)) == 25

    results = save(access, *changes, save_id=save_id)

    assert len(stored(access)) == 60
    assert {result.key for result in results} == set(stored(access))
    assert len(calls) == 4


def test_save_id_belongs_to_its_changes_person_and_base(access: Access) -> None:
    save_id = uuid.uuid4()
    bases.ensure_base(collection_id=access.collection_id, name="other")
    save(access, Add("1", "k", {}), save_id=save_id)

    for who, base, change in (
        (access, "b", Add("1", "k2", {})),
        (Access(access.collection_id, person_id=make_member(access.collection_id).pk), "b", Add("1", "k", {})),
        (access, "other", Add("1", "k", {})),
    ):
        with pytest.raises(SaveReused):
            edits.save_changes(access=who, base=base, save_id=save_id, changes=[change])
    assert list(stored(access)) == ["k"]


def test_receipts_are_forgotten_after_a_day(access: Access) -> None:
    old, young = uuid.uuid4(), uuid.uuid4()
    save(access, Add("1", "k", {}), save_id=old)
    save(access, Add("1", "l", {}), save_id=young)
    SaveReceipt.objects.filter(save_id=old).update(made_at=F("made_at") - timedelta(days=1, seconds=1))

    jobs.forget_receipts(timestamp=0)

    assert not SaveReceipt.objects.filter(save_id=old).exists()
    assert SaveReceipt.objects.filter(save_id=young, made_at__lte=Now()).exists()


def test_too_many_changes_and_unknown_base_are_refused_whole(access: Access) -> None:
    with pytest.raises(InvalidInput):
        save(access, *[Add("1", None, {})] * (limits.CHANGES_PER_SAVE + 1))
    with pytest.raises(BaseNotFound):
        edits.save_changes(access=access, base="none", save_id=uuid.uuid4(), changes=[])
    assert save(access) == []


def test_every_write_says_who_it_was(access: Access) -> None:
    data_key, text = keys.create_key(collection_id=access.collection_id, name="web")
    by_key, by_server = read_key(text), Access(access.collection_id)

    def changer(key: str) -> tuple[int | None, int | None]:
        state = edits.get_state(access=access, base="b", key=key)
        return state.changed_by_key, state.changed_by_person

    def write_in_every_way(who: Access, key: str) -> list[tuple[int | None, int | None]]:
        found = []
        items.insert_item(access=who, base="b", item={"key": key})
        found.append(changer(key))
        items.put_items(access=who, base="b", items=[{"key": key, "a": 1}])
        found.append(changer(key))
        items.update_item(access=who, base="b", key=key, operations=(Operation("set", ("a",), 2),))
        return [*found, changer(key)]

    assert write_in_every_way(by_key, "1") == [(data_key.pk, None)] * 3
    assert write_in_every_way(access, "2") == [(None, access.person_id)] * 3
    assert write_in_every_way(by_server, "3") == [(None, None)] * 3
    # And each takes over from the one before.
    save(access, Edit("1", "1", 0, {"a": "2"}, {"a": "3"}))
    assert changer("1") == (None, access.person_id)
    items.put_items(access=by_key, base="b", items=[{"key": "2"}])
    assert changer("2") == (data_key.pk, None)


def test_clash_says_who_and_when(access: Access) -> None:
    [revision] = put(access, {"key": "k", "a": 1})
    data_key, text = keys.create_key(collection_id=access.collection_id, name="web")
    items.put_items(access=read_key(text), base="b", items=[{"key": "k", "a": 2}])

    [result] = save(access, Edit("1", "k", revision, {"a": "1"}, {"a": "3"}))

    changed = Item.objects.get(base_id=bases.find_base(collection_id=access.collection_id, name="b").pk, key="k")
    assert (result.outcome, result.theirs) == ("clash", {"a": "2"})
    assert (result.changed_by_key, result.changed_by_person) == (data_key.pk, None)
    assert result.changed_at == changed.changed_at
    named, _ = edits.name_changers(collection_id=access.collection_id, key_ids=[data_key.pk], person_ids=[])
    assert named == {data_key.pk: f"data key “web” ({data_key.secret_start}…{data_key.secret_end})"}


def in_threads(number: int, work: Callable[[int], Any]) -> list[Any]:
    """The results of `work`, started at one moment in so many threads; an exception counts as its result."""
    gate = threading.Barrier(number)
    results: list[Any] = [None] * number

    def run(index: int) -> None:
        from django.db import connection

        gate.wait()
        try:
            results[index] = work(index)
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_save_sent_by_eight_at_once_is_applied_once(access: Access) -> None:
    save_id, changes = uuid.uuid4(), [Add(str(n), None, {"n": str(n)}) for n in range(30)]

    results = in_threads(8, lambda _: save(access, *changes, save_id=save_id))

    assert all(result == results[0] for result in results), results
    assert len(stored(access)) == 30


def test_edits_of_one_attribute_at_once_let_one_through(access: Access) -> None:
    [revision] = put(access, {"key": "k", "a": 0})

    results = in_threads(8, lambda index: save(access, Edit("1", "k", revision, {"a": "0"}, {"a": str(index + 1)})))

    outcomes = sorted(result[0].outcome for result in results)
    assert outcomes == ["clash"] * 7 + ["saved"]


def test_edits_of_different_attributes_at_once_all_survive(access: Access) -> None:
    [revision] = put(access, {"key": "k"})

    results = in_threads(
        8, lambda index: save(access, Edit("1", "k", revision, {f"a{index}": None}, {f"a{index}": str(index)}))
    )

    assert {result[0].outcome for result in results} == {"saved", "merged"}
    assert exact_json.parse(stored(access)["k"].encode()) == {"key": "k"} | {f"a{n}": n for n in range(8)}


def test_saves_and_puts_of_the_same_keys_in_opposite_orders_all_end(access: Access) -> None:
    names = [f"k{n:02}" for n in range(25)]

    def work(index: int) -> Any:
        ordered = names if index % 2 else names[::-1]
        if index < 4:
            mixed = [
                Add(name, name, {}) if n % 2 else Edit(name, name, 1, {}, {"a": "1"}) for n, name in enumerate(ordered)
            ]
            return save(access, *mixed)
        items.put_items(access=access, base="b", items=[{"key": name} for name in ordered])
        return None

    for _ in range(5):
        put(access, *({"key": name} for name in names[::3]))
        results = in_threads(8, work)
        assert not [result for result in results if isinstance(result, Exception)]
        for name in names:
            items.delete_item(access=access, base="b", key=name)
