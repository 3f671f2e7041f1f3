"""Two-factor sign-in: setting it up, the second step, taking it away; and what an attacker who has the password tries."""

import threading
import time
from typing import Any

import httpx
import pytest
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.test import Client, RequestFactory, override_settings

from console.accounts.openid import admission
from console.accounts.second_factor import factors, sign_in_views
from console.accounts.throttle import KNOWN_COOKIE
from storage.models import Session
from tests.commands import run_here
from tests.console.conftest import Browser
from tests.html import squeezed
from tests.matching import search
from tests.people import PASSWORD, Cast, make_person
from tests.second_factors import App, give_app, recovery_codes
from tests.serving import Server

SIGN_IN, SECOND_STEP, ACCOUNT = "/sign-in/", "/sign-in/second-step/", "/account/"
FACTORS = "/account/second-factor/"


def sign_in(client: Client, name: str, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": name, "password": PASSWORD, **more})


def text_of(answer: Any) -> str:
    return squeezed(answer.content.decode())


@pytest.fixture
def signed_in(undone: None) -> Client:
    """Somebody who has just signed in with the password."""
    client = Client()
    assert sign_in(client, make_person("ada").username)["Location"] == "/"
    return client


def set_up_app(client: Client) -> tuple[App, list[str]]:
    """The app and the recovery codes that the page shows."""
    secret = search(r'id="app-secret">([A-Z2-7 ]+)<', text_of(client.get(f"{FACTORS}app/"))).group(1)
    app = App(secret.replace(" ", ""))
    answer = client.post(f"{FACTORS}app/", {"code": app.code()})
    assert answer.status_code == 200, text_of(answer)
    codes = search(r'id="the-codes">([\d\s]+)<', answer.content.decode()).group(1)
    return app, codes.strip().splitlines()


def test_nothing_changes_for_who_has_set_up_none(undone: None) -> None:
    person, client = make_person(), Client()
    assert sign_in(client, person.username, next=ACCOUNT)["Location"] == ACCOUNT
    assert 'Two-factor sign-in <span class="chip">off</span>' in text_of(client.get(ACCOUNT))


def test_app_is_set_up_by_its_first_code(signed_in: Client) -> None:
    page = text_of(signed_in.get(f"{FACTORS}app/"))
    assert '<svg class="qr-code"' in page
    assert "<img" not in page.partition("<main")[2]
    secret = search(r'id="app-secret">([A-Z2-7 ]+)<', page).group(1).replace(" ", "")
    wrong = signed_in.post(f"{FACTORS}app/", {"code": App(secret).wrong_code()})
    assert wrong.status_code == 422
    assert "This code is not valid now." in text_of(wrong)
    assert secret in text_of(wrong).replace(" ", "")  # the same one, which the app knows by now
    assert not Authenticator.objects.filter(user_id=signed_in.session["_auth_user_id"]).exists()
    right = signed_in.post(f"{FACTORS}app/", {"code": App(secret).code()})
    assert len(search(r'id="the-codes">([\d\s]+)<', right.content.decode()).group(1).split("\n")) >= 10
    assert "no-store" in right["Cache-Control"]
    assert "10 left" in text_of(signed_in.get(ACCOUNT))


def test_secrets_stand_in_the_database_encrypted_alone(signed_in: Client) -> None:
    page = text_of(signed_in.get(f"{FACTORS}app/"))
    secret = search(r'id="app-secret">([A-Z2-7 ]+)<', page).group(1).replace(" ", "")
    assert secret not in str(dict(signed_in.session.items()))
    signed_in.post(f"{FACTORS}app/", {"code": App(secret).code()})
    app, codes = Authenticator.objects.filter(user_id=signed_in.session["_auth_user_id"]).order_by("-type")
    assert secret not in str(app.data)
    assert set(codes.data) == {"seed", "used_mask"}
    assert codes.data["seed"].startswith("gAAAA")  # Fernet's first bytes: the version, and a time
    with override_settings(SECRET_KEY="another one"):
        assert not factors.accepts_code(_request(signed_in), app.user, App(secret).code(steps_ago=-1))


def _request(client: Client) -> Any:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    return request


def test_second_step_lets_in_and_the_session_gets_a_new_name_each_time(undone: None) -> None:
    person, client = make_person(), Client()
    app = give_app(person)
    answer = sign_in(client, person.username, next=ACCOUNT)
    assert (answer.status_code, answer["Location"]) == (302, SECOND_STEP)
    half = client.cookies["sessionid"].value
    assert "_auth_user_id" not in client.session
    assert 0 < client.session.get_expiry_age() <= 600
    answer = client.post(SECOND_STEP, {"code": app.code()})
    assert (answer.status_code, answer["Location"]) == (302, ACCOUNT)
    assert client.cookies["sessionid"].value != half
    assert client.session.get_expiry_age() > 600
    assert "second_step" not in client.session
    replayed = Client()
    replayed.cookies["sessionid"] = half
    assert replayed.get("/").status_code == 302


@pytest.mark.parametrize("path", ["/", ACCOUNT, "/people/", "/jump/", f"{FACTORS}app/", f"{FACTORS}turn-off/"])
def test_password_alone_reaches_nothing_but_the_second_step(undone: None, path: str) -> None:
    person, client = make_person(owns_server=True), Client()
    give_app(person)
    sign_in(client, person.username)
    assert client.get(path)["Location"].startswith(SIGN_IN)
    assert client.post(path)["Location"].startswith(SIGN_IN)


def test_wrong_code_stays_out(undone: None) -> None:
    person, client = make_person(), Client()
    app = give_app(person)
    sign_in(client, person.username)
    answer = client.post(SECOND_STEP, {"code": app.wrong_code()})
    assert answer.status_code == 422
    assert "This code is not valid, or was used before." in text_of(answer)
    assert client.get("/").status_code == 302


def test_code_is_good_once_in_every_process(undone: None) -> None:
    person = make_person()
    code = give_app(person).code()
    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client, person.username)
    assert first.post(SECOND_STEP, {"code": code}).status_code == 302
    cache.clear()  # another process has none of this one's memory
    assert second.post(SECOND_STEP, {"code": code}).status_code == 422


