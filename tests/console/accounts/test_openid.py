"""Signing in through an OpenID Connect provider, which is a real one on this machine; and what a bad one tries."""

import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from console.accounts import invitations as links
from console.accounts.openid import admission
from console.accounts.openid.configured import provider_id
from storage.collections import invitations
from storage.models import Membership, Role
from tests.console.conftest import Browser
from tests.html import squeezed
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider
from tests.people import PASSWORD, Cast, make_person
from tests.second_factors import give_app, recovery_codes

BEGIN = "/sign-in/openid/"
ADA = {"sub": "ada-1", "email": "Ada@Example.com", "email_verified": True, "preferred_username": "ada"}


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(undone: None, shared_provider: Provider, settings: Any) -> Provider:
    """The provider that the settings name, with nothing wrong."""
    cache.clear()
    fresh = Provider(shared_provider.issuer, shared_provider.key, claims=dict(ADA))
    shared_provider.__dict__.update(fresh.__dict__)
    settings.OIDC_ISSUER = shared_provider.issuer
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    settings.OIDC_NAME = "Example SSO"
    return shared_provider


def come_back(client: Client, provider: Provider, path: str = BEGIN) -> Any:
    """Go to the provider and come back: the last answer."""
    sent = client.get(path)
    assert sent.status_code == 302, text_of(sent)
    assert sent["Location"].startswith(f"{provider.issuer}/authorize?")
    return client.get(provider.authorize(sent["Location"]))


def text_of(answer: Any) -> str:
    return squeezed(answer.content.decode())


def linked(person: User, subject: str = "ada-1") -> User:
    SocialAccount.objects.create(user=person, provider=provider_id(), uid=subject)
    return person


def refused(answer: Any, client: Client, status: int = 403) -> str:
    """What the page says to somebody who stays out."""
    assert answer.status_code == status, answer.get("Location")
    assert "_auth_user_id" not in client.session
    return text_of(answer)


def test_off_until_there_is_an_issuer(people: Cast, browser: Browser) -> None:
    assert BEGIN not in browser(None).get("/sign-in/").content.decode()
    for path in (BEGIN, f"{BEGIN}callback/"):
        assert browser(None).get(path).status_code == 404
    for path in ("/account/openid/link/", "/account/openid/unlink/", f"/people/{people.member.id}/email/"):
        assert browser(people.server_owner).get(path).status_code == 404
    assert "openid" not in browser(people.server_owner).get("/account/").content.decode()


def test_linked_person_signs_in(provider: Provider) -> None:
    person, client = linked(make_person()), Client()
    assert f'<a class="button" href="{BEGIN}">Sign in with Example SSO</a>' in text_of(client.get("/sign-in/"))
    answer = come_back(client, provider, f"{BEGIN}?next=/account/")
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert client.session["_auth_user_id"] == str(person.pk)
    assert client.session.get_expiry_age() > 600
    asked = provider.asked[-1]
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert asked["redirect_uri"] == f"http://testserver{BEGIN}callback/"
    assert len(asked["state"]) >= 16
    assert len(asked["nonce"]) >= 16
    assert not SocialToken.objects.exists()


def test_next_leads_to_this_server_alone(provider: Provider) -> None:
    linked(make_person())
    assert come_back(Client(), provider, f"{BEGIN}?next=https://evil.example/")["Location"] == "/"


def test_session_gets_a_new_name(provider: Provider) -> None:
    linked(make_person())
    client = Client()
    sent = client.get(BEGIN)
    before = client.cookies["sessionid"].value
    assert 0 < client.session.get_expiry_age() <= 600
    client.get(provider.authorize(sent["Location"]))
    assert client.cookies["sessionid"].value != before


def test_second_factor_is_asked_for_here_too(provider: Provider) -> None:
    person, client = linked(make_person()), Client()
    app = give_app(person)
    assert come_back(client, provider)["Location"] == "/sign-in/second-step/"
    assert client.get("/").status_code == 302
    assert client.post("/sign-in/second-step/", {"code": app.code()})["Location"] == "/"


