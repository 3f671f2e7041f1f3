"""Tries that break off as the disk is full: a right one never counts, and a wrong one always does.

Postgres says that its disk is full by one error; here a trigger says it, of one kind of write at a time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client

from console.share_links.tokens import make_token
from storage import limits
from storage.models import AuditEntry, Drive, Session, TerminalSignIn, Throttle
from storage.postgres.caller import Access
from storage.share_links import links
from tests.console.test_routes import make_drive
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, running_provider
from tests.people import PASSWORD, make_cast, make_person
from tests.second_factors import give_app, recovery_codes

pytestmark = pytest.mark.usefixtures("database")

Send = Callable[[], Any]

_ADDRESSES = count(1)


class Door(NamedTuple):
    """What is counted before it is tried. `breaks_at`: the write at which a right try breaks off after that.

    `wrong` only where a wrong try writes something as well; that is then an entry of the audit log.
    """

    right: Send
    breaks_at: tuple[str, type]
    tries: int
    wrong: Send | None = None


@pytest.fixture
def elsewhere() -> Callable[[], Client]:
    """Makes browsers at an address that nobody else has."""
    address = f"2001:db8:0:{next(_ADDRESSES):x}::1"
    return lambda: Client(raise_request_exception=False, REMOTE_ADDR=address)


@contextmanager
def full(act: str, model: type) -> Iterator[None]:
    """As long as it lasts this kind of write finds the disk full."""
    table = model._meta.db_table  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION find_disk_full() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE 'No space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
        cursor.execute(f"CREATE TRIGGER find_disk_full BEFORE {act} ON {table} EXECUTE FUNCTION find_disk_full()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER find_disk_full ON {table}")


def sign_in_form(person: User, password: str = PASSWORD) -> tuple[str, dict[str, str]]:
    return "/sign-in/", {"username": person.username, "password": password}


def sign_in(client: Client) -> Door:
    person = make_person()
    return Door(
        lambda: client.post(*sign_in_form(person)),
        ("INSERT", Session),
        limits.SIGN_IN_TRIES_FOR_ONE_NAME,
        lambda: client.post(*sign_in_form(person, "wrong")),
    )


def known_browser(client: Client) -> Door:
    person = make_person()
    client.post(*sign_in_form(person))
    client.post("/sign-out/")
    return Door(
        lambda: client.post(*sign_in_form(person)),
        ("INSERT", Session),
        limits.SIGN_IN_TRIES_FROM_KNOWN_BROWSER,
        lambda: client.post(*sign_in_form(person, "wrong")),
    )


def second_step(client: Client) -> Door:
    person = make_person()
    app = give_app(person)
    client.post(*sign_in_form(person))
    return Door(
        lambda: client.post("/sign-in/second-step/", {"code": app.code()}),
        ("INSERT", Session),
        limits.SECOND_STEP_TRIES,
        lambda: client.post("/sign-in/second-step/", {"code": app.wrong_code()}),
    )


def password_change(client: Client) -> Door:
    client.post(*sign_in_form(make_person()))
    form = {"old_password": PASSWORD, "new_password1": "another horse staple", "new_password2": "another horse staple"}
    return Door(lambda: client.post("/account/", form), ("UPDATE", User), limits.PASSWORD_CHANGE_TRIES)


def proof(client: Client) -> Door:
    client.post(*sign_in_form(make_person()))
    form = {"proof": PASSWORD}
    path = "/account/second-factor/prove/"
    return Door(lambda: client.post(path, form), ("UPDATE", Session), limits.PASSWORD_CHANGE_TRIES)


def passkey(client: Client) -> Door:
    return Door(lambda: client.post("/sign-in/passkey/question/"), ("INSERT", Session), limits.SIGN_IN_QUESTIONS)


def terminal(client: Client) -> Door:
    asked = {"challenge": "0" * 64, "device": "laptop"}
    return Door(
        lambda: client.post("/cli/sign-ins", asked, content_type="application/json"),
        ("INSERT", TerminalSignIn),
        limits.TERMINAL_SIGN_INS_FROM_ONE_ADDRESS,
    )


DOORS = [sign_in, known_browser, second_step, password_change, proof, passkey, terminal]


@pytest.mark.parametrize("make", DOORS)
def test_right_try_that_breaks_off_does_not_count(
    make: Callable[[Client], Door], elsewhere: Callable[[], Client]
) -> None:
    door = make(elsewhere())
    with full(*door.breaks_at):
        assert {door.right().status_code for _ in range(door.tries + 1)} == {507}
    assert door.right().status_code in (200, 201, 302)


@pytest.mark.parametrize("make", [sign_in, known_browser, second_step])
def test_wrong_try_counts_though_its_answer_breaks_off(
    make: Callable[[Client], Door], elsewhere: Callable[[], Client]
) -> None:
    door = make(elsewhere())
    assert door.wrong
    with full("INSERT", AuditEntry):
        assert {door.wrong().status_code for _ in range(door.tries)} == {507}
    assert door.right().status_code == 429


@pytest.mark.parametrize("make", DOORS)
def test_what_cannot_be_counted_is_not_tried(make: Callable[[Client], Door], elsewhere: Callable[[], Client]) -> None:
    door = make(elsewhere())
    with full("INSERT OR UPDATE", Throttle):
        assert door.right().status_code == 507


def test_right_password_of_a_share_link_is_enough_when_nothing_can_be_forgotten(
    elsewhere: Callable[[], Client],
) -> None:
    client, token = elsewhere(), make_token()
    cast = make_cast()
    make_drive(cast)
    links.create_link(
        access=Access(cast.collection.id, person_id=cast.member.pk),
        drive_id=Drive.objects.get(collection=cast.collection).id,
        drive="files",
        name="a.txt",
        text=token,
        hours=1,
        password=make_password(PASSWORD),
        made_by=cast.member,
    )
    path = f"/s/{token}/"
    with full("DELETE", Throttle):
        answers = [client.post(path, {"password": PASSWORD}) for _ in range(limits.SHARE_PASSWORD_TRIES + 1)]
    assert {answer.status_code for answer in answers} == {302}
    with full("INSERT OR UPDATE", Throttle):
        assert client.post(path, {"password": PASSWORD}).status_code == 507


def test_question_to_the_provider_that_breaks_off_does_not_count(
    elsewhere: Callable[[], Client], settings: Any
) -> None:
    cache.clear()
    client = elsewhere()
    with running_provider() as provider:
        settings.OIDC_ISSUER, settings.OIDC_NAME = provider.issuer, "Example SSO"
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        with full("INSERT", Session):
            statuses = {client.get("/sign-in/openid/").status_code for _ in range(limits.SIGN_IN_QUESTIONS + 1)}
        assert statuses == {507}
        assert client.get("/sign-in/openid/").status_code == 302


def test_code_is_used_up_only_by_what_it_lets_in(elsewhere: Callable[[], Client]) -> None:
    person, client = make_person(), elsewhere()
    give_app(person)
    client.post(*sign_in_form(person))
    code = {"code": recovery_codes(person)[0]}
    with full("INSERT", Session):
        assert client.post("/sign-in/second-step/", code).status_code == 507
    assert client.post("/sign-in/second-step/", code).status_code == 302
