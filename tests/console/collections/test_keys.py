"""Data keys: shown once, listed without their secret, revoked at once."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from storage.collections import keys
from storage.models import Base, DataKey, DataKeyAllowance
from tests.console.conftest import Browser
from tests.matching import search
from tests.people import Cast

KEY = {"name": "my app", "rights": "write", "scope": "all", "days": "0", "others": ""}


def make(client: Client, people: Cast, **more: object) -> Any:
    return client.post(f"/collections/{people.collection.id}/keys/new/", KEY | more)


def only_key(people: Cast) -> DataKey:
    return people.collection.data_keys.get()


def test_key_is_shown_once(people: Cast, browser: Browser) -> None:
    owner = browser(people.owner)
    answer = make(owner, people)
    text = search(rf"{people.collection.id}_\w{{32}}", answer.content.decode()).group()
    assert keys.read_key(text).key_digest == bytes(only_key(people).digest)
    assert f"DETA_PROJECT_KEY={text}" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    secret = text.split("_")[1]
    listed = owner.get(f"/collections/{people.collection.id}/keys/").content.decode()
    assert secret not in listed
    assert f"{secret[:4]}…{secret[-4:]}" in listed
    assert secret not in str(owner.session.items())


@pytest.mark.parametrize(
    "chosen, can_write, bases, drives",
    [
        ({}, True, None, None),
        ({"rights": "read"}, False, None, None),
        ({"scope": "chosen", "bases": ["notes"]}, True, ["notes"], []),
        (
            {"scope": "chosen", "bases": ["notes"], "others": "later, and-later"},
            True,
            ["and-later", "later", "notes"],
            [],
        ),
        ({"scope": "all", "bases": ["notes"]}, True, None, None),
    ],
)
def test_rights_are_those_chosen(
    people: Cast, browser: Browser, chosen: dict[str, object], can_write: bool, bases: object, drives: object
) -> None:
    Base.objects.create(collection=people.collection, name="notes")
    assert make(browser(people.owner), people, **chosen).status_code == 200
    made = only_key(people)
    assert (made.can_write, made.base_names, made.drive_names) == (can_write, bases, drives)


def test_expiry_is_counted_from_now(people: Cast, browser: Browser) -> None:
    make(browser(people.owner), people, days="7")
    expires_at = only_key(people).expires_at
    assert expires_at is not None
    left = expires_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 129},
        {"rights": "all"},
        {"scope": "chosen"},
        {"scope": "chosen", "others": "../x"},
        {"scope": "chosen", "bases": ["not-there"]},
        {"days": "5000"},
        {"days": "x"},
    ],
)
def test_unfit_key_is_not_made(people: Cast, browser: Browser, wrong: dict[str, object]) -> None:
    assert make(browser(people.owner), people, **wrong).status_code == 422
    assert not people.collection.data_keys.exists()


def test_hostile_name_is_text(people: Cast, browser: Browser) -> None:
    made = keys.create_key(collection_id=people.collection.id, name="<script>alert(1)</script>").data_key
    owner = browser(people.owner)
    for path in ("", f"{made.id}/revoke/"):
        text = owner.get(f"/collections/{people.collection.id}/keys/{path}").content.decode()
        assert "<script>alert" not in text
        assert "<script>alert(1)</script>" in html.unescape(text)


def test_revoking_asks_with_the_safe_button_focused(people: Cast, browser: Browser) -> None:
    made = keys.create_key(collection_id=people.collection.id, name="old").data_key
    path = f"/collections/{people.collection.id}/keys/{made.id}/revoke/"
    owner = browser(people.owner)
    assert re.search(r"<a[^>]*autofocus[^>]*>Cancel", owner.get(path).content.decode())
    made.refresh_from_db()
    assert made.revoked_at is None
    owner.post(path)
    made.refresh_from_db()
    assert made.revoked_at is not None
    assert "revoked" in owner.get(f"/collections/{people.collection.id}/keys/").content.decode()


def test_limits_are_set_with_the_key_and_changed_later(people: Cast, browser: Browser) -> None:
    owner = browser(people.owner)
    make(owner, people, requests_per_second="5", bytes_per_day="")
    made = only_key(people)
    assert (made.requests_per_second, made.bytes_per_day) == (5, None)
    path = f"/collections/{people.collection.id}/keys/"
    assert '<span class="chip">5 a second</span>' in owner.get(path).content.decode()

    assert 'value="5"' in owner.get(f"{path}{made.id}/limits/").content.decode()
    owner.post(f"{path}{made.id}/limits/", {"requests_per_second": "", "bytes_per_day": "3000000"})

    made.refresh_from_db()
    assert (made.requests_per_second, made.bytes_per_day) == (None, 3_000_000)
    assert '<span class="chip">0 B of 3.0 MB today</span>' in owner.get(path).content.decode()


@pytest.mark.parametrize("days_ago, shown", [(0, "1.2 MB of 3.0 MB"), (1, "0 B of 3.0 MB")])
def test_todays_use_is_shown(people: Cast, browser: Browser, days_ago: int, shown: str) -> None:
    made = keys.create_key(collection_id=people.collection.id, name="app", bytes_per_day=3_000_000).data_key
    now = timezone.now()
    day = (now - timedelta(days=days_ago)).date()
    DataKeyAllowance.objects.create(data_key=made, tokens=0, filled_at=now, granted=0, day=day, used_bytes=1_200_000)
    page = browser(people.member).get(f"/collections/{people.collection.id}/keys/").content.decode()
    assert shown in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"requests_per_second": "0"},
        {"requests_per_second": "100001"},
        {"requests_per_second": "1.5"},
        {"bytes_per_day": "-1"},
        {"bytes_per_day": "9" * 400},
    ],
)
def test_unfit_limits_are_refused(people: Cast, browser: Browser, wrong: dict[str, str]) -> None:
    owner = browser(people.owner)
    assert make(owner, people, **wrong).status_code == 422
    made = keys.create_key(collection_id=people.collection.id, name="app", requests_per_second=7).data_key
    assert owner.post(f"/collections/{people.collection.id}/keys/{made.id}/limits/", wrong).status_code == 422
    made.refresh_from_db()
    assert (made.requests_per_second, made.bytes_per_day) == (7, None)
