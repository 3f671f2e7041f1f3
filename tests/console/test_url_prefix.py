"""All of it below a path of a host: no page, answer or cookie leads out of there.

In `test_reverse_proxies.py` a real server is below one, behind real proxies.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLResolver, clear_script_prefix, get_resolver, set_script_prefix
from pytest_django import Settings

from console import url_prefix
from console.environment import OWN_PATHS
from console.templatetags import page
from tests.console.conftest import Browser
from tests.console.test_routes import url_of
from tests.people import Cast

PREFIX = "/below/it"
_OWN = "|".join(map(re.escape, sorted(OWN_PATHS)))
# An address of ours that leads out: in an attribute, a JSON text, a header, and to the first page.
LEADS_OUT = re.compile(rf"""(?:^|["'(=;])/(?:{_OWN})\b[^"'\s]*+|(?:href|src|action|hx-[a-z]++)="/(?=["?])|^/(?=\?|$)""")


@pytest.fixture
def below(settings: Settings) -> Iterator[None]:
    settings.URL_PREFIX = settings.FORCE_SCRIPT_NAME = PREFIX
    settings.STATIC_URL = f"{PREFIX}/static/"
    set_script_prefix(f"{PREFIX}/")
    page._import_map.cache_clear()  # type: ignore[attr-defined]
    yield
    clear_script_prefix()
    page._import_map.cache_clear()  # type: ignore[attr-defined]


def names() -> list[str]:
    """Of all routes that a person may ask to see."""
    found = [str(name) for name in get_resolver().reverse_dict if isinstance(name, str)]
    return sorted(name for name in found if name != "sign-out")


@pytest.mark.usefixtures("below")
def test_no_page_leads_out(people: Cast, browser: Browser) -> None:
    client = browser(people.server_owner)
    wrong: dict[str, list[str]] = {}
    seen = 0
    for name in names():
        url = url_of(name, people)
        assert url.startswith(f"{PREFIX}/")
        for headers in ({}, {"HX-Request": "true", "HX-Target": "dialog"}):
            answer = client.get(url.removeprefix(PREFIX), headers=headers)
            text = answer.content.decode(errors="replace") if not answer.streaming else ""
            told = [answer.get(header, "") for header in ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url")]
            if found := [match for each in (text, *told) for match in LEADS_OUT.findall(each)]:
                wrong[name] = found
            seen += answer.status_code == 200
            assert {cookie["path"] for cookie in answer.cookies.values()} <= {PREFIX}
    assert wrong == {}
    assert seen > 60


def test_what_leads_out_is_found() -> None:
    for text in (
        '<a href="/">',
        '<a href="/collections/x/">',
        "url(/static/x.css)",
        '{"next": "/v1/x"}',
        "/sign-in/?a",
    ):
        assert LEADS_OUT.findall(text), text
    for text in (
        f'<a href="{PREFIX}/">',
        f'"{PREFIX}/static/x.css"',
        "https://a.example/v1/x",
        "and/or",
        '"a/v1"',
        '<kbd key="/">',
    ):
        assert not LEADS_OUT.findall(text), text


@pytest.mark.usefixtures("below")
def test_clients_are_told_the_path(people: Cast, browser: Browser) -> None:
    for name, host in (("javascript", "DETA_BASE_HOST"), ("python", "HOMEPORT_URL"), ("go", "DETA_BASE_ROOT_ENDPOINT")):
        text = browser(people.owner).get(f"/collections/{people.collection.id}/connect/?client={name}").content.decode()
        assert re.search(rf"{host}=[^\n]*{PREFIX}(/v1)?\n", text), name
        assert re.search(rf"deta login --server \S+{PREFIX}[ <]", text)
        assert re.search(rf"[^/]{PREFIX}/clients/", text)


@pytest.mark.usefixtures("below")
@pytest.mark.parametrize(
    "path, raw, found",
    [
        (f"{PREFIX}/v1/a", f"{PREFIX}/v1/a?b", ("/v1/a", "/v1/a?b", PREFIX)),
        (PREFIX, PREFIX, ("", "", PREFIX)),
        ("/v1/a", "/v1/a", ("/v1/a", "/v1/a", "")),
        (f"{PREFIX}er/v1/a", f"{PREFIX}er/v1/a", (f"{PREFIX}er/v1/a", f"{PREFIX}er/v1/a", "")),
    ],
)
def test_a_request_comes_with_the_path_or_without(path: str, raw: str, found: tuple[str, str, str]) -> None:
    environ: dict[str, Any] = {"PATH_INFO": path, "RAW_URI": raw, "SCRIPT_NAME": "", "HTTP_HOST": "localhost"}
    for _ in range(2):
        url_prefix.enter(environ)
        assert (environ["PATH_INFO"], environ["RAW_URI"], environ["SCRIPT_NAME"]) == found
    micro: dict[str, Any] = {"PATH_INFO": path, "RAW_URI": raw, "SCRIPT_NAME": "", "HTTP_HOST": "app.localhost:8000"}
    url_prefix.enter(micro)
    assert micro["PATH_INFO"] == path


def test_no_path_is_one_of_our_own(settings: Settings) -> None:
    """Else a request that comes without it could be meant in two ways."""
    patterns = [str(each.pattern) for each in get_resolver().url_patterns]
    included = [part for part in get_resolver().url_patterns if isinstance(part, URLResolver) and not str(part.pattern)]
    flat = [str(each.pattern) for part in included for each in part.url_patterns]
    firsts = {pattern.partition("/")[0] for pattern in (*patterns, *flat)} - {""}
    assert firsts <= OWN_PATHS, firsts - OWN_PATHS
    assert settings.STATIC_URL.strip("/") in OWN_PATHS


@pytest.mark.usefixtures("below")
def test_an_error_page_leads_back(people: Cast, browser: Browser) -> None:
    text = browser(people.owner).get("/nothing-here/").content.decode()
    assert f'href="{PREFIX}/"' in text
    assert json.dumps(LEADS_OUT.findall(text)) == "[]"


@pytest.mark.usefixtures("below")
@pytest.mark.parametrize(
    "name, is_secure, told",
    [("theme", False, True), ("__Secure-theme", True, True), ("theme", True, False), ("__Host-theme", True, False)],
)
def test_the_theme_is_read_from_the_cookie_that_is_set_there(
    people: Cast, browser: Browser, name: str, is_secure: bool, told: bool
) -> None:
    """`tests/js/theme_cookie.test.mjs` has what a browser sets."""
    client = browser(people.owner)
    session = client.cookies["sessionid"].value
    client.cookies[f"{'__Secure-' if is_secure else ''}sessionid"] = session
    client.cookies[name] = "dark"
    for path in ("/account/", "/nothing-here/"):
        assert ('data-theme="dark"' in client.get(path, secure=is_secure).content.decode()) == told
