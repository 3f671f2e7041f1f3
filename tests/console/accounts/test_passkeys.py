"""Passkeys: where they are offered, and what answers that are none come to. Real ones: `tests/browser/test_second_factor.py`."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from tests.html import squeezed
from tests.people import PASSWORD, make_person
from tests.second_factors import give_app

NEW = "/account/second-factor/passkeys/new/"
CLIENT_DATA = "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUFBQSIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3QifQ"
ODD_ANSWERS = [
    "",
    "{",
    "[]",
    "null",
    "7",
    "{}",
    '{"response": 7}',
    '{"response": {"userHandle": null}}',
    '{"id": "a", "rawId": "a", "type": "public-key", "response": {}}',
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {"userHandle": "MQ", "signature": "AA"}}),
    json.dumps(
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {
                "userHandle": "enp6enp6enp6enp6enp6enp6eg",
                "signature": "AA",
                "authenticatorData": "A" * 200,
                "attestationObject": "gICA" * 100,
                "clientDataJSON": CLIENT_DATA,
            },
        }
    ),
    json.dumps({"response": {"attestationObject": "gYGB" * 3000, "clientDataJSON": CLIENT_DATA, "userHandle": "\x00"}}),
    "[" * 16_000,
    "x" * 20_000,
    '{"id": "\\u0000", "response": {"userHandle": "\\u0000"}}',
    '{"id": "\\ud800", "response": {"userHandle": "\\ud800"}}',
]


@pytest.fixture
def signed_in(undone: None) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.post("/sign-in/", {"username": make_person().username, "password": PASSWORD})
    return client


@pytest.mark.parametrize(
    "host, secure, are_offered",
    [
        ("localhost", False, True),
        ("localhost:8000", False, True),
        ("127.0.0.1", False, False),
        ("127.0.0.1:8443", True, False),
        ("[::1]:8443", True, False),
        ("homeport.example", False, False),
        ("homeport.example", True, True),
        ("homeport.example:8443", True, True),
    ],
)
def test_passkeys_are_offered_where_browsers_have_them(
    undone: None, settings: Any, host: str, secure: bool, are_offered: bool
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    client = Client(headers={"host": host})
    assert ("Sign in with a passkey" in client.get("/sign-in/", secure=secure).content.decode()) is are_offered
    client.post("/sign-in/", {"username": make_person().username, "password": PASSWORD}, secure=secure)
    page = squeezed(client.get("/account/", secure=secure).content.decode())
    assert ("Add a passkey" in page, "browsers offer none at this address" in page) == (are_offered, not are_offered)
    assert ("data-passkey" in client.get(NEW, secure=secure).content.decode()) is are_offered


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_answers_that_are_none_are_refused(undone: None, signed_in: Client, answer: str) -> None:
    passkeys_before = Authenticator.objects.filter(type="webauthn").count()
    signed_in.post(f"{NEW}question/")
    assert signed_in.post(NEW, {"name": "x", "answer": answer}).status_code == 422
    stranger = Client(SERVER_NAME="localhost")
    assert stranger.post("/sign-in/passkey/question/").status_code == 200
    assert stranger.post("/sign-in/passkey/", {"answer": answer})["Location"] == "/sign-in/"
    half, person = Client(SERVER_NAME="localhost"), make_person()
    give_app(person)
    half.post("/sign-in/", {"username": person.username, "password": PASSWORD})
    assert half.post("/sign-in/second-step/passkey/question/").status_code == 200
    assert half.post("/sign-in/second-step/passkey/", {"answer": answer}).status_code == 422
    assert Authenticator.objects.filter(type="webauthn").count() == passkeys_before


def test_question_is_kept_for_ten_minutes_and_good_for_one_answer(undone: None) -> None:
    client = Client(SERVER_NAME="localhost")
    question = client.post("/sign-in/passkey/question/").json()["publicKey"]
    assert (question["rpId"], question["userVerification"]) == ("localhost", "required")
    assert 0 < client.session.get_expiry_age() <= 600
    assert client.session["mfa.webauthn.state"]
    client.post("/sign-in/passkey/", {"answer": ODD_ANSWERS[9]})
    assert "mfa.webauthn.state" not in client.session


def test_questions_to_strangers_are_bounded(undone: None) -> None:
    client = Client(SERVER_NAME="localhost", REMOTE_ADDR="192.0.2.9")
    statuses = {client.post("/sign-in/passkey/question/").status_code for _ in range(60)}
    answer = client.post("/sign-in/passkey/question/")
    assert (statuses, answer.status_code, int(answer["Retry-After"]) in range(1, 301)) == ({200}, 429, True)
    assert Client(SERVER_NAME="localhost").post("/sign-in/passkey/question/").status_code == 200


def test_second_question_is_for_who_passed_the_first_step(undone: None) -> None:
    answer = Client().post("/sign-in/second-step/passkey/question/")
    assert answer.status_code == 401