def test_older_code_is_not_good_after_a_newer_one(undone: None) -> None:
    person = make_person()
    app = give_app(person)
    older, newer = app.code(steps_ago=1), app.code()
    assert factors.accepts_code(_request(Client()), person, newer)
    assert not factors.accepts_code(_request(Client()), person, older)


def test_first_code_of_a_new_app_does_not_sign_in(signed_in: Client) -> None:
    page = text_of(signed_in.get(f"{FACTORS}app/"))
    code = App(search(r'id="app-secret">([A-Z2-7 ]+)<', page).group(1).replace(" ", "")).code()
    person = User.objects.get(id=signed_in.session["_auth_user_id"])
    signed_in.post(f"{FACTORS}app/", {"code": code})
    other = Client()
    sign_in(other, person.username)
    assert other.post(SECOND_STEP, {"code": code}).status_code == 422


def test_many_requests_with_one_code_let_one_in(server: Server, database: None) -> None:
    """Against the real server, whose processes share nothing but the database."""
    person = make_person()
    app = give_app(person)
    browsers = [_half_signed_in(server, person.username) for _ in range(6)]
    code, answers = app.code(), []
    barrier = threading.Barrier(len(browsers))

    def send(browser: httpx.Client, token: str) -> None:
        barrier.wait()
        answers.append(browser.post(SECOND_STEP, data={"code": code, "csrfmiddlewaretoken": token}).status_code)

    threads = [threading.Thread(target=send, args=each) for each in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for browser, _ in browsers:
        browser.close()
    assert sorted(answers) == [302] + [422] * 5


def _half_signed_in(server: Server, name: str) -> tuple[httpx.Client, str]:
    browser = httpx.Client(base_url=server.url, trust_env=False, timeout=120)
    token = search(r'csrfmiddlewaretoken" value="(\w+)"', browser.get(SIGN_IN).text).group(1)
    answer = browser.post(SIGN_IN, data={"username": name, "password": PASSWORD, "csrfmiddlewaretoken": token})
    assert answer.headers["Location"] == SECOND_STEP
    return browser, search(r'csrfmiddlewaretoken" value="(\w+)"', browser.get(SECOND_STEP).text).group(1)


def test_recovery_code_is_good_once(undone: None) -> None:
    person, client = make_person(), Client()
    give_app(person)
    code = recovery_codes(person)[3]
    sign_in(client, person.username)
    assert client.post(SECOND_STEP, {"code": f" {code[:5]} {code[5:]} "}).status_code == 302
    assert "9 left" in text_of(client.get(ACCOUNT))
    again = Client()
    sign_in(again, person.username)
    assert again.post(SECOND_STEP, {"code": code}).status_code == 422


def test_guesses_are_bounded_from_all_addresses_together(undone: None) -> None:
    person = make_person()
    app = give_app(person)
    statuses = []
    for number in range(11):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        sign_in(client, person.username)
        statuses.append(client.post(SECOND_STEP, {"code": app.wrong_code()}).status_code)
    assert statuses == [422] * 10 + [429]
    answer = client.post(SECOND_STEP, {"code": app.code()})
    assert (answer.status_code, int(answer["Retry-After"]) in range(600, 901)) == (429, True)


def test_guesses_are_bounded_by_the_day_too(undone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_views, "SECOND_STEP_DAILY", sign_in_views.SECOND_STEP_DAILY._replace(tries=3))
    person, client = make_person(), Client()
    app = give_app(person)
    sign_in(client, person.username)
    assert [client.post(SECOND_STEP, {"code": app.wrong_code()}).status_code for _ in range(4)] == [422] * 3 + [429]
    assert int(client.post(SECOND_STEP, {"code": app.code()})["Retry-After"]) > 80_000


def test_who_has_the_password_alone_locks_nobody_out_and_is_not_known(undone: None) -> None:
    person, own, thief = make_person(), Client(), Client(REMOTE_ADDR="192.0.2.9")
    app = give_app(person)
    sign_in(own, person.username)
    assert KNOWN_COOKIE not in own.cookies
    own.post(SECOND_STEP, {"code": app.code(steps_ago=1)})
    assert own.cookies[KNOWN_COOKIE].value
    own.post("/sign-out/")
    sign_in(thief, person.username)
    assert [thief.post(SECOND_STEP, {"code": app.wrong_code()}).status_code for _ in range(11)] == [422] * 10 + [429]
    assert KNOWN_COOKIE not in thief.cookies
    sign_in(own, person.username)
    assert own.post(SECOND_STEP, {"code": app.code()})["Location"] == "/"


def test_right_code_gives_the_tries_back(undone: None) -> None:
    person, client = make_person(), Client()
    app = give_app(person)
    for code in [app.wrong_code()] * 9 + [app.code()]:
        sign_in(client, person.username)
        last = client.post(SECOND_STEP, {"code": code})
        client.post("/sign-out/")
    assert last.status_code == 302
    sign_in(client, person.username)
    assert client.post(SECOND_STEP, {"code": app.wrong_code()}).status_code == 422


def test_half_a_sign_in_is_over_after_ten_minutes(undone: None) -> None:
    person, client = make_person(), Client()
    app = give_app(person)
    sign_in(client, person.username)
    session = client.session
    session["second_step"] |= {"at": time.time() - 601}
    session.save()
    answer = client.post(SECOND_STEP, {"code": app.code()}, follow=True)
    assert answer.redirect_chain == [(SIGN_IN, 302)]
    assert "That took too long" in text_of(answer)


def test_half_a_sign_in_is_over_when_the_password_changes(undone: None) -> None:
    person, client = make_person(), Client()
    app = give_app(person)
    sign_in(client, person.username)
    person.set_password("another horse staple")
    person.save()
    assert client.post(SECOND_STEP, {"code": app.code()})["Location"] == SIGN_IN


def test_half_a_sign_in_is_over_when_the_account_is_closed(undone: None) -> None:
    person, client = make_person(), Client()
    app = give_app(person)
    sign_in(client, person.username)
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert client.post(SECOND_STEP, {"code": app.code()})["Location"] == SIGN_IN


@pytest.mark.parametrize("path", [SECOND_STEP, f"{SECOND_STEP}passkey/"])
def test_second_step_without_a_first_one_leads_to_the_sign_in_page(undone: None, path: str) -> None:
    assert Client().post(path, {"code": "123456", "answer": "{}"})["Location"] == SIGN_IN


def test_turning_off_asks_for_the_password(signed_in: Client) -> None:
    set_up_app(signed_in)
    assert signed_in.post(f"{FACTORS}turn-off/", {"proof": ""}).status_code == 422
    wrong = signed_in.post(f"{FACTORS}turn-off/", {"proof": "wrong"})
    assert (wrong.status_code, "This is not your password." in text_of(wrong)) == (422, True)
    assert "10 left" in text_of(signed_in.get(ACCOUNT))
    assert signed_in.post(f"{FACTORS}turn-off/", {"proof": PASSWORD})["Location"] == ACCOUNT
    assert not Authenticator.objects.filter(user_id=signed_in.session["_auth_user_id"]).exists()


def test_guesses_at_the_password_are_bounded_for_who_is_signed_in(signed_in: Client) -> None:
    set_up_app(signed_in)
    for _ in range(10):
        signed_in.post(f"{FACTORS}turn-off/", {"proof": "wrong"})
    answer = signed_in.post(f"{FACTORS}turn-off/", {"proof": PASSWORD})
    assert (answer.status_code, "Too many tries. Wait 5 minutes." in text_of(answer)) == (422, True)


def test_last_factor_takes_the_recovery_codes_along(signed_in: Client) -> None:
    set_up_app(signed_in)
    app = Authenticator.objects.get(user_id=signed_in.session["_auth_user_id"], type="totp")
    assert signed_in.post(f"{FACTORS}{app.id}/remove/", {"proof": PASSWORD})["Location"] == ACCOUNT
    assert not Authenticator.objects.filter(user_id=app.user_id).exists()


def test_last_passkey_of_who_has_no_password_stays(people: Cast, browser: Browser, settings: Any) -> None:
    person, app = people.member, give_app(people.member)
    person.set_unusable_password()
    person.save()
    passkey, other = (
        Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={"name": name})
        for name in "ab"
    )
    client = browser(person)

    def take_away(path: str, code: str) -> tuple[int, bool]:
        answer = client.post(f"{FACTORS}{path}", {"proof": code})
        return answer.status_code, "You could not sign in any more: set a password first." in text_of(answer)

    codes = recovery_codes(person)
    assert take_away(f"{other.pk}/remove/", app.code()) == (302, False)
    assert take_away(f"{passkey.pk}/remove/", codes[0]) == (422, True)
    assert take_away("turn-off/", codes[1]) == (422, True)
    settings.OIDC_ISSUER = "https://provider.example"
    admission.link(person, {"sub": "1"})
    assert take_away("turn-off/", codes[2]) == (302, False)
    assert not Authenticator.objects.filter(user=person).exists()


