"""A form that does not come from where the server believes to be: the page names both addresses, and what to set."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from console.server.proxies import IS_BELIEVED
from tests.html import squeezed

NAME = "home.example.org"


@pytest.fixture(scope="module")
def checked() -> Client:
    """A browser whose forms are checked."""
    return Client(enforce_csrf_checks=True)


def refused(client: Client, *, host: str, scheme: str = "http", **told: object) -> str:
    answer = client.post("/sign-in/", {}, headers={"Host": host}, **{"wsgi.url_scheme": scheme, **told})  # type: ignore[arg-type]
    assert answer.status_code == 403
    return squeezed(answer.content.decode())


@pytest.mark.parametrize(
    "browser, host, is_believed, advice",
    [
        (
            f"https://{NAME}",
            "127.0.0.1:8000",
            None,
            [
                "If 10.0.0.9 is your proxy, set HOMEPORT_TRUSTED_PROXIES=10.0.0.9.",
                "Have the proxy send the header X-Forwarded-Proto: https.",
                f"Have the proxy pass on the header Host: {NAME}, or send it as X-Forwarded-Host.",
                f"Add {NAME} to HOMEPORT_ALLOWED_HOSTS.",
            ],
        ),
        (
            "https://localhost",
            "localhost",
            False,
            [
                "It says where the browser is, and is not believed. If 10.0.0.9 is your proxy, set"
                " HOMEPORT_TRUSTED_PROXIES=10.0.0.9."
            ],
        ),
        ("https://localhost", "localhost", True, ["Have the proxy send the header X-Forwarded-Proto: https."]),
        (
            "http://localhost:8443",
            "localhost",
            True,
            ["Have the proxy pass on the header Host: localhost:8443, or send it as X-Forwarded-Host."],
        ),
    ],
    ids=["nothing told", "not believed", "no scheme", "no port"],
)
def test_a_mismatch_is_named(
    checked: Client, browser: str, host: str, is_believed: bool | None, advice: list[str]
) -> None:
    told: dict[str, Any] = {} if is_believed is None else {IS_BELIEVED: is_believed}
    page = refused(checked, host=host, HTTP_ORIGIN=browser, REMOTE_ADDR="10.0.0.9", **told)
    assert f"The browser says <code>{browser}</code>, the server sees <code>http://{host}</code>." in page
    assert page.partition("<ul>")[2].partition("</ul>")[0] == "".join(f"<li>{each}</li>" for each in advice)


def test_without_an_origin_the_page_before_tells(checked: Client) -> None:
    page = refused(checked, host="localhost", scheme="https", HTTP_REFERER="https://localhost:8443/sign-in/?next=/")
    assert (
        "The browser says <code>https://localhost:8443</code>, the server sees <code>https://localhost</code>." in page
    )


@pytest.mark.parametrize("origin", ["null", "https://", "ftp://a", "http://[::1", "javascript:alert(1)", ""])
def test_what_is_no_origin_is_not_shown(checked: Client, origin: str) -> None:
    assert "This form has expired" in refused(checked, host="localhost", HTTP_ORIGIN=origin)


def test_an_origin_is_text(checked: Client) -> None:
    page = refused(checked, host="localhost", HTTP_ORIGIN="http://<b>x")
    assert "<code>http://&lt;b&gt;x</code>" in page


def test_a_name_that_the_server_does_not_have_is_told(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    answer = Client().get("/sign-in/", headers={"Host": f"{NAME}:8000"})
    assert answer.status_code == 400
    assert f"asked for as <code>{NAME}</code>, which is no name that it has" in squeezed(answer.content.decode())