def test_unknown_person_stays_out(provider: Provider) -> None:
    people_before = User.objects.count()
    client = Client()
    said = refused(come_back(client, provider), client)
    assert "Nobody here belongs to your account ada@example.com at Example SSO." in said
    assert User.objects.count() == people_before


def test_person_is_known_by_a_verified_address_that_an_owner_noted(
    people: Cast, browser: Browser, provider: Provider
) -> None:
    owner, path = browser(people.server_owner), f"/people/{people.member.id}/email/"
    assert "verified there, signs in here as" in owner.get(path).content.decode()
    assert owner.post(path, {"email": "ada@example.COM"})["Location"] == "/people/"
    taken = owner.post(f"/people/{people.reader.id}/email/", {"email": "ADA@example.com"})
    assert (taken.status_code, "Somebody else here has this address." in taken.content.decode()) == (422, True)
    client = Client()
    assert come_back(client, provider)["Location"] == "/"
    assert client.session["_auth_user_id"] == str(people.member.pk)
    # From now on by its subject, whatever the address is.
    provider.claims |= {"email": "other@example.com"}
    again = Client()
    come_back(again, provider)
    assert again.session["_auth_user_id"] == str(people.member.pk)


@pytest.mark.parametrize("told", [{"email_verified": False}, {"email_verified": None}, {"email_verified": "no"}])
def test_address_that_is_not_verified_links_nothing(provider: Provider, told: dict[str, Any]) -> None:
    admission.note_email(make_person(), "ada@example.com")
    provider.claims |= told
    client = Client()
    refused(come_back(client, provider), client)
    assert not SocialAccount.objects.exists()


def test_address_links_no_second_account(provider: Provider) -> None:
    person = linked(make_person(), "somebody-before")
    admission.note_email(person, "ada@example.com")
    client = Client()
    refused(come_back(client, provider), client)


def test_address_of_a_person_is_not_the_persons_to_choose(people: Cast, browser: Browser, provider: Provider) -> None:
    assert browser(people.member).post(f"/people/{people.member.id}/email/", {"email": "a@b.c"}).status_code == 404


def test_account_of_another_issuer_is_another_account(provider: Provider, settings: Any) -> None:
    settings.OIDC_ISSUER = "https://elsewhere.example"
    linked(make_person())
    settings.OIDC_ISSUER = provider.issuer
    client = Client()
    refused(come_back(client, provider), client)


def test_closed_account_stays_out(provider: Provider) -> None:
    person, client = linked(make_person()), Client()
    person.is_active = False
    person.save()
    assert "closed" in refused(come_back(client, provider), client)


def test_invitation_makes_an_account(people: Cast, provider: Provider) -> None:
    address = make_link(people)
    client = Client()
    page = client.get(address)
    token = address.rstrip("/").rpartition("/")[2]
    way = f"{BEGIN}?invitation={quote(token)}"
    assert f'href="{way}">Join with Example SSO</a>' in text_of(page)
    make_taken = User.objects.create(username="Ada")
    assert come_back(client, provider, way)["Location"] == "/"
    person = User.objects.get(pk=client.session["_auth_user_id"])
    assert (person.username, person.has_usable_password(), make_taken.username) == ("ada-2", False, "Ada")
    assert Membership.objects.get(person=person).role == Role.READER
    assert EmailAddress.objects.get(user=person).email == "ada@example.com"
    other, people_before = Client(), User.objects.count()
    provider.claims |= {"sub": "eve", "email": "eve@example.com"}
    assert "The invitation was used" in refused(come_back(other, provider, way), other)
    assert User.objects.count() == people_before


def make_link(people: Cast) -> str:
    invitation = invitations.invite_person(
        collection_id=people.collection.id, role=Role.READER, note="x", invited_by=people.owner
    )
    request = Client().get("/sign-in/").wsgi_request
    return links.make_link(request, invitation).removeprefix("http://testserver")