def test_new_recovery_codes_void_the_old_ones(signed_in: Client) -> None:
    _, old = set_up_app(signed_in)
    assert signed_in.post(f"{FACTORS}recovery-codes/", {"proof": "wrong"}).status_code == 422
    answer = signed_in.post(f"{FACTORS}recovery-codes/", {"proof": PASSWORD})
    new = search(r'id="the-codes">([\d\s]+)<', answer.content.decode()).group(1).strip().splitlines()
    assert (len(new), set(new) & set(old)) == (10, set())
    assert new[0] not in text_of(signed_in.get(f"{FACTORS}recovery-codes/"))


@pytest.mark.parametrize("path", ["app/", "passkeys/new/"])
def test_setting_up_long_after_signing_in_asks_for_the_password(signed_in: Client, path: str) -> None:
    session = signed_in.session
    session["proved_at"] = time.time() - 601
    session.save()
    asks = signed_in.get(FACTORS + path)
    assert asks["Location"] == f"{FACTORS}prove/?next=%2Faccount%2Fsecond-factor%2F{path.replace('/', '%2F')}"
    assert signed_in.post(asks["Location"], {"proof": "wrong"}).status_code == 422
    assert signed_in.post(asks["Location"], {"proof": PASSWORD})["Location"] == FACTORS + path
    assert signed_in.get(FACTORS + path).status_code == 200


