"""`person list|reset-password|make-owner`: what they do, what they print, how they end, and what the audit log says of it."""

import getpass

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client

from console.management.commands import person as command
from storage.access_tokens import tokens
from storage.audit import log as audit
from storage.audit.log import Conditions, Verb
from storage.models import Session
from tests.commands import run_here
from tests.people import PASSWORD, make_person
from tests.second_factors import give_app


def told_of(person: User) -> list[tuple[str, str, str]]:
    found = audit.list_entries(Conditions(None, actor="command", name=getpass.getuser()), limit=20)
    return [(entry.verb, entry.actor, entry.name) for entry in reversed(found) if entry.about == person.username]


def sign_in(person: User, password: str) -> int:
    return Client().post("/sign-in/", {"username": person.username, "password": password}).status_code


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_people_are_listed_with_what_signs_them_in(database: None) -> None:
    owner, nobody = make_person("owner", owns_server=True), make_person("plain")
    give_app(owner)
    sign_in(nobody, PASSWORD)
    without = make_person("openid")
    without.set_unusable_password()
    without.save()
    lines = {line.split("  ")[0]: line.split("  ")[1:] for line in run_here("person", "list").stdout.splitlines()}
    assert lines[owner.username] == ["owns the server", "password, app", "never signed in"]
    assert lines[nobody.username][:2] == ["does not own it", "password"]
    assert lines[nobody.username][2].startswith("signed in 20")
    assert lines[without.username] == ["does not own it", "no password", "never signed in"]


def test_a_reset_password_is_the_only_one_and_ends_what_was_signed_in(database: None) -> None:
    person = make_person(owns_server=True)
    client = signed_in(person)
    token = tokens.create_token(person=person, name="CI", days=1).token
    assert client.get("/").status_code == 200
    done = run_here("person", "reset-password", person.username)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"{person.username} has a new password, and is signed out everywhere."
    password = done.stdout.splitlines()[-1]
    assert "second-factor" not in done.stdout

    assert client.get("/").status_code == 302
    assert not Session.objects.filter(person_id=person.pk).exists()
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert sign_in(person, PASSWORD) == 422
    assert sign_in(person, password) == 302
    assert told_of(person) == [
        (Verb.SIGNED_OUT_EVERYWHERE, "command", getpass.getuser()),
        (Verb.PASSWORD_CHANGED, "command", getpass.getuser()),
    ]
    assert password not in repr(audit.list_entries(Conditions(None), limit=50))


def test_a_second_factor_is_left_and_told_of(database: None) -> None:
    person = make_person()
    give_app(person)
    assert "reset-second-factor" in run_here("person", "reset-password", person.username).stdout
    assert Authenticator.objects.filter(user=person).exists()


def test_new_passwords_are_long_and_none_is_another() -> None:
    made = {command._make_password() for _ in range(100)}
    assert len(made) == 100
    assert {len(each) for each in made} == {23}


def test_an_owner_is_made_once(database: None) -> None:
    person = make_person()
    client = signed_in(person)
    assert client.get("/people/").status_code == 404
    first, second = (run_here("person", "make-owner", person.username) for _ in range(2))
    assert (first.returncode, first.stdout) == (0, f"{person.username} owns the server now.\n")
    assert (second.returncode, second.stdout) == (0, f"{person.username} owns the server already.\n")
    assert client.get("/people/").status_code == 200
    assert told_of(person) == [(Verb.OWNER_MADE, "command", getpass.getuser())]


@pytest.mark.parametrize("action", ["reset-password", "make-owner", "reset-second-factor"])
def test_a_name_that_nobody_has_is_told(database: None, action: str) -> None:
    done = run_here("person", action, "nobody-at-all")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Nobody has the name nobody-at-all" in done.stderr


def test_the_page_to_sign_in_says_what_to_type(database: None) -> None:
    page = Client().get("/sign-in/").content.decode()
    assert "Lost the owner" in page
    for words in ("person list", "person reset-password NAME", "person make-owner NAME"):
        assert f"manage.py {words}</code>" in page
