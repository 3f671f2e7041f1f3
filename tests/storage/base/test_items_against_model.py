"""A Base held against a dictionary: random puts, inserts, gets, updates, deletes and queries, one after the other."""

import itertools
import json
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from storage.base import items
from storage.base.query import parse_query
from storage.base.updates import parse_patch
from storage.collections import collections
from storage.errors import InvalidInput, ItemNotFound, KeyExists
from storage.postgres.caller import Access
from tests.storage.base.documents import (
    KEYS,
    Refused,
    by_key,
    check_patch,
    documents,
    equal,
    matches,
    patched,
    patches,
    queries,
)

_FEW_KEYS = KEYS[:5]
_keys = st.sampled_from(_FEW_KEYS)
_EXPIRED, _FAR = 1, 4_102_444_800
_expiries = st.sampled_from([{}, {}, {}, {"__expires": _FAR}, {"__expires": _EXPIRED}])
_numbers = itertools.count()


def _parsed(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


class BaseMachine(RuleBasedStateMachine):
    """`model` is what the contract says the Base holds: items that have not expired, by key."""

    access: ClassVar[Access]

    def __init__(self) -> None:
        super().__init__()
        self.base = f"m{next(_numbers)}"
        self.model: dict[str, dict[str, Any]] = {}

    @initialize(documents=st.fixed_dictionaries(dict.fromkeys(_FEW_KEYS[:3], documents)))
    def fill(self, documents: dict[str, Any]) -> None:
        self.put({key: (document, {}) for key, document in documents.items()})

    def _remember(self, item: dict[str, Any]) -> None:
        if item.get("__expires") == _EXPIRED:
            self.model.pop(item["key"], None)
        else:
            self.model[item["key"]] = item

    @rule(documents=st.dictionaries(_keys, st.tuples(documents, _expiries), min_size=1, max_size=4))
    def put(self, documents: dict[str, Any]) -> None:
        sent = [{**document, **expiry, "key": key} for key, (document, expiry) in documents.items()]
        result = items.put_items(access=self.access, base=self.base, items=sent)
        assert equal([_parsed(stored.json) for stored in result.processed], sent)
        assert result.failed == []
        for item in sent:
            self._remember(item)

    @rule(key=_keys, document=documents)
    def put_of_a_bad_item_among_good_ones(self, key: str, document: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput):
            items.put_items(access=self.access, base=self.base, items=[{**document, "key": key}, {"key": 1}])

    @rule(key=_keys, document=documents, expiry=_expiries)
    def insert(self, key: str, document: dict[str, Any], expiry: dict[str, Any]) -> None:
        item = {**document, **expiry, "key": key}
        if key in self.model:
            with pytest.raises(KeyExists):
                items.insert_item(access=self.access, base=self.base, item=item)
        else:
            assert equal(_parsed(items.insert_item(access=self.access, base=self.base, item=item).json), item)
            self._remember(item)

    @rule(key=_keys)
    def get(self, key: str) -> None:
        if key in self.model:
            found = items.get_item(access=self.access, base=self.base, key=key)
            assert equal(_parsed(found.json), self.model[key])
        else:
            with pytest.raises(ItemNotFound):
                items.get_item(access=self.access, base=self.base, key=key)

    @rule(key=_keys)
    def delete(self, key: str) -> None:
        items.delete_item(access=self.access, base=self.base, key=key)
        self.model.pop(key, None)

    @rule(key=_keys, patches=st.lists(patches(), min_size=4, max_size=8))
    def update(self, key: str, patches: list[dict[str, Any]]) -> None:
        for patch in patches:
            self._try_to_update(key, patch)

    def _try_to_update(self, key: str, patch: dict[str, Any]) -> None:
        try:
            check_patch(patch)
            expected = patched(self.model[key], patch)
        except Refused:
            error: type[Exception] = InvalidInput
        except KeyError:
            error = ItemNotFound
        else:
            self._update(key, patch)
            self.model[key] = expected
            return
        with pytest.raises(error):
            self._update(key, patch)

    @rule(key=_keys, seconds=st.sampled_from([_EXPIRED, _FAR]))
    def renew_or_end(self, key: str, seconds: int) -> None:
        if key in self.model:
            self._update(key, {"set": {"__expires": seconds}})
            self._remember({**self.model[key], "__expires": seconds})

    def _update(self, key: str, patch: dict[str, Any]) -> None:
        items.update_item(access=self.access, base=self.base, key=key, operations=parse_patch(patch))

    @rule(query=queries(), limit=st.integers(1, 6), last=st.none() | _keys, descending=st.booleans())
    def query(self, query: list[Any], limit: int, last: str | None, descending: bool) -> None:
        expected = by_key(item for item in self.model.values() if matches(item, query))
        if descending:
            expected.reverse()
        if last is not None:
            place = last.encode()
            expected = [
                item
                for item in expected
                if (item["key"].encode() < place if descending else item["key"].encode() > place)
            ]
        page = items.query_items(
            access=self.access,
            base=self.base,
            predicate=parse_query(query),
            limit=limit,
            last=last,
            descending=descending,
        )
        assert equal([_parsed(text) for text in page.items], expected[:limit])
        assert page.last == (expected[limit - 1]["key"] if len(expected) > limit else None)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        page = items.query_items(access=self.access, base=self.base, predicate=parse_query([]), limit=1000)
        assert equal([_parsed(text) for text in page.items], by_key(self.model.values()))
        assert page.last is None


def _run(profile: settings) -> None:
    BaseMachine.access = Access(collections.create_collection("Made by a test").id)
    run_state_machine_as_test(BaseMachine, settings=profile)


_QUICK = settings(
    max_examples=50,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_a_base_behaves_as_a_dictionary(database: None) -> None:
    _run(_QUICK)


@pytest.mark.slow
def test_a_base_behaves_as_a_dictionary_for_long(database: None) -> None:
    _run(settings(_QUICK, max_examples=60, stateful_step_count=60, derandomize=False, print_blob=True))
