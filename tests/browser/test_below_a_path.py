"""Homeport below a path of a host that has other things too, behind real proxies: its pages, its API and the command `deta`."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.console.test_reverse_proxies import NAME, PASSWORD, Proxy, run_caddy, run_nginx, running_server
from tests.serving import Server
from tests.terminals import make_terminal
from tests.waiting import MOMENT_SECONDS

pytestmark = pytest.mark.slow

PREFIX = "/homeport"


@pytest.fixture(scope="module")
def below() -> Iterator[Server]:
    """A server that is served below a path."""
    settings = {
        "HOMEPORT_ALLOWED_HOSTS": NAME,
        "HOMEPORT_TRUSTED_PROXIES": "127.0.0.1",
        "HOMEPORT_HTTPS_ONLY": "true",
        "HOMEPORT_URL_PREFIX": PREFIX,
        "HOMEPORT_WORKERS": "1",
    }
    with running_server(settings) as server:
        server.run_code(_MAKE_ADA)
        yield server


_MAKE_ADA = f"""
import django
django.setup()
from django.contrib.auth.models import User
from storage.access_tokens import tokens
ada = User.objects.create_superuser("ada", password={PASSWORD!r})
"""
_MAKE_TOKEN = """
import django
django.setup()
from django.contrib.auth.models import User
from storage.access_tokens import tokens
print(tokens.create_token(person=User.objects.get(username="ada"), name="Made by a test").text)
"""


@pytest.fixture(scope="module", params=[run_nginx, run_caddy], ids=["nginx", "caddy"])
def proxy_below(
    request: pytest.FixtureRequest, below: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    with request.param(below, tmp_path_factory.mktemp("below"), below=True) as running_proxy:
        yield running_proxy


def test_below_a_path_people_walk_the_pages(proxy_below: Proxy, chromium: Browser) -> None:
    """Pages, static files, requests of scripts and of htmx, redirects and cookies: nothing is asked for outside of the path."""
    context = chromium.new_context(base_url=proxy_below.url, ignore_https_errors=True)
    context.set_default_timeout(MOMENT_SECONDS * 1000)
    page = context.new_page()
    asked: list[str] = []
    failed: list[tuple[int, str]] = []
    page.on("request", lambda sent: asked.append(urlsplit(sent.url).path))
    page.on("response", lambda got: failed.append((got.status, got.url)) if got.status >= 400 else None)
    try:
        page.goto(f"{PREFIX}")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("link", name="New collection").first.click()
        page.get_by_role("dialog").get_by_label("Name").fill("Below a path")
        page.get_by_role("button", name="Create").click()
        page.wait_for_url(f"**{PREFIX}/collections/**")
        collection = urlsplit(page.url).path.split("/")[3]
        for kind, name in (("base", "things"), ("drive", "files")):
            page.goto(f"{PREFIX}/collections/{collection}/new-{kind}/")
            page.get_by_label("Name").fill(name)
            page.get_by_role("button", name="Create").click()
            page.wait_for_url(lambda url: "/new-" not in url)
            page.goto(f"{PREFIX}/collections/{collection}/{kind}/{name}/")
            page.locator("h1").first.wait_for()
        page.locator("input[type=file]").first.set_input_files(
            {"name": "a.txt", "mimeType": "text/plain", "buffer": b"below"}
        )
        page.get_by_text("a.txt").first.wait_for()
        for path in ("visor/", "visor/client/", "connect/", "micros/", "settings/"):
            page.goto(f"{PREFIX}/collections/{collection}/{path}")
            assert page.locator("#content").inner_text()
        page.get_by_role("button", name="ada").click()
        page.get_by_role("radio", name="Dark").check()
        page.reload()
        assert page.locator("html").get_attribute("data-theme") == "dark"
        cookies = {cookie["name"]: cookie["path"] for cookie in context.cookies()}
        assert set(cookies.values()) == {PREFIX}
        assert cookies.keys() >= {"__Secure-sessionid", "__Secure-theme"}
        assert {path for path in asked if path != PREFIX and not path.startswith(f"{PREFIX}/")} == set()
        assert failed == []
    finally:
        context.close()


def test_below_a_path_apps_and_the_command_find_the_server(below: Server, proxy_below: Proxy, tmp_path: Path) -> None:
    collection_id, key = below.make_key("Below a path")
    with proxy_below.client(headers={"X-API-Key": key}) as client:
        path = f"{PREFIX}/v1/{collection_id}/things/items"
        assert client.put(path, json={"items": [{"key": "a//b"}]}).status_code == 207
        assert client.get(f"{path}/a%2F%2Fb").json() == {"key": "a//b"}
        assert client.get(f"{PREFIX}/v1/{collection_id}/things/nonsense").status_code == 404
        assert client.get(f"/v1/{collection_id}/things/items/a").status_code == 404
    authority = tmp_path / "authority.pem"
    authority.write_text("".join(map(ssl.DER_cert_to_PEM_cert, proxy_below.trust.get_ca_certs(binary_form=True))))
    terminal = make_terminal(tmp_path / "terminal", server_url=f"{proxy_below.url}{PREFIX}")
    terminal.variables |= {"DETA_ACCESS_TOKEN": below.run_code(_MAKE_TOKEN), "SSL_CERT_FILE": str(authority)}
    assert collection_id in terminal.does("projects")
    assert "a//b" in terminal.does("base", "query", "things", "--project", collection_id)