def test_invitation_of_somebody_known_is_accepted_on_its_page(people: Cast, provider: Provider) -> None:
    linked(people.outsider)
    address, client = make_link(people), Client()
    token = address.rstrip("/").rpartition("/")[2]
    assert come_back(client, provider, f"{BEGIN}?invitation={token}")["Location"] == address
    assert "You are signed in as" in client.get(address).content.decode()


def test_sign_up_where_it_is_allowed(provider: Provider, settings: Any) -> None:
    settings.OIDC_SIGN_UP = True
    client = Client()
    assert come_back(client, provider)["Location"] == "/"
    person = User.objects.get(pk=client.session["_auth_user_id"])
    assert (person.is_superuser, person.has_usable_password()) == (False, False)
    again = Client()
    come_back(again, provider)
    assert again.session["_auth_user_id"] == str(person.pk)


@pytest.mark.parametrize(
    "told, gets_in",
    [
        ({}, True),
        ({"email": "ada@example.org"}, False),
        ({"email": "ada@sub.example.com"}, False),
        ({"email": "ada@example.com@evil.example"}, False),
        ({"email_verified": False}, False),
        ({"email": None}, False),
    ],
)
def test_domains_are_the_only_ones(provider: Provider, settings: Any, told: dict[str, Any], gets_in: bool) -> None:
    settings.OIDC_DOMAINS = ["example.com"]
    linked(make_person())
    provider.claims |= told
    client = Client()
    answer = come_back(client, provider)
    assert ("_auth_user_id" in client.session) is gets_in
    if not gets_in:
        assert "verified addresses at example.com alone" in refused(answer, client)


def test_address_may_come_from_userinfo_of_the_same_person(provider: Provider) -> None:
    person, client = make_person(), Client()
    admission.note_email(person, "ada@example.com")
    provider.claims = {"sub": "ada-1"}
    provider.in_userinfo = {**ADA, "sub": "somebody-else"}
    refused(come_back(client, provider), client, status=502)
    provider.in_userinfo = ADA
    come_back(client, provider)
    assert client.session["_auth_user_id"] == str(person.pk)


NOW = int(time.time())


@pytest.mark.parametrize(
    "forged",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": None},
        {"aud": [CLIENT_ID, "another-client"]},
        {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
        {"exp": NOW - 600},
        {"exp": None},
        {"iat": None},
        {"iat": NOW + 86_400},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 192},
        {"sub": "a\0"},
        {"sub": "\ud800"},
    ],
    # The two processes of a run have to agree on the names, which hold no time therefore.
    ids=lambda forged: "-".join(
        f"{name}-{'none' if value is None else type(value).__name__}" for name, value in forged.items()
    ),
)
def test_token_for_something_else_is_refused(provider: Provider, forged: dict[str, Any]) -> None:
    linked(make_person())
    provider.forged = forged
    client = Client()
    said = refused(come_back(client, provider), client, status=502)
    assert "Example SSO does not answer as it should. Try again in a moment." in said


@pytest.mark.parametrize("odd", ["a\0b", "\ud800", "x" * 300 + "@example.com", ["a"], {"a": 1}, 7], ids=list("abcdef"))
def test_odd_claims_are_left_out(provider: Provider, settings: Any, odd: Any) -> None:
    settings.OIDC_SIGN_UP = True
    provider.claims = {"sub": "odd-1", "email": odd, "email_verified": True, "preferred_username": odd, "name": odd}
    client = Client()
    assert come_back(client, provider)["Location"] == "/"
    link = SocialAccount.objects.get(user_id=client.session["_auth_user_id"])
    assert (link.uid, link.extra_data, link.user.username) == ("odd-1", {}, "person")


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_addresses_of_the_provider_are_as_safe_as_its_own(provider: Provider, name: str) -> None:
    provider.endpoints = {name: "ftp://127.0.0.1/x"}
    client = Client()
    refused(client.get(BEGIN), client, status=502)


def test_token_for_two_that_was_asked_by_us_is_good(provider: Provider) -> None:
    linked(make_person())
    provider.forged = {"aud": [CLIENT_ID, "another-client"], "azp": CLIENT_ID}
    assert come_back(Client(), provider)["Location"] == "/"


