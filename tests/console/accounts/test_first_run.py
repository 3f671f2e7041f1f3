"""The first person's one-time link."""

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client

from console.accounts import first_run
from tests.people import PASSWORD

NEW = {"username": "Ada", "password1": PASSWORD}


@pytest.fixture
def link(undone: None) -> str:
    """The link's path, on a server that nobody has an account on."""
    User.objects.all().delete()
    return "/" + first_run.sign_in_url().split("/", 3)[3]


def test_link_makes_the_owner_and_signs_in(link: str) -> None:
    client = Client()
    assert client.get(link).status_code == 200
    assert client.post(link, NEW)["Location"] == "/"
    assert User.objects.get().is_superuser
    assert client.get("/people/").status_code == 200


def test_link_is_good_once(link: str) -> None:
    Client().post(link, NEW)
    assert Client().get(link).status_code == 410
    assert Client().post(link, NEW | {"username": "Eve"}).status_code == 410
    assert User.objects.count() == 1


def test_link_expires(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_run, "LINK_MAX_AGE_SECONDS", -1)
    assert Client().post(link, NEW).status_code == 410
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "token",
    ["x", signing.dumps("welcome", salt="another"), signing.dumps("welcome", key="another")],
    ids=["no token", "for something else", "by another key"],
)
def test_forged_link_lets_nobody_in(link: str, token: str) -> None:
    assert Client().post(f"/welcome/{token}/", NEW).status_code == 410
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "name, password, faults",
    [
        ("no name", "short", ["Enter a valid username", "This password is too short"]),
        ("", "", ["This field is required", "This field is required"]),
        ("ada lovelace", "ada lovelace", ["Enter a valid username", "too similar to the username"]),
        ("Ada", "1234567", ["too short", "too common"]),
    ],
)
def test_all_that_is_wrong_is_said_at_once(link: str, name: str, password: str, faults: list[str]) -> None:
    answer = Client().post(link, {"username": name, "password1": password})
    assert answer.status_code == 422
    told = [error for errors in answer.context["form"].errors.values() for error in errors]
    assert [next(error for error in told if fault in error) for fault in faults]
    assert len(told) == len(faults)
    assert "password2" not in answer.content.decode()


@pytest.mark.parametrize("password", ["short", "password1234", "1234567890", "adalovelace"])
def test_weak_password_is_refused(link: str, password: str) -> None:
    answer = Client().post(link, {"username": "adalovelace", "password1": password})
    assert answer.status_code == 422
    assert not User.objects.exists()