def test_nobody_touches_another_persons_factors(people: Cast, browser: Browser) -> None:
    give_app(people.member)
    app = Authenticator.objects.get(user=people.member, type="totp")
    for path in (f"{FACTORS}{app.id}/remove/", f"{FACTORS}passkeys/{app.id}/rename/"):
        assert browser(people.server_owner).post(path, {"proof": PASSWORD, "name": "x"}).status_code == 404


def test_required_leads_everybody_to_set_it_up(people: Cast, browser: Browser) -> None:
    owner, member = browser(people.server_owner), browser(people.member)
    assert owner.post("/people/second-factor/", {"required": "yes"})["Location"] == "/people/"
    for client in (owner, member):
        for path in ("/", ACCOUNT, f"/collections/{people.collection.id}/base/", "/join/x/"):
            assert client.get(path)["Location"] == FACTORS, path
    assert member.get("/", HTTP_HX_REQUEST="true")["HX-Refresh"] == "true"
    by_script = member.get("/", HTTP_ACCEPT="application/json")
    assert (by_script.status_code, by_script.json()["errors"]) == (
        403,
        ["Set up two-factor sign-in first: reload the page."],
    )
    assert "requires more than a password" in member.get(FACTORS).content.decode()
    give_app(people.member)
    assert member.get("/").status_code == 200
    assert member.get(FACTORS)["Location"] == ACCOUNT


