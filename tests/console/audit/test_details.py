"""Entries of the audit log in words."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from console.audit.details import describe
from storage.audit.log import Entry, Verb


def entry(verb: str, *, actor: str = "person", name: str = "Ada", amount: int = 1, **details: Any) -> Entry:
    at = datetime(2026, 11, 28, tzinfo=UTC)
    return Entry(1, at, actor, None, name, "", verb, "", "", "x", amount, json.dumps(details))


@pytest.mark.parametrize(
    "given, more",
    [
        (entry(Verb.ROLE_CHANGED, role="owner", role_before="reader", person=5), "as Owner (before: Read-only)"),
        (entry(Verb.COLLECTION_RENAMED, name_before="Letters"), "before: Letters"),
        (
            entry(Verb.KEY_CHANGED, key=1, requests_per_second=5_000, requests_per_second_before=None),
            "5,000 requests a second (before: none)",
        ),
        (
            entry(Verb.KEY_CHANGED, bytes_per_day=None, bytes_per_day_before=1_000),
            "bytes per day: none (before: 1,000)",
        ),
        (entry(Verb.KEY_CREATED, rights="read", bases=["a", "b"], drives=[]), "to read, bases: a, b, drives: none"),
        (entry(Verb.ITEMS_DELETED, amount=1_200), "1,200 items"),
        (entry(Verb.FILES_DELETED, amount=1, size_bytes=5_000), "1 file, 5,000 bytes"),
        (entry(Verb.SIGN_IN_FAILED, amount=3, by="password"), "3 times, by: password"),
        (entry(Verb.ACCOUNT_CREATED, owns_server=True), "owns server"),
        (entry(Verb.SIGNED_IN), ""),
    ],
)
def test_details_are_words(given: Entry, more: str) -> None:
    assert describe(given).more == more


@pytest.mark.parametrize(
    "actor, name, who",
    [
        ("person", "Ada", "Ada"),
        ("command", "root", "command line (root)"),
        ("command", "", "command line"),
        ("nobody", "", "not signed in"),
        ("server", "", "the server"),
    ],
)
def test_who_it_was(actor: str, name: str, who: str) -> None:
    assert describe(entry(Verb.SIGNED_IN, actor=actor, name=name)).who == who


def test_verb_of_another_version_stands_for_itself() -> None:
    assert describe(entry("moon.land", amount=2)).what == "moon.land"
