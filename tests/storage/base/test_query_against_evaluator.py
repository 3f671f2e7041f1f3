"""The compiled SQL against a plain evaluator: random items, random queries, the real database."""

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.base import items
from storage.base.query import parse_query
from storage.collections import collections
from storage.postgres.caller import Access
from tests.storage.base.documents import KEYS, by_key, documents, equal, matches, queries

_numbers = itertools.count()


def _found(access: Access, base: str, query: Any, **options: Any) -> list[dict[str, Any]]:
    """All pages of a query's answer."""
    found: list[dict[str, Any]] = []
    last = None
    while True:
        page = items.query_items(access=access, base=base, predicate=parse_query(query), last=last, **options)
        assert len(page.items) <= options["limit"]
        found += [json.loads(text, parse_float=Decimal) for text in page.items]
        if page.last is None:
            return found
        assert page.items
        last = page.last


def _check(profile: settings) -> None:
    access = Access(collections.create_collection("Made by a test").id)

    @profile
    @given(
        stored=st.dictionaries(st.sampled_from(KEYS), documents, min_size=6),
        asked=st.lists(queries(), min_size=12, max_size=24),
        limit=st.integers(1, 5),
    )
    def check(stored: dict[str, Any], asked: list[Any], limit: int) -> None:
        base = f"b{next(_numbers)}"
        model = [{**document, "key": key} for key, document in stored.items()]
        items.put_items(access=access, base=base, items=model)
        for query in asked:
            expected = by_key(item for item in model if matches(item, query))
            assert equal(_found(access, base, query, limit=1000), expected), query
            found = _found(access, base, query, limit=limit, descending=True)
            assert [item["key"] for item in found] == [item["key"] for item in reversed(expected)], query

    check()


_QUICK = settings(max_examples=80, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def test_random_queries_match_as_the_contract_says(database: None) -> None:
    _check(_QUICK)


@pytest.mark.slow
def test_many_random_queries_match_as_the_contract_says(database: None) -> None:
    _check(settings(_QUICK, max_examples=300, derandomize=False, print_blob=True))