@pytest.mark.parametrize("wrong", ["none", "shared secret", "another key"])
def test_token_that_the_provider_did_not_sign_is_refused(provider: Provider, wrong: str) -> None:
    linked(make_person())
    if wrong == "none":
        provider.algorithm, provider.signing_key = "none", ""
        provider.make_token = lambda asked: _unsigned(provider, asked)  # type: ignore[method-assign]
    elif wrong == "shared secret":
        provider.algorithm, provider.signing_key = "HS256", CLIENT_SECRET.ljust(32, "0")
    else:
        provider.signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    client = Client()
    try:
        refused(come_back(client, provider), client, status=502)
    finally:
        provider.__dict__.pop("make_token", None)


def _unsigned(provider: Provider, asked: dict[str, str]) -> str:
    return jwt.encode({"iss": provider.issuer, **ADA, "nonce": asked["nonce"], "aud": CLIENT_ID}, "", algorithm="none")


def test_state_is_this_browsers_and_good_once(provider: Provider) -> None:
    linked(make_person())
    client, other = Client(), Client()
    back = provider.authorize(client.get(BEGIN)["Location"])
    other.get(BEGIN)
    said = refused(other.get(back), other)
    assert "This sign-in was begun in another browser, or too long ago." in said
    assert client.get(back)["Location"] == "/"
    client.post("/sign-out/")
    refused(client.get(back), client)
    refused(client.get(f"{BEGIN}callback/"), client)


def test_person_who_says_no_is_told(provider: Provider) -> None:
    client = Client()
    asked = client.get(BEGIN)["Location"]
    state = provider.authorize(asked).rpartition("state=")[2]
    answer = client.get(f"{BEGIN}callback/?error=access_denied&error_description=<b>&state={state}")
    assert "Example SSO did not sign you in." in refused(answer, client)
    assert "<b>" not in text_of(answer)


@pytest.mark.parametrize("when", ["before", "after"])
def test_provider_that_is_down_is_told(provider: Provider, when: str) -> None:
    client = Client()
    asked = client.get(BEGIN)["Location"]
    back = provider.authorize(asked)
    cache.clear()
    provider.is_down = True
    answer = client.get(BEGIN if when == "before" else back)
    assert "does not answer as it should" in refused(answer, client, status=502)


def test_provider_of_another_name_is_not_believed(provider: Provider, settings: Any) -> None:
    settings.OIDC_ISSUER = provider.issuer.replace("127.0.0.1", "localhost")
    client = Client()
    refused(client.get(BEGIN), client, status=502)