def test_required_is_set_up_right_after_signing_in(undone: None) -> None:
    owner = Client()
    sign_in(owner, make_person(owns_server=True).username)
    owner.post("/people/second-factor/", {"required": "yes"})
    client = Client()
    person = make_person()
    sign_in(client, person.username)
    set_up_app(client)
    assert client.get("/").status_code == 200
    app = Authenticator.objects.get(user=person, type="totp")
    for path in (f"{FACTORS}turn-off/", f"{FACTORS}{app.id}/remove/"):
        answer = client.post(path, {"proof": PASSWORD})
        assert (answer.status_code, "requires two-factor sign-in of everybody" in text_of(answer)) == (422, True)
    set_up_app(owner)
    assert owner.post("/people/second-factor/", {"required": "no"}).status_code == 302
    assert client.post(f"{FACTORS}turn-off/", {"proof": PASSWORD})["Location"] == ACCOUNT


def test_owner_resets_somebody_who_lost_everything(people: Cast, browser: Browser) -> None:
    give_app(people.member)
    theirs, owner = browser(people.member), browser(people.server_owner)
    said: list[Any] = []
    listen = lambda **told: said.append((told["user"], told["request"].user, told["authenticator"].type))  # noqa: E731
    signals.authenticator_removed.connect(listen)
    try:
        path = f"/people/{people.member.id}/second-factor/"
        assert f"Reset two-factor sign-in of {people.member.username}?" in owner.get(path).content.decode()
        assert owner.post(path)["Location"] == "/people/"
    finally:
        signals.authenticator_removed.disconnect(listen)
    assert {kind for _, _, kind in said} == {"totp", "recovery_codes"}
    assert {(person, by) for person, by, _ in said} == {(people.member, people.server_owner)}
    assert theirs.get("/").status_code == 302
    assert sign_in(theirs, people.member.username)["Location"] == "/"


def test_command_resets_an_owner(server: Server, database: None) -> None:
    person = make_person(owns_server=True)
    give_app(person)
    assert run_here("person", "reset-second-factor", "nobody-at-all").returncode == 1
    done = run_here("person", "reset-second-factor", person.username)
    assert (done.returncode, done.stdout) == (0, "Reset. The password alone signs in now.\n")
    assert not Authenticator.objects.filter(user=person).exists()
    assert not Session.objects.filter(person_id=person.id).exists()


def test_people_page_says_who_has_what(people: Cast, browser: Browser) -> None:
    give_app(people.member)
    page = text_of(browser(people.server_owner).get("/people/"))
    assert search(rf"{people.member.username}.*?<span class=\"chip\">(app)</span>", page)
    assert f'aria-label="Reset the two-factor sign-in of {people.member.username}"' in page


def test_static_files_of_allauth_are_not_served() -> None:
    assert finders.find("django_htmx/htmx-2.min.js")
    assert finders.find("mfa/js/webauthn.js") is None
    assert finders.find("account/js/account.js") is None
