"""Signing in and out, and what an attacker would try there."""

from typing import Any

import pytest
from django.test import Client
from limits import parse

from console.accounts import throttle
from tests.console.conftest import Browser
from tests.html import squeezed
from tests.matching import search
from tests.people import PASSWORD, Cast, make_person

SIGN_IN = "/sign-in/"


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    throttle._limiter.storage.reset()


def attempt(client: Client, name: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": name, "password": password, **more})


def test_right_password_signs_in_and_rotates_the_session(undone: None) -> None:
    person, client = make_person(), Client()
    client.get(SIGN_IN)
    client.cookies["sessionid"] = "chosen-by-somebody-else"
    answer = attempt(client, person.username)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.cookies["sessionid"].value != "chosen-by-somebody-else"
    assert client.get("/").status_code == 200


def test_every_failure_says_the_same(undone: None) -> None:
    person, gone = make_person(), make_person()
    gone.is_active = False
    gone.save()
    tries = [
        (person.username, "wrong"),
        (f"nobody-{person.username}", "wrong"),
        (gone.username, PASSWORD),
        (gone.username, "wrong"),
    ]
    pages = [attempt(Client(), *names) for names in tries]
    assert {page.status_code for page in pages} == {422}
    said = {search(r'role="alert">(.*?)</div>', squeezed(page.content.decode())).group(1) for page in pages}
    assert said == {"<p>The name or the password is wrong.</p>"}


@pytest.mark.parametrize("exists", [True, False])
def test_too_many_tries_are_told_to_wait(undone: None, exists: bool) -> None:
    name = make_person().username if exists else "nobody-at-all"
    client = Client()
    assert [attempt(client, name, "wrong").status_code for _ in range(5)] == [422] * 5
    answer = attempt(client, name)
    assert (answer.status_code, answer["Retry-After"]) == (429, "300")
    assert attempt(client, name.upper()).status_code == 429


def test_tries_for_one_name_leave_others_alone(undone: None) -> None:
    person, client = make_person(), Client()
    for _ in range(5):
        attempt(client, "somebody-else", "wrong")
    assert attempt(client, person.username).status_code == 302


def test_one_address_cannot_try_many_names(undone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "TRIES_FROM_ONE_ADDRESS", parse("6 per 5 minutes"))
    statuses = [attempt(Client(), f"name-{number}", "wrong").status_code for number in range(7)]
    assert statuses == [422] * 6 + [429]
    assert Client(REMOTE_ADDR="192.0.2.7").post(SIGN_IN, {"username": "x", "password": "y"}).status_code == 422


@pytest.mark.parametrize(
    "target, goes_to",
    [
        ("/account/", "/account/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("http:///evil.example", "/"),
        ("\x08//evil.example", "/"),
    ],
)
def test_next_is_followed_on_this_server_alone(undone: None, target: str, goes_to: str) -> None:
    assert attempt(Client(), make_person().username, next=target)["Location"] == goes_to


def test_writes_need_the_csrf_token(people: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.owner)
    path = f"/collections/{people.collection.id}/settings/"
    assert client.post(path, {"name": "Changed"}).status_code == 403
    assert Client(enforce_csrf_checks=True).post(SIGN_IN, {"username": "a", "password": "b"}).status_code == 403
    token = search(r'csrfmiddlewaretoken" value="(\w+)"', client.get(path).content.decode()).group(1)
    assert client.post(path, {"name": "Changed", "csrfmiddlewaretoken": token}).status_code == 302
    stolen = {"name": "Again", "csrfmiddlewaretoken": token}
    assert client.post(path, stolen, HTTP_ORIGIN="https://evil.example").status_code == 403


def test_sign_out_is_a_post_and_ends_the_session(people: Cast, browser: Browser) -> None:
    client = browser(people.member)
    assert client.get("/sign-out/").status_code == 405
    session = client.cookies["sessionid"].value
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    replayed = Client()
    replayed.cookies["sessionid"] = session
    assert replayed.get("/").status_code == 302


def test_sign_out_everywhere_ends_every_session_of_this_person(people: Cast, browser: Browser) -> None:
    here, there, somebody_else = browser(people.member), browser(people.member), browser(people.reader)
    here.post("/account/sign-out-everywhere/")
    assert [client.get("/").status_code for client in (here, there, somebody_else)] == [302, 302, 200]


def test_new_password_ends_the_other_sessions(people: Cast, browser: Browser) -> None:
    here, there = browser(people.member), browser(people.member)
    new = {"old_password": PASSWORD, "new_password1": "another horse staple", "new_password2": "another horse staple"}
    assert here.post("/account/", {**new, "old_password": "wrong"}).status_code == 422
    assert here.post("/account/", new).status_code == 302
    assert [client.get("/").status_code for client in (here, there)] == [200, 302]


def test_session_cookie_is_closed_to_scripts(undone: None) -> None:
    client = Client()
    attempt(client, make_person().username)
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_htmx_without_a_session_reloads_the_page(people: Cast, browser: Browser) -> None:
    answer = browser(None).get(f"/collections/{people.collection.id}/connect/light/", HTTP_HX_REQUEST="true")
    assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")