def test_secrets_stand_in_no_log_and_no_page(
    provider: Provider, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("console", "allauth", "urllib3", "django"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    provider.forged = {"nonce": "another"}
    client = Client()
    answer = come_back(client, provider)
    provider.key, kept = rsa.generate_private_key(public_exponent=65537, key_size=2048), provider.key
    come_back(client, provider)
    provider.key = kept
    sent = provider.exchanged[-1]
    assert "Sign-in through" in caplog.text
    for secret in (CLIENT_SECRET, sent["code"], sent["code_verifier"], "eyJ"):
        assert secret not in caplog.text
        assert secret not in text_of(answer)


def test_another_sites_page_cannot_begin_it(provider: Provider) -> None:
    assert Client().get(BEGIN, HTTP_SEC_FETCH_SITE="cross-site")["Location"] == "/sign-in/"
    assert Client().get(BEGIN, HTTP_SEC_FETCH_SITE="same-origin")["Location"].startswith(provider.issuer)


def test_beginnings_are_bounded(provider: Provider) -> None:
    client = Client(REMOTE_ADDR="192.0.2.8")
    assert {client.get(BEGIN).status_code for _ in range(60)} == {302}
    assert client.get(BEGIN).status_code == 429


def test_person_links_the_own_account(provider: Provider, people: Cast, browser: Browser) -> None:
    client, path = browser(people.member), "/account/openid/link/"
    assert client.get("/account/").content.decode().count("Link an account") == 1
    assert client.post(path, {"proof": "wrong"}).status_code == 422
    answer = client.post(path, {"proof": PASSWORD}, HTTP_HX_REQUEST="true")
    back = provider.authorize(answer["HX-Redirect"])
    without_script = client.post(path, {"proof": PASSWORD})
    assert f'href="{provider.issuer}/authorize?' in without_script.content.decode()
    assert client.get(back)["Location"] == "/account/"
    assert "Ada@Example.com" in client.get("/account/").content.decode()
    other = Client()
    come_back(other, provider)
    assert other.session["_auth_user_id"] == str(people.member.pk)
    assert client.post("/account/openid/unlink/", {"proof": "wrong"}).status_code == 422
    assert client.post("/account/openid/unlink/", {"proof": PASSWORD})["Location"] == "/account/"
    refused(come_back(Client(), provider), Client())


def test_account_of_somebody_else_is_not_linked(provider: Provider, people: Cast, browser: Browser) -> None:
    linked(people.reader)
    client = browser(people.member)
    answer = client.post("/account/openid/link/", {"proof": PASSWORD}, HTTP_HX_REQUEST="true")
    said = client.get(provider.authorize(answer["HX-Redirect"]))
    assert (said.status_code, "belongs to somebody else here" in text_of(said)) == (403, True)


def test_link_is_made_for_who_asked_alone(provider: Provider, people: Cast, browser: Browser) -> None:
    client = browser(people.member)
    answer = client.post("/account/openid/link/", {"proof": PASSWORD}, HTTP_HX_REQUEST="true")
    back = provider.authorize(answer["HX-Redirect"])
    session = client.session
    session["_auth_user_id"], session["_auth_user_hash"] = (
        str(people.reader.pk),
        people.reader.get_session_auth_hash(),
    )
    session.save()
    assert client.get(back).status_code == 403
    assert not SocialAccount.objects.exists()


def test_who_came_through_the_provider_alone_can_choose_a_password(provider: Provider, settings: Any) -> None:
    settings.OIDC_SIGN_UP = True
    client = Client()
    come_back(client, provider)
    assert "Your account has none." in client.get("/account/").content.decode()
    assert client.post("/account/openid/unlink/", {"proof": "x"}).status_code == 422
    new = {"new_password1": "another horse staple", "new_password2": "another horse staple"}
    session = client.session
    session["proved_at"] = time.time() - 601
    session.save()
    prove = client.post("/account/first-password/", new)["Location"]
    assert "sign out, sign in again" in client.get(prove).content.decode().lower()
    client.post("/sign-out/")
    come_back(client, provider)
    assert client.post("/account/first-password/", new)["Location"] == "/account/"
    assert client.get("/account/").status_code == 200
    person = User.objects.get(pk=client.session["_auth_user_id"])
    assert person.check_password("another horse staple")


def test_last_way_in_is_not_unlinked(provider: Provider, people: Cast, browser: Browser) -> None:
    person = linked(people.member)
    person.set_unusable_password()
    person.save()
    app, client = give_app(person), browser(person)
    codes = recovery_codes(person)

    alone = client.post("/account/openid/unlink/", {"proof": app.code()})
    assert (alone.status_code, "You could not sign in any more" in text_of(alone)) == (422, True)
    assert SocialAccount.objects.filter(user=person).exists()

    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "a"})
    assert client.post("/account/openid/unlink/", {"proof": codes[0]})["Location"] == "/account/"
    assert not SocialAccount.objects.filter(user=person).exists()


def test_who_has_a_password_gets_no_first_one(people: Cast, browser: Browser) -> None:
    client = browser(people.member)
    session = client.session
    session["proved_at"] = time.time()
    session.save()
    new = {"new_password1": "another horse staple", "new_password2": "another horse staple"}
    assert client.post("/account/first-password/", new)["Location"] == "/account/"
    people.member.refresh_from_db()
    assert people.member.check_password(PASSWORD)


def test_callback_is_named_in_the_docs() -> None:
    assert reverse("openid-callback") == f"{BEGIN}callback/"
