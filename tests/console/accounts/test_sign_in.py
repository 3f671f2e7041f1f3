"""Signing in and out, and what an attacker would try there."""

from typing import Any

import pytest
from django.test import Client

from console.accounts import throttle
from storage.models import Throttle
from tests.console.conftest import Browser
from tests.html import squeezed
from tests.matching import search
from tests.people import PASSWORD, Cast, make_person

SIGN_IN = "/sign-in/"

# A browser at an address that nobody else in this run has: what is counted is undone with the test.
ELSEWHERE = "192.0.2.7"


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
    assert answer.status_code == 429
    assert 290 <= int(answer["Retry-After"]) <= 300
    assert attempt(client, name.upper()).status_code == 429


def test_tries_for_one_name_leave_others_alone(undone: None) -> None:
    person, client = make_person(), Client()
    for _ in range(5):
        attempt(client, "somebody-else", "wrong")
    assert attempt(client, person.username).status_code == 302


def test_one_address_cannot_try_many_names(undone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "FROM_ONE_ADDRESS", throttle.FROM_ONE_ADDRESS._replace(tries=6))
    client = Client(REMOTE_ADDR="192.0.2.8")
    statuses = [attempt(client, f"name-{number}", "wrong").status_code for number in range(7)]
    assert statuses == [422] * 6 + [429]
    assert attempt(Client(REMOTE_ADDR=ELSEWHERE), "x", "y").status_code == 422


def test_one_name_cannot_be_tried_from_many_addresses(undone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "FROM_ANYWHERE", throttle.FROM_ANYWHERE._replace(tries=3))
    name = make_person().username
    statuses = [attempt(Client(REMOTE_ADDR=f"192.0.2.{number}"), name, "wrong").status_code for number in range(5)]
    assert statuses == [422] * 3 + [429] * 2


def test_nobody_locks_a_person_out_of_a_browser_they_know(undone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "FROM_ANYWHERE", throttle.FROM_ANYWHERE._replace(tries=3))
    person, known = make_person(), Client()
    assert attempt(known, person.username).status_code == 302
    known.post("/sign-out/")
    for number in range(5):
        attempt(Client(REMOTE_ADDR=f"192.0.2.{number}"), person.username, "wrong")
    assert attempt(Client(REMOTE_ADDR=ELSEWHERE), person.username).status_code == 429
    assert attempt(known, person.username).status_code == 302


def test_known_browser_has_limits_of_its_own_and_is_known_for_one_name(undone: None) -> None:
    person, other, known = make_person(), make_person(), Client()
    attempt(known, person.username)
    known.post("/sign-out/")
    statuses = [attempt(known, person.username, "wrong").status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    assert [attempt(known, other.username, "wrong").status_code for _ in range(6)] == [422] * 5 + [429]
    forged = Client()
    forged.cookies[throttle.KNOWN_COOKIE] = known.cookies[throttle.KNOWN_COOKIE].value[:-1] + "_"
    assert throttle.KNOWN_COOKIE in known.cookies
    assert [attempt(forged, person.username, "wrong").status_code for _ in range(6)] == [422] * 5 + [429]


def test_browser_is_known_with_the_password_of_now_alone(undone: None) -> None:
    person, own, thief = make_person(), Client(), Client(REMOTE_ADDR=ELSEWHERE)
    for client in (own, thief):
        attempt(client, person.username)
    changed = "another horse staple"
    own.post("/account/", {"old_password": PASSWORD, "new_password1": changed, "new_password2": changed})
    assert [attempt(thief, person.username, "wrong").status_code for _ in range(6)] == [422] * 5 + [429]
    own.post("/sign-out/")
    assert [attempt(own, person.username, "wrong").status_code for _ in range(6)] == [422] * 6
    assert attempt(own, person.username, changed).status_code == 302


def test_right_password_takes_nothing_from_others_at_its_address(undone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "FROM_ONE_ADDRESS", throttle.FROM_ONE_ADDRESS._replace(tries=3))
    people = [make_person() for _ in range(6)]
    assert [attempt(Client(), person.username).status_code for person in people] == [302] * 6


@pytest.mark.parametrize(
    "first, second, is_one",
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_address_counts_as_its_network(undone: None, first: str, second: str, is_one: bool) -> None:
    name = make_person().username
    for _ in range(5):
        attempt(Client(REMOTE_ADDR=first), name, "wrong")
    assert attempt(Client(REMOTE_ADDR=second), name, "wrong").status_code == (429 if is_one else 422)


@pytest.mark.parametrize("spelling", ["{0}", " {0} ", "{1}", "\uff41{0}"])
def test_other_spellings_of_a_name_are_counted_as_the_name(undone: None, spelling: str) -> None:
    name = make_person("ada").username
    name = f"a{name}"
    written = spelling.format(name, name.upper()) if "\uff41" not in spelling else f"\uff41{name[1:]}"
    for _ in range(5):
        attempt(Client(), name, "wrong")
    assert attempt(Client(), written, "wrong").status_code == 429


def test_what_was_typed_is_kept_nowhere(undone: None) -> None:
    attempt(Client(), "a password in the field for the name", "another one")
    kept = [bytes(each.who) + str(each).encode() for each in Throttle.objects.all()]
    assert kept
    assert not any(b"password" in each or b"another" in each for each in kept)


def test_password_change_is_limited_and_a_right_one_forgets(undone: None) -> None:
    client = Client()
    attempt(client, make_person().username)
    wrong = {"old_password": "wrong", "new_password1": "another horse staple", "new_password2": "another horse staple"}
    weak = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    assert [client.post("/account/", wrong).status_code for _ in range(9)] == [422] * 9
    assert client.post("/account/", weak).status_code == 422
    assert [client.post("/account/", wrong).status_code for _ in range(11)] == [422] * 10 + [429]
    assert int(client.post("/account/", weak)["Retry-After"]) <= 300


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


def test_all_that_is_wrong_with_a_new_password_is_said_at_once(people: Cast, browser: Browser) -> None:
    form = {"old_password": "wrong", "new_password1": people.member.username, "new_password2": "another"}
    answer = browser(people.member).post("/account/", form)
    told = {name: list(errors) for name, errors in answer.context["form"].errors.items()}
    assert "entered incorrectly" in told["old_password"][0]
    assert "too similar to the username" in told["new_password1"][0]
    assert "didn" in told["new_password2"][0]
