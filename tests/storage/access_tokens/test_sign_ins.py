"""How a terminal gets its token: once, after the person allowed it, with the secret that it alone has."""

import hashlib
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection

from storage import limits
from storage.access_tokens import sign_ins, tokens
from storage.audit import log as audit
from storage.audit.log import Conditions, Verb
from storage.errors import InvalidInput, SignInNotFound, SignInOver, SignInRefused, TooManySignIns
from storage.models import AccessToken, TerminalSignIn
from storage.postgres import clock
from tests.people import make_person

pytestmark = pytest.mark.usefixtures("database")

VERIFIER = "a secret that the terminal made up"


def start(device: str = "laptop") -> TerminalSignIn:
    challenge = hashlib.sha256(VERIFIER.encode()).hexdigest()
    return sign_ins.start(challenge=challenge, device=device, address="192.0.2.7")


@pytest.fixture
def person(database: None) -> User:
    return make_person()


def test_terminal_is_let_in_once(person: User) -> None:
    asked = start()
    assert sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER) is None

    sign_ins.allow(sign_in_id=asked.id, person=person)
    made = sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER)

    assert made is not None
    assert tokens.check_token(made.text).person == person
    assert made.token.name == "laptop"
    for _ in range(2):
        with pytest.raises(SignInOver):
            sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER)
    told = [entry.verb for entry in audit.list_entries(Conditions(None, actor="person", name=person.username))]
    assert told == [Verb.TOKEN_CREATED]


def test_many_that_collect_at_once_get_one_token(person: User) -> None:
    asked = start()
    sign_ins.allow(sign_in_id=asked.id, person=person)
    got: list[object] = []

    def collect() -> None:
        try:
            got.append(sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER))
        except SignInOver:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=collect) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    assert AccessToken.objects.filter(person=person).count() == 1


def test_refused_one_gets_nothing(person: User) -> None:
    asked = start()
    sign_ins.refuse(sign_in_id=asked.id)
    with pytest.raises(SignInRefused):
        sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER)
    with pytest.raises(SignInOver):
        sign_ins.allow(sign_in_id=asked.id, person=person)


def test_who_guesses_ends_it_for_everybody(person: User) -> None:
    asked = start()
    sign_ins.allow(sign_in_id=asked.id, person=person)
    for number in range(limits.SIGN_IN_WRONG_VERIFIERS + 1):
        with pytest.raises(SignInNotFound):
            sign_ins.collect(sign_in_id=asked.id, verifier=f"guess {number}")
    with pytest.raises(SignInOver):
        sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER)
    assert not AccessToken.objects.filter(person=person).exists()


def test_what_the_page_knows_is_no_verifier(person: User) -> None:
    asked = start()
    sign_ins.allow(sign_in_id=asked.id, person=person)
    for known in (str(asked.id), asked.code, bytes(asked.challenge).hex(), ""):
        with pytest.raises(SignInNotFound):
            sign_ins.collect(sign_in_id=asked.id, verifier=known)


def test_answer_that_comes_too_late_is_none(person: User) -> None:
    asked, allowed = start(), start()
    sign_ins.allow(sign_in_id=allowed.id, person=person)
    TerminalSignIn.objects.filter(id__in=[asked.id, allowed.id]).update(expires_at=clock.now())
    with pytest.raises(SignInOver):
        sign_ins.find(asked.id)
    with pytest.raises(SignInOver):
        sign_ins.allow(sign_in_id=asked.id, person=person)
    for each in (asked, allowed):
        with pytest.raises(SignInOver):
            sign_ins.collect(sign_in_id=each.id, verifier=VERIFIER)


def test_password_that_changes_meanwhile_ends_it(person: User) -> None:
    asked = start()
    sign_ins.allow(sign_in_id=asked.id, person=person)
    person.set_password("another horse staple")
    person.save()
    with pytest.raises(SignInOver, match="The password was changed meanwhile"):
        sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER)


def test_person_that_goes_takes_it_along(person: User) -> None:
    asked = start()
    sign_ins.allow(sign_in_id=asked.id, person=person)
    person.delete()
    with pytest.raises(SignInNotFound):
        sign_ins.collect(sign_in_id=asked.id, verifier=VERIFIER)


def test_unknown_one_is_not_there(person: User) -> None:
    with pytest.raises(SignInNotFound):
        sign_ins.find(uuid4())
    with pytest.raises(SignInNotFound):
        sign_ins.collect(sign_in_id=uuid4(), verifier=VERIFIER)


@pytest.mark.parametrize(
    ("challenge", "device"), [("0" * 63, "x"), ("G" * 64, "x"), ("0" * 64, ""), ("0" * 64, "a\nb")]
)
def test_what_is_sent_is_looked_at(challenge: str, device: str) -> None:
    with pytest.raises(InvalidInput):
        sign_ins.start(challenge=challenge, device=device, address="")


def test_codes_differ_and_are_no_words() -> None:
    codes = {start().code for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code) == 9 and code[4] == "-" and not set(code) & set("AEIOUY") for code in codes)


def test_strangers_do_not_fill_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    TerminalSignIn.objects.all().delete()
    monkeypatch.setattr(limits, "TERMINAL_SIGN_INS_MAX", 3)
    waiting = [start() for _ in range(3)]
    with pytest.raises(TooManySignIns):
        start()
    long_ago = clock.now() - timedelta(minutes=limits.TERMINAL_SIGN_IN_MINUTES + 1)
    TerminalSignIn.objects.filter(id=waiting[0].id).update(expires_at=long_ago)
    start()
    with pytest.raises(SignInNotFound):
        sign_ins.find(waiting[0].id)
