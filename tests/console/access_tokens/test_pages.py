"""The page that lets a terminal in, and the list on the account page."""

import hashlib
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from storage import limits
from storage.access_tokens import sign_ins, tokens
from storage.errors import SignInRefused, Unauthorized
from storage.models import TerminalSignIn
from storage.postgres import clock
from tests.commands import run_here
from tests.console.cli_api.conftest import Terminal, terminal
from tests.console.conftest import Browser
from tests.people import Cast, make_person

__all__ = ["terminal"]

VERIFIER = "a secret of the terminal's"


def start() -> TerminalSignIn:
    challenge = hashlib.sha256(VERIFIER.encode()).hexdigest()
    return sign_ins.start(challenge=challenge, device="<b>laptop</b>", address="192.0.2.7")


def test_page_shows_who_asks_and_the_code(people: Cast, browser: Browser) -> None:
    asked = start()
    page = browser(people.member).get(reverse("terminal", args=[asked.id])).content.decode()
    assert asked.code in page
    assert "&lt;b&gt;laptop&lt;/b&gt;" in page
    assert "192.0.2.7" in page
    assert people.member.username in page


@pytest.mark.parametrize("answer", ["refuse", "", "nonsense"])
def test_anything_but_allow_refuses(people: Cast, browser: Browser, answer: str) -> None:
    asked = start()
    page = browser(people.member).post(reverse("terminal", args=[asked.id]), {"answer": answer}).content.decode()
    assert "was not let in" in page
    with pytest.raises(SignInRefused):
        sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER)


def test_answer_is_given_once(people: Cast, browser: Browser) -> None:
    asked = start()
    url = reverse("terminal", args=[asked.id])
    assert browser(people.member).post(url, {"answer": "allow"}).status_code == 200
    # Somebody else who knows the address comes too late, and so does the same person once more.
    for person in (people.owner, people.member):
        assert browser(person).post(url, {"answer": "allow"}).status_code == 410
        assert browser(person).get(url).status_code == 410
    made = sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER)
    assert made
    assert made.token.person == people.member


def test_old_and_unknown_ones(people: Cast, browser: Browser) -> None:
    asked = start()
    TerminalSignIn.objects.filter(id=asked.id).update(expires_at=clock.now())
    client = browser(people.member)
    assert client.get(reverse("terminal", args=[asked.id])).status_code == 410
    assert client.post(reverse("terminal", args=[uuid4()]), {"answer": "allow"}).status_code == 404


def test_form_of_another_site_allows_nothing(people: Cast, browser: Browser) -> None:
    asked = start()
    client = browser(people.member)
    client.handler.enforce_csrf_checks = True
    try:
        assert client.post(reverse("terminal", args=[asked.id]), {"answer": "allow"}).status_code == 403
    finally:
        client.handler.enforce_csrf_checks = False
    assert sign_ins.find(asked.id).state == "waiting"


def test_account_lists_tokens_and_revokes_ones_own(people: Cast, browser: Browser) -> None:
    mine = tokens.create_token(person=people.member, name="laptop")
    others = tokens.create_token(person=people.owner, name="another's")
    client = browser(people.member)

    page = client.get("/account/").content.decode()

    assert "laptop" in page
    assert f"{mine.token.prefix}…" in page
    assert f"{mine.token.expires_at:%Y-%m-%d}" in page
    assert "not used yet" in page
    assert "another" not in page
    assert mine.text not in page
    assert client.post(reverse("revoke-token", args=[others.token.pk])).status_code == 404
    assert tokens.check_token(others.text)
    assert client.get(reverse("revoke-token", args=[mine.token.pk])).status_code == 200
    assert client.post(reverse("revoke-token", args=[mine.token.pk]), follow=True).status_code == 200
    with pytest.raises(Unauthorized, match="Unauthorized"):
        tokens.check_token(mine.text)
    assert "None is signed in" in client.get("/account/").content.decode()


def test_sign_out_everywhere_ends_terminals_too(people: Cast, browser: Browser, terminal: Terminal) -> None:
    client = terminal(people.member)
    assert client.get("/cli/collections").status_code == 200
    browser(people.member).post(reverse("sign-out-everywhere"))
    assert client.get("/cli/collections").status_code == 401


def test_terminals_from_one_address_are_limited(people: Cast, terminal: Terminal) -> None:
    client = terminal(None)
    asked: dict[str, Any] = {"challenge": "0" * 64, "device": "laptop"}
    sent: dict[str, Any] = {"content_type": "application/json", "REMOTE_ADDR": "2001:db8:77::1"}
    for _ in range(limits.TERMINAL_SIGN_INS_FROM_ONE_ADDRESS):
        assert client.post("/cli/sign-ins", asked, **sent).status_code == 201
    # The /64 counts as one.
    refused = client.post("/cli/sign-ins", asked, **sent | {"REMOTE_ADDR": "2001:db8:77::2"})
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert client.post("/cli/sign-ins", asked, **sent | {"REMOTE_ADDR": "2001:db8:78::1"}).status_code == 201


@pytest.mark.parametrize(
    "asked", [{}, {"challenge": 5, "device": "x"}, {"challenge": "0" * 64}, [], {"device": "\x00"}]
)
def test_what_a_terminal_sends_is_looked_at(people: Cast, terminal: Terminal, asked: Any) -> None:
    client = terminal(None)
    for path in ("/cli/sign-ins", f"/cli/sign-ins/{start().id}/token"):
        answer = client.post(path, asked, content_type="application/json", REMOTE_ADDR="192.0.2.99")
        assert answer.status_code == 400
        assert answer.json()["errors"]


def test_command_makes_a_token_alone_on_its_last_line(database: None) -> None:
    person = make_person()
    name = person.username
    done = run_here("token", "create", name, "--name", "build server", "--days", "7")
    bearer = tokens.check_token(done.stdout.splitlines()[-1])
    assert (bearer.person, bearer.name) == (person, "build server")
    listed = run_here("token", "list", name).stdout
    assert listed.endswith("  build server\n")
    assert run_here("token", "revoke", name, listed.split()[0]).stdout == "Revoked.\n"
    assert run_here("token", "list", name).stdout == ""
    for command in (("create", "nobody-is-called-so"), ("revoke", name, "0"), ("create", name, "--days", "0")):
        refused = run_here("token", *command)
        assert refused.returncode == 1, command
        assert refused.stderr.startswith("CommandError: ")
