"""Access tokens: whom each lets in, and what ends one."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from storage import limits
from storage.access_tokens import tokens
from storage.audit import log as audit
from storage.audit.log import Conditions, Verb
from storage.collections import people
from storage.errors import AccessTokenNotFound, InvalidInput, Unauthorized
from storage.models import AccessToken
from storage.postgres import clock
from tests.people import PASSWORD, make_person

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def person(database: None) -> User:
    return make_person()


def why_refused(text: str) -> str:
    with pytest.raises(Unauthorized) as refusal:
        tokens.check_token(text)
    return refusal.value.messages[1]


def test_token_lets_its_person_in_and_is_stored_as_a_hash(person: User) -> None:
    made = tokens.create_token(person=person, name=" laptop ", days=7)

    found = tokens.check_token(made.text)

    assert (found.person, found.name) == (person, "laptop")
    assert found.expires_at == made.token.expires_at
    assert timedelta(days=6.9) < found.expires_at - clock.now() <= timedelta(days=7)
    assert made.text.startswith("hp_")
    assert len(made.text) == 43
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM storage_accesstoken t WHERE id = %s", [made.token.pk])
        row = cursor.fetchone()[0]
    assert made.text[len("hp_") + 4 :] not in row
    assert hashlib.sha256(made.text.encode()).hexdigest() in row


@pytest.mark.parametrize(
    "text", ["", "hp_", "hp_" + "a" * 40, "hp_" + "a" * 39 + "é", "HP_" + "a" * 40, "a" * 43, "\x00"]
)
def test_what_is_no_token_lets_nobody_in(text: str) -> None:
    assert why_refused(text) == "This server does not know the access token"


def revoke(person: User, token: AccessToken) -> None:
    tokens.revoke_token(person_id=person.pk, token_id=token.pk)


def expire(person: User, token: AccessToken) -> None:
    AccessToken.objects.filter(id=token.pk).update(expires_at=clock.now())


def change_password(person: User, token: AccessToken) -> None:
    person.set_password("another horse staple")
    person.save()


def close_account(person: User, token: AccessToken) -> None:
    User.objects.filter(id=person.pk).update(is_active=False)


def sign_out_everywhere(person: User, token: AccessToken) -> None:
    assert people.end_sessions(person_id=person.pk) >= 1


def remove(person: User, token: AccessToken) -> None:
    people.remove_person(person_id=person.pk, asked_by=make_person(owns_server=True))


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (revoke, "The access token was revoked"),
        (sign_out_everywhere, "The access token was revoked"),
        (expire, "The access token expired on "),
        (change_password, "The access token ended with its person's password of then"),
        (close_account, "The access token ended with its person's password of then"),
        (remove, "This server does not know the access token"),
    ],
)
def test_token_ends_as_sessions_do(end: Any, why: str, person: User) -> None:
    made = tokens.create_token(person=person, name="laptop")
    other = tokens.create_token(person=make_person(), name="laptop")
    tokens.check_token(made.text)

    end(person, made.token)

    assert why_refused(made.text).startswith(why)
    assert tokens.check_token(other.text).person == other.token.person
    assert end is close_account or tokens.list_tokens(person.pk) == []


def test_password_that_is_hashed_anew_ends_nothing_that_a_session_survives(person: User) -> None:
    """Both go by the same mark of Django's."""
    made = tokens.create_token(person=person, name="laptop")
    assert person.check_password(PASSWORD)
    person.refresh_from_db()
    is_same = made.token.session_hash == person.get_session_auth_hash()
    assert bool(tokens.list_tokens(person.pk)) == is_same


def test_nobody_revokes_anothers(person: User) -> None:
    made = tokens.create_token(person=person, name="laptop")
    with pytest.raises(AccessTokenNotFound):
        tokens.revoke_token(person_id=make_person().pk, token_id=made.token.pk)
    assert tokens.check_token(made.text).person == person


@pytest.mark.parametrize("days", [0, -1, limits.ACCESS_TOKEN_DAYS_MAX + 1, float("nan"), float("inf")])
def test_token_lasts_for_some_time_and_not_for_ever(days: float, person: User) -> None:
    with pytest.raises(InvalidInput):
        tokens.create_token(person=person, name="laptop", days=days)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00", "a" * (limits.ACCESS_TOKEN_NAME_MAX_CHARACTERS + 1)])
def test_name_is_a_visible_line(name: str, person: User) -> None:
    with pytest.raises(InvalidInput):
        tokens.create_token(person=person, name=name)


def test_a_person_has_so_many_and_no_more(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ACCESS_TOKENS_MAX", 2)
    first = tokens.create_token(person=person, name="first")
    tokens.create_token(person=person, name="second")
    with pytest.raises(InvalidInput, match="has 2 access tokens: revoke one first"):
        tokens.create_token(person=person, name="third")
    tokens.revoke_token(person_id=person.pk, token_id=first.token.pk)
    assert tokens.create_token(person=person, name="third").text


def test_use_is_noted_and_the_first_one_recorded(person: User) -> None:
    made = tokens.create_token(person=person, name="laptop")
    assert tokens.list_tokens(person.pk)[0].last_used_at is None

    for _ in range(3):
        tokens.check_token(made.text, address="192.0.2.7")

    (listed,) = tokens.list_tokens(person.pk)
    assert listed.last_used_at is not None
    told = [
        (entry.verb, entry.about, entry.address)
        for entry in audit.list_entries(Conditions(None, actor="person", name=person.username))
    ]
    assert told == [(Verb.TOKEN_FIRST_USED, "laptop", "192.0.2.7")]
    long_ago = clock.now() - timedelta(hours=1)
    AccessToken.objects.filter(id=listed.pk).update(last_used_at=long_ago)
    tokens.check_token(made.text)
    assert tokens.list_tokens(person.pk)[0].last_used_at > long_ago  # type: ignore[operator]


def test_old_ones_are_forgotten_a_month_after_their_end(person: User) -> None:
    ended = clock.now() - timedelta(days=limits.ACCESS_TOKEN_KEPT_DAYS + 1)
    names = ("expired long ago", "revoked long ago", "expired lately", "revoked lately", "good")
    made = {name: tokens.create_token(person=person, name=name).token for name in names}
    AccessToken.objects.filter(id=made["expired long ago"].pk).update(expires_at=ended)
    AccessToken.objects.filter(id=made["revoked long ago"].pk).update(revoked_at=ended)
    expire(person, made["expired lately"])
    revoke(person, made["revoked lately"])

    people.remove_spent()

    left = AccessToken.objects.filter(person=person).order_by("id")
    assert [token.name for token in left] == ["expired lately", "revoked lately", "good"]
