"""Every writer of items against a model that remembers: each earlier moment, and each item's versions, are as it says."""

import itertools
import json
import threading
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from storage.archive import sql as archive_sql
from storage.base import changes, edits, items
from storage.base.acts import Act, Set
from storage.base.acts import Delete as DeleteAll
from storage.base.merging import Add, Delete
from storage.base.updates import parse_patch
from storage.collections import collections, keys, stores
from storage.errors import ItemNotFound, KeyExists
from storage.history.timelines import find_timeline
from storage.models import Deletion, Item, ItemChange
from storage.postgres import clock
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.statements import Statement
from storage.sweeper import sweep_expired_items
from tests.people import make_member
from tests.storage.base.documents import by_key, documents, equal
from tests.storage.history.reading import items_as_of, versions_of
from tests.waiting import eventually

KEYS = ["a", "b", "é/", "🙂"]
_keys = st.sampled_from(KEYS)
_numbers = itertools.count(1)

Document = dict[str, Any]


class Author(NamedTuple):
    access: Access
    key_id: int | None
    person_id: int | None


class Told(NamedTuple):
    kind: str
    before: Document | None
    after: Document | None
    by: tuple[int | None, int | None]


class HistoryMachine(RuleBasedStateMachine):
    """`model` is what the Base holds, None while there is no such Base. `seen` is what it held at each moment, `versions` what
    became of each key, and `aside` what was emptied or deleted last."""

    authors: ClassVar[list[Author]]

    def __init__(self) -> None:
        super().__init__()
        self.base = f"h{next(_numbers)}"
        self.person = self.authors[1]
        self.model: dict[str, Document] | None = None
        self.aside: tuple[Deletion, dict[str, Document]] | None = None
        self.versions: dict[str, list[Told]] = {key: [] for key in KEYS}
        self.seen: list[tuple[datetime, list[Document]]] = []
        self._note()

    @property
    def base_id(self) -> int:
        base_id = find_timeline(Access(self.person.access.collection_id), self.base).base_id
        assert base_id is not None
        return base_id

    def _note(self) -> None:
        self.seen.append((clock.now(), by_key((self.model or {}).values())))

    def _become(self, key: str, item: Document | None, author: Author | None) -> None:
        """What a change makes of an item; it is not noted where there is none before and after."""
        self.model = {} if self.model is None else self.model
        before = self.model.pop(key, None)
        by = (None, None) if author is None else (author.key_id, author.person_id)
        if before is not None or item is not None:
            kind = "d" if item is None else "c" if before is None else "u"
            self.versions[key].append(Told(kind, before, item, by))
        if item is not None:
            self.model[key] = item

    @rule(sent=st.dictionaries(_keys, documents, min_size=1), who=st.integers(0, 2))
    def put(self, sent: dict[str, Document], who: int) -> None:
        author = self.authors[who]
        written = [{**document, "key": key} for key, document in sent.items()]
        items.put_items(access=author.access, base=self.base, items=written)
        for item in written:
            self._become(item["key"], item, author)
        self._note()

    @rule(key=_keys, document=documents, who=st.integers(0, 2))
    def insert_or_patch(self, key: str, document: Document, who: int) -> None:
        author, item = self.authors[who], {**document, "key": key}
        try:
            items.insert_item(access=author.access, base=self.base, item=item)
        except KeyExists:
            patch = parse_patch({"set": {"patched": next(_numbers)}})
            stored = items.update_item(access=author.access, base=self.base, key=key, operations=patch)
            item = _parsed(stored.json)
        self._become(key, item, author)
        self._note()

    @rule(key=_keys, who=st.integers(0, 2))
    def delete(self, key: str, who: int) -> None:
        author = self.authors[who]
        items.delete_item(access=author.access, base=self.base, key=key)
        if self.model is not None:
            self._become(key, None, author)
        self._note()

    @rule(key=_keys)
    def put_an_expired_one(self, key: str) -> None:
        item = {"key": key, "__expires": 1}
        items.put_items(access=self.person.access, base=self.base, items=[item])
        self._become(key, item, self.person)
        self._note()
        self.seen[-1] = (self.seen[-1][0], [other for other in self.seen[-1][1] if other["key"] != key])
        here = Item.objects.filter(base_id=self.base_id, key=key)
        eventually(lambda: sweep_expired_items() or not here.exists())
        assert self.model is not None
        del self.model[key]
        self.versions[key].append(Told("e", item, None, (None, None)))
        self._note()

    @precondition(lambda self: self.model is not None)
    @rule(its_keys=st.sets(_keys, min_size=1))
    def save(self, its_keys: set[str]) -> None:
        wanted: list[Any] = []
        assert self.model is not None
        for key in its_keys:
            if key in self.model:
                revision = items.get_item(access=self.person.access, base=self.base, key=key).revision
                wanted.append(Delete(key, key, revision))
            else:
                wanted.append(Add(key, key, {"saved": "1"}))
        edits.save_changes(access=self.person.access, base=self.base, save_id=uuid.uuid4(), changes=wanted)
        for key in its_keys:
            self._become(key, None if key in self.model else {"key": key, "saved": 1}, self.person)
        self._note()

    @precondition(lambda self: self.model)
    @rule(deletes=st.booleans(), undoes=st.booleans())
    def change_many(self, deletes: bool, undoes: bool) -> None:
        assert self.model is not None
        before, number = dict(self.model), next(_numbers)
        act: Act = DeleteAll() if deletes else Set("m", str(number))
        change = changes.ask_for_change(access=self.person.access, base=self.base, act=act)
        self._work(change)
        for key, item in before.items():
            self._become(key, None if deletes else {**item, "m": number}, self.person)
        self._note()
        if undoes:
            changes.ask_for_undo(access=self.person.access, change_id=change.pk)
            self._work(change)
            for key, item in before.items():
                self._become(key, item, self.person)
            self._note()

    def _work(self, change: ItemChange) -> None:
        """The server's own worker may be at it just now."""
        over = ItemChange.objects.filter(pk=change.pk, state__in=[ItemChange.State.DONE, ItemChange.State.UNDONE])
        eventually(lambda: changes.continue_changes() or over.exists())

    @precondition(lambda self: self.model is not None)
    @rule(sent=st.dictionaries(_keys, documents, min_size=1), way=st.sampled_from(["merge", "update", "add"]))
    def import_them(self, sent: dict[str, Document], way: str) -> None:
        rows = [items.prepare_item({**document, "key": key}) for key, document in sent.items()]
        person_id = self.person.person_id
        run(archive_sql.import_items(self.base_id, list(rows), since=None, way=way, person_id=person_id))
        assert self.model is not None
        for key, document in sent.items():
            there = self.model.get(key)
            if there is not None and way == "add":
                continue
            merged = {**there, **document} if there is not None and way == "update" else {**document, "key": key}
            self._become(key, merged, self.person)
        self._note()

    @precondition(lambda self: self.model is not None)
    @rule(is_emptied=st.booleans())
    def set_aside(self, is_emptied: bool) -> None:
        assert self.model is not None
        asked: dict[str, Any] = {"access": self.person.access, "kind": "base", "name": self.base}
        held = dict(self.model)
        deletion = stores.empty_store(**asked) if is_emptied else stores.delete_store(**asked, typed_name=self.base)
        self.aside = deletion, held
        for key in held:
            self._become(key, None, self.person)
        self.model = {} if is_emptied else None
        self._note()

    @precondition(lambda self: self.aside is not None)
    @rule()
    def bring_back(self) -> None:
        assert self.aside is not None
        deletion, held = self.aside
        back = stores.bring_back(access=self.person.access, deletion_id=deletion.pk)
        if back.name == self.base:
            for key, item in held.items():
                self._become(key, item, self.person)
            self.model = self.model or {}
        self.aside = None
        self._note()

    def teardown(self) -> None:
        access = self.person.access
        for number, (moment, expected) in enumerate(self.seen):
            found = items_as_of(access, self.base, moment, limit=1 + number % 3, descending=bool(number % 2))
            assert equal(found, expected[::-1] if number % 2 else expected), number
        for key, expected_versions in self.versions.items():
            versions = versions_of(access, self.base, key, limit=3)
            assert all(version.is_kept for version in versions)
            told = [
                Told(version.kind, _parsed(version.before), _parsed(version.after), (version.by_key, version.by_person))
                for version in reversed(versions)
            ]
            assert [each[::3] for each in told] == [each[::3] for each in expected_versions], key
            assert equal([[*each[1:3]] for each in told], [[*each[1:3]] for each in expected_versions]), key


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text, parse_float=Decimal)


