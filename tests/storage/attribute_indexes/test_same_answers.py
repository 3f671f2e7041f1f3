"""Answers are the same with and without indexes of attributes: random items, random queries, an index at every stage.

The bounds between the ways to find something are set so low that random queries on a few items take all of them.
"""

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.attribute_indexes import ready
from storage.attribute_indexes.sql import tending as tending_sql
from storage.base import finding, items
from storage.base.query import parse_query
from storage.collections import collections
from storage.models import AttributeIndex
from storage.postgres.caller import Access
from storage.postgres.database import run
from tests.attribute_indexes import find_faults
from tests.storage.base.documents import KEYS, NAMES, by_key, documents, equal, matches, queries

_numbers = itertools.count()
_PATHS = [*((name,) for name in NAMES), *(("é", name) for name in NAMES), ("n", "n"), ("none",)]


@pytest.fixture(autouse=True)
def low_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    few, more = {"max_bytes": 10_000, "max_rows": 4}, {"max_bytes": 10_000, "max_rows": 8}
    monkeypatch.setattr(finding, "_WAYS", (2, few, 4, more, 10_000))
    monkeypatch.setattr(finding, "_LONG_SCAN", more)
    finding._begin_at.clear()


def _found(access: Access, base: str, query: Any, **options: Any) -> list[dict[str, Any]]:
    """All pages of a query's answer, of which some may be empty."""
    found: list[dict[str, Any]] = []
    last = None
    while True:
        page = items.query_items(access=access, base=base, predicate=parse_query(query), last=last, **options)
        assert len(page.items) <= options["limit"]
        found += [json.loads(text, parse_float=Decimal) for text in page.items]
        if page.last is None:
            return found
        assert last is None or (page.last < last if options.get("descending") else page.last.encode() > last.encode())
        last = page.last


def _start(base_id: int, paths: list[tuple[str, ...]]) -> list[AttributeIndex]:
    """Indexes that are being built, and have nothing yet. Nobody writes to the Base who might not know of them."""
    building = AttributeIndex.State.BUILDING
    return [AttributeIndex.objects.create(base_id=base_id, path=list(path), state=building) for path in paths]


def _check(profile: settings) -> None:
    access = Access(collections.create_collection("Made by a test").id)

    @profile
    @given(
        stored=st.dictionaries(st.sampled_from(KEYS), documents, min_size=6),
        later=st.dictionaries(st.sampled_from(KEYS), documents, min_size=1, max_size=4),
        gone=st.sets(st.sampled_from(KEYS), max_size=3),
        asked=st.lists(queries(), min_size=8, max_size=14),
        paths=st.sets(st.sampled_from(_PATHS), min_size=4),
        limit=st.integers(1, 5),
    )
    def check(stored: dict[str, Any], later: Any, gone: set[str], asked: Any, paths: Any, limit: int) -> None:
        base = f"b{next(_numbers)}"
        model = {key: {**document, "key": key} for key, document in stored.items()}

        def put(changed: dict[str, Any]) -> None:
            items.put_items(access=access, base=base, items=list(changed.values()))

        def ask() -> None:
            ready.forget(base_id)
            for query in asked:
                expected = by_key(item for item in model.values() if matches(item, query))
                assert equal(_found(access, base, query, limit=1000), expected), query
                found = _found(access, base, query, limit=limit, descending=True)
                assert [item["key"] for item in found] == [item["key"] for item in reversed(expected)], query

        put(model)
        base_id = items.find_base_id(access, base)
        indexes = _start(base_id, sorted(paths))
        for index in indexes[::2]:
            run(tending_sql.build(index.pk, 3))
        # What is written now is in a part that is built already, or in one that is not.
        changed = {key: {**document, "key": key} for key, document in later.items()}
        put(changed)
        model |= changed
        for key in gone:
            items.delete_item(access=access, base=base, key=key)
            model.pop(key, None)
        ask()
        for index in indexes:
            while run(tending_sql.build(index.pk, 3)):
                pass
            assert find_faults(index) == []
        ask()
        put({key: item for key, item in changed.items() if key in model} | {"new": {"key": "new", "n": 1}})
        model["new"] = {"key": "new", "n": 1}
        ask()
        assert [find_faults(index) for index in indexes] == [[]] * len(indexes)

    check()


_QUICK = settings(
    max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_random_queries_have_the_same_answers_at_every_stage_of_an_index(database: None) -> None:
    _check(_QUICK)


@pytest.mark.slow
def test_many_random_queries_have_the_same_answers_at_every_stage_of_an_index(database: None) -> None:
    _check(settings(_QUICK, max_examples=120, derandomize=False, print_blob=True))
