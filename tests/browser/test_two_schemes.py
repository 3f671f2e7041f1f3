"""Signing in over http, https and http again in one browser, whose cookies are not kept apart by port."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.console.test_routes import make_drive
from tests.people import PASSWORD, Cast
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS

MAKE_FOLDER = """async () => {
  const { commonHeaders } = await import("/static/js/lib/requests.js");
  const body = JSON.stringify({ name: "made/" });
  return (await fetch("folders/", { method: "POST", headers: commonHeaders(), body })).status;
}"""


def sign_in(page: Page, origin: str, name: str) -> None:
    page.goto(f"{origin}/sign-in/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Collections").wait_for()


@pytest.mark.parametrize("host", ["localhost", pytest.param("127.0.0.1", marks=pytest.mark.slow)])
def test_signing_in_over_http_then_https_then_http_again(
    server: Server, chromium: Browser, cast: Cast, host: str
) -> None:
    plain = f"http://{host}:{urlsplit(server.url).port}"
    encrypted = f"https://{host}:{urlsplit(server.tls_url).port}"
    context = chromium.new_context(ignore_https_errors=True)
    context.set_default_timeout(MOMENT_SECONDS * 1000)
    page = context.new_page()

    sign_in(page, plain, cast.server_owner.username)
    sign_in(page, encrypted, cast.server_owner.username)
    # Both sessions last side by side.
    for origin in (plain, encrypted):
        page.goto(f"{origin}/account/")
        page.get_by_role("heading", name="Account").first.wait_for()
    names = {(cookie["name"], cookie["secure"]) for cookie in context.cookies()}
    assert names >= {("sessionid", False), ("__Host-sessionid", True), ("__Host-csrftoken", True)}

    # A script's request over https carries the token of https, with the one of http beside it.
    page.goto(f"{encrypted}/collections/{cast.collection.id}/drive/{make_drive(cast)}/")
    assert page.evaluate(MAKE_FOLDER) == 201

    # Signing out of http alone leaves https signed in, and http can be signed in to again.
    page.goto(f"{plain}/account/")
    page.locator('form[action="/sign-out/"] button').evaluate("button => button.form.submit()")
    page.wait_for_url("**/sign-in/**")
    sign_in(page, plain, cast.server_owner.username)
    page.goto(f"{encrypted}/account/")
    page.get_by_role("heading", name="Account").first.wait_for()
    context.close()