def _run(profile: settings) -> None:
    collection_id = collections.create_collection("Made by a test").id
    issued = keys.create_key(collection_id=collection_id, name="bot")
    person_id = make_member(collection_id, name="ada").pk
    HistoryMachine.authors = [
        Author(Access(collection_id, bytes(issued.data_key.digest)), issued.data_key.pk, None),
        Author(Access(collection_id, person_id=person_id), None, person_id),
        Author(Access(collection_id), None, None),
    ]
    run_state_machine_as_test(HistoryMachine, settings=profile)


_QUICK = settings(
    max_examples=8,
    stateful_step_count=15,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_history_is_what_the_model_remembers(database: None) -> None:
    _run(_QUICK)


@pytest.mark.slow
def test_history_is_what_the_model_remembers_for_long(database: None) -> None:
    _run(settings(_QUICK, max_examples=60, stateful_step_count=40, derandomize=False, print_blob=True))


class Row(NamedTuple):
    kind: str
    revision: int
    before: str | None
    before_revision: int | None


def test_versions_of_a_key_follow_each_other_whoever_writes_at_once(access: Access) -> None:
    """Each finds what the one before it made, and none is missing or doubled."""
    made: dict[int, Any] = {}

    def work(number: int) -> None:
        for step in range(25):
            key = KEYS[(number + step) % 2]
            try:
                if step % 5 == 4:
                    items.delete_item(access=access, base="b", key=key)
                elif step % 5 == 3:
                    patch = parse_patch({"set": {"patched": f"{number} {step}"}})
                    stored = items.update_item(access=access, base="b", key=key, operations=patch)
                    made[stored.revision] = key, _parsed(stored.json)
                else:
                    pair = [{"key": each, "n": f"{number} {step}"} for each in KEYS[:2]]
                    for item in items.put_items(access=access, base="b", items=pair).processed:
                        made[item.revision] = _parsed(item.json)["key"], _parsed(item.json)
            except ItemNotFound:
                pass
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    base_id = find_timeline(access, "b").base_id
    assert base_id is not None
    found = 0
    for key in KEYS[:2]:
        text = """SELECT kind::text, revision, before::text, before_revision FROM storage_itemversion
            WHERE base_id = $1 AND key = $2 ORDER BY id"""
        rows = run(Statement(text, [base_id, key], Row))
        for earlier, later in itertools.pairwise(rows):
            if earlier.kind == "d":
                assert (later.kind, later.before_revision) == ("c", None)
            else:
                assert later.before_revision == earlier.revision
                assert {**_parsed(later.before), "key": key} == made[earlier.revision][1]
        written = {row.revision for row in rows if row.kind != "d"}
        assert written == {revision for revision, (its_key, _) in made.items() if its_key == key}
        assert len(written) == sum(row.kind != "d" for row in rows)
        last = Item.objects.filter(base_id=base_id, key=key).values_list("revision", flat=True).first()
        assert last == (None if rows[-1].kind == "d" else rows[-1].revision)
        found += len(rows)
    assert found > len(made)
