"""Two-factor sign-in in a real browser, with an authenticator that Chromium plays: passkeys, app, recovery codes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from storage.collections import sign_in_rules
from tests.browser.axe import faults_of
from tests.browser.conftest import Pages
from tests.people import PASSWORD, make_person
from tests.second_factors import App, give_app
from tests.serving import Server

Device = Callable[..., Page]


@pytest.fixture
def device(pages: Pages, server: Server) -> Device:
    """Opens a page at `localhost`, where browsers have passkeys, on a device that keeps them; signed out."""
    base = server.url.replace("127.0.0.1", "localhost")

    def open_page(*, is_verified: bool = True, **options: Any) -> Page:
        page = pages(None, f"{base}/sign-in/", **options)
        protocol = page.context.new_cdp_session(page)
        protocol.send("WebAuthn.enable")
        device = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": is_verified,
            "automaticPresenceSimulation": True,
        }
        made = protocol.send("WebAuthn.addVirtualAuthenticator", {"options": device})
        page.device = (protocol, made["authenticatorId"])  # type: ignore[attr-defined]
        return page

    return open_page


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def open_path(page: Page, path: str) -> None:
    page.goto(re.sub(r"(//[^/]+).*", rf"\1{path}", page.url))


def add_passkey(page: Page, name: str) -> None:
    open_path(page, "/account/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add a passkey").click()


def test_passkey_is_added_and_signs_in_alone_and_as_a_second_step(device: Device, database: None) -> None:
    person, page = make_person("ada"), device()
    sign_in(page, person.username)
    add_passkey(page, "My laptop")
    codes = page.locator("#the-codes").inner_text().splitlines()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("My laptop")).to_be_visible()
    expect(page.get_by_text("not used yet")).to_be_visible()

    sign_out(page, person.username)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("button", name=person.username)).to_be_visible()

    sign_out(page, person.username)
    sign_in(page, person.username)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name=person.username)).to_be_visible()
    open_path(page, "/account/")
    expect(page.get_by_text("passkey, used just now")).to_be_visible()


@pytest.mark.slow
def test_passkey_is_renamed_and_removed(device: Device, database: None) -> None:
    person, page = make_person("ada"), device()
    sign_in(page, person.username)
    add_passkey(page, "One")
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Rename One").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Phone")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("Passkey renamed.")).to_be_visible()
    page.get_by_role("link", name="Remove Phone").click()
    page.get_by_label("Your password").fill("wrong")
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Removed the passkey “Phone”.")).to_be_visible()
    assert not Authenticator.objects.filter(user=person).exists()
    sign_out(page, person.username)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey was not accepted. Sign in with your password.")).to_be_visible()


@pytest.mark.slow
def test_device_keeps_one_passkey_of_an_account(device: Device, database: None) -> None:
    person, page = make_person("ada"), device()
    sign_in(page, person.username)
    add_passkey(page, "One")
    page.get_by_role("link", name="I have kept them").click()
    add_passkey(page, "Again")
    expect(page.get_by_role("alert")).to_have_text("This device has a passkey for your account already.")


@pytest.mark.slow
def test_device_that_does_not_verify_signs_nobody_in(device: Device, database: None) -> None:
    person, page = make_person("ada"), device()
    sign_in(page, person.username)
    add_passkey(page, "One")
    page.get_by_role("link", name="I have kept them").click()
    sign_out(page, person.username)
    protocol, authenticator = page.device  # type: ignore[attr-defined]
    protocol.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The browser gave no passkey")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()


def test_another_persons_passkey_is_no_second_step(device: Device, database: None) -> None:
    eve, ada, page = make_person("eve"), make_person("ada"), device()
    give_app(ada)
    sign_in(page, eve.username)
    add_passkey(page, "Of Eve")
    page.get_by_role("link", name="I have kept them").click()
    sign_out(page, eve.username)
    sign_in(page, ada.username)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert page.evaluate(ANSWER_WITH_ANY, ["/sign-in/second-step/passkey/"] * 2) == 422
    open_path(page, "/account/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_answer_to_the_second_step_does_not_sign_in_alone(device: Device, database: None) -> None:
    person, page = make_person("ada"), device()
    sign_in(page, person.username)
    add_passkey(page, "One")
    page.get_by_role("link", name="I have kept them").click()
    sign_out(page, person.username)
    protocol, authenticator = page.device  # type: ignore[attr-defined]
    protocol.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    sign_in(page, person.username)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.evaluate(ANSWER_WITH_ANY, ["/sign-in/second-step/passkey/", "/sign-in/passkey/"])
    open_path(page, "/account/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


# With the modules of the pages themselves, but whichever passkey the device has, and without asking who holds it.
ANSWER_WITH_ANY = """async ([asked, answered]) => {
    const { commonHeaders, requestJson } = await import('/static/js/lib/requests.js');
    const { readQuestion, writeAnswer } = await import('/static/js/lib/passkey_answers.js');
    const question = readQuestion(await requestJson(`${asked}question/`, { method: 'POST' }));
    delete question.publicKey.allowCredentials;
    question.publicKey.userVerification = 'discouraged';
    const answer = writeAnswer(await navigator.credentials.get(question));
    const headers = { ...commonHeaders(), 'Content-Type': 'application/x-www-form-urlencoded' };
    return (await fetch(answered, { method: 'POST', headers, body: new URLSearchParams({ answer }) })).status;
}"""


def test_app_and_recovery_codes(pages: Pages, database: None, tmp_path: Path) -> None:
    person = make_person("ada")
    page = pages(None, "/sign-in/", bypass_csp=False, permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, person.username)
    open_path(page, "/account/")
    expect(page.get_by_text("browsers offer none at this address")).to_be_visible()
    page.get_by_role("link", name="Set up an authenticator app").click()
    picture = page.get_by_role("img", name="QR code of the secret")
    assert (picture.bounding_box() or {"width": 0})["width"] > 150
    app = App(page.locator("#app-secret").inner_text().replace(" ", ""))
    page.get_by_label("Code that the app shows").fill(app.code())
    page.get_by_role("button", name="Turn it on").click()
    codes = page.locator("#the-codes").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "homeport-recovery-codes.txt"
    download.value.save_as(tmp_path / "codes")
    assert (tmp_path / "codes").read_text() == codes + "\n"
    page.get_by_role("link", name="I have kept them").click()
    sign_out(page, person.username)
    sign_in(page, person.username)
    page.get_by_label("Code").fill(codes.splitlines()[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name=person.username)).to_be_visible()
    open_path(page, "/account/")
    page.get_by_role("link", name="Make new recovery codes").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Make new codes").click()
    expect(page.get_by_role("dialog").locator("#the-codes")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_for_axe_to_find(device: Device, database: None, width: int) -> None:
    """On the pages of who has a second factor; those of who has none are in `tests/browser/test_accessibility.py`."""
    person, page = make_person("ada", owns_server=True), device(width=width, bypass_csp=True)
    sign_in(page, person.username)
    add_passkey(page, "My laptop, with a name that is rather longer than names of laptops are")
    page.locator("#the-codes").wait_for()
    faults = {"codes": faults_of(page)}
    give_app_only(person)
    for name, path in (
        ("account", "/account/"),
        ("turn off", "/account/second-factor/turn-off/"),
        ("renew", "/account/second-factor/recovery-codes/"),
        ("people", "/people/"),
    ):
        open_path(page, path)
        faults[name] = faults_of(page)
    page.context.clear_cookies()
    open_path(page, "/sign-in/")
    faults["sign in"] = faults_of(page)
    sign_in(page, person.username)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    faults["second step"] = faults_of(page)
    assert {name: found for name, found in faults.items() if found} == {}


def give_app_only(person: Any) -> None:
    """Beside the recovery codes that are there."""
    Authenticator.objects.filter(user=person, type=Authenticator.Type.RECOVERY_CODES).delete()
    give_app(person)


@pytest.mark.slow
def test_required_in_a_browser(device: Device, database: None) -> None:
    person, page = make_person("ada"), device()
    sign_in_rules.require_second_factor(is_required=True)
    try:
        sign_in(page, person.username)
        expect(page.get_by_role("heading", name="Set up two-factor sign-in")).to_be_visible()
        open_path(page, "/")
        page.get_by_role("link", name="Add a passkey").click()
        page.get_by_label("Name").fill("One")
        page.get_by_role("button", name="Add a passkey").click()
        page.get_by_role("link", name="I have kept them").click()
        expect(page.get_by_text("An owner of this server requires it of everybody.")).to_be_visible()
    finally:
        sign_in_rules.require_second_factor(is_required=False)
