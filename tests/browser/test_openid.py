"""Sign-in through an OpenID Connect provider, from the environment of `serve` to a page, in a real browser."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import faults_of
from tests.embedded.servers import making_servers
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, running_provider
from tests.waiting import MOMENT_SECONDS


@pytest.mark.slow
def test_provider_of_the_settings_signs_people_in(chromium: Browser) -> None:
    with running_provider() as provider, making_servers() as make_server:
        provider.claims = {"sub": "ada-1", "email": "ada@example.com", "email_verified": True}
        server = make_server(
            HOMEPORT_OIDC_ISSUER=provider.issuer,
            HOMEPORT_OIDC_CLIENT_ID=CLIENT_ID,
            HOMEPORT_OIDC_CLIENT_SECRET=CLIENT_SECRET,
            HOMEPORT_OIDC_NAME="Example SSO",
            HOMEPORT_OIDC_DOMAINS="example.com",
            HOMEPORT_OIDC_SIGN_UP="true",
        ).start()
        server.wait_ready()
        context = chromium.new_context(base_url=server.url, bypass_csp=True)
        context.set_default_timeout(MOMENT_SECONDS * 1000)
        page = context.new_page()
        page.goto("/account/")
        assert faults_of(page) == [], "sign-in page"
        page.get_by_role("link", name="Sign in with Example SSO").click()
        expect(page.get_by_role("heading", name="Account")).to_be_visible()
        expect(page.get_by_text("ada@example.com")).to_be_visible()
        assert faults_of(page) == [], "account"
        page.get_by_role("button", name="ada").click()
        page.get_by_role("button", name="Sign out", exact=True).click()
        provider.claims = {"sub": "eve-1", "email": "eve@example.org", "email_verified": True}
        page.get_by_role("link", name="Sign in with Example SSO").click()
        expect(page.get_by_text("takes verified addresses at example.com alone")).to_be_visible()
        assert faults_of(page) == [], "refusal"
        context.close()
        assert CLIENT_SECRET not in server.log
        assert len(provider.exchanged) == 2
