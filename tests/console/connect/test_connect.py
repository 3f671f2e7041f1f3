"""The Connect page: this server's real host for every client, and the light."""

import hashlib
import html
import re
import time
from typing import Any

import pytest
from django.conf import settings

from console.connect import views
from storage.collections import key_uses, keys
from storage.models import DataKeyUse
from tests.console.conftest import Browser
from tests.people import Cast


@pytest.mark.parametrize(
    "client, lines",
    [
        (
            "javascript",
            [
                "=your data key\nDETA_BASE_HOST=testserver:{tls}\nDETA_DRIVE_HOST=testserver:{tls}\nNODE_EXTRA_CA_CERTS={ca}<",
                'Base("notes")\nbase.put(',
            ],
        ),
        (
            "python",
            [
                "HOMEPORT_URL=https://testserver:{tls}\nSSL_CERT_FILE={ca}",
                "DETA_BASE_HOST=testserver:{tls}",
                "no longer the original",
            ],
        ),
        ("go", ["\nDETA_BASE_ROOT_ENDPOINT=https://testserver:{tls}/v1\n", "\nSSL_CERT_FILE={ca}"]),
        ("curl", ["curl -X PUT http://testserver/v1/{id}/notes/items"]),
        ("nonsense", ["NODE_EXTRA_CA_CERTS={ca}"]),
    ],
)
def test_lines_name_this_server(people: Cast, browser: Browser, client: str, lines: list[str]) -> None:
    path = f"/collections/{people.collection.id}/connect/"
    # Where this machine keeps its files is its owners' to know; others write where they saved the certificate.
    for person, ca in ((people.server_owner, settings.DATA / "tls" / "ca.pem"), (people.reader, "homeport-ca.pem")):
        text = browser(person).get(path, {"client": client}).content.decode()
        for line in lines:
            assert line.format(tls=settings.TLS_PORT, ca=ca, id=people.collection.id) in text


@pytest.mark.parametrize(
    ("host", "is_secure", "origin", "ca"),
    [
        ("localhost:8000", False, "http://localhost:8000", ""),
        ("testserver", False, "https://testserver:{tls}", " --ca homeport-ca.pem"),
        ("testserver", True, "https://testserver", ""),
    ],
)
def test_the_command_is_installed_and_signed_in_by_one_line(
    people: Cast, browser: Browser, host: str, is_secure: bool, origin: str, ca: str
) -> None:
    path = f"/collections/{people.collection.id}/connect/"
    answer = browser(people.reader).get(path, secure=is_secure, headers={"Host": host})
    text = html.unescape(answer.content.decode())
    sign_in = re.escape(f"deta login --server {origin.format(tls=settings.TLS_PORT)}{ca}<")
    assert re.search(rf'pip install "[^"]+\.whl[^"]*" && {sign_in}', text)
    assert re.search(rf'uvx --from "[^"]+\.whl[^"]*" {sign_in}', text)


def test_lines_behind_a_proxy_with_its_own_certificate(people: Cast, browser: Browser) -> None:
    text = browser(people.reader).get(f"/collections/{people.collection.id}/connect/", secure=True).content.decode()
    assert "DETA_BASE_HOST=testserver\n" in text
    assert "NODE_EXTRA_CA_CERTS=" not in text


def test_lines_of_a_server_without_https_name_no_port_for_it(
    people: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TLS_PORT", 0)
    path = f"/collections/{people.collection.id}/connect/"
    owner = browser(people.owner)
    texts = {name: html.unescape(owner.get(path, {"client": name}).content.decode()) for name in views.CLIENTS}
    for text in texts.values():
        assert not re.search(r"testserver:0|_HOST=|_CERTS?=|SSL_CERT_FILE|--ca |Trust the certificate", text)
        assert "deta login --server http://testserver<" in text
    assert [name for name, text in texts.items() if "HOMEPORT_TLS_PORT=0" in text] == ["javascript", "python"]
    assert "\nHOMEPORT_URL=http://testserver<" in texts["python"]
    assert "\nDETA_BASE_ROOT_ENDPOINT=http://testserver/v1\n" in texts["go"]
    form = {"name": "app", "rights": "write", "scope": "all", "days": "0", "others": ""}
    made = owner.post(f"/collections/{people.collection.id}/keys/new/", form).content.decode()
    assert "\nHOMEPORT_URL=http://testserver<" in made
    assert "_HOST=" not in made
    behind_a_proxy = owner.get(path, {"client": "javascript"}, secure=True).content.decode()
    assert "DETA_BASE_HOST=testserver\n" in behind_a_proxy


def new_key_lines(people: Cast, browser: Browser, **options: Any) -> dict[str, dict[str, str]]:
    """The variables for each client, as the dialog with a new key shows them."""
    form = {"name": "app", "rights": "write", "scope": "all", "days": "0", "others": ""}
    text = (
        browser(people.owner).post(f"/collections/{people.collection.id}/keys/new/", form, **options).content.decode()
    )
    found = re.findall(r'id="new-key-env-(\w+)"[^>]*>([^<]*)<', text)
    return {
        name: dict(line.split("=", 1) for line in html.unescape(lines).strip().splitlines()) for name, lines in found
    }


def test_the_lines_with_a_new_key_are_complete_for_each_client(people: Cast, browser: Browser) -> None:
    host = f"testserver:{settings.TLS_PORT}"
    lines = new_key_lines(people, browser)
    key = lines["go"].pop("DETA_PROJECT_KEY")
    assert {each.pop("DETA_PROJECT_KEY", key) for each in lines.values()} == {key}
    hosts = {"DETA_BASE_HOST": host, "DETA_DRIVE_HOST": host}
    trust = {"SSL_CERT_FILE": "homeport-ca.pem"}
    assert lines == {
        "javascript": hosts | {"NODE_EXTRA_CA_CERTS": "homeport-ca.pem"},
        "python": {"HOMEPORT_URL": f"https://{host}"} | trust,
        "python_original": hosts | trust | {"REQUESTS_CA_BUNDLE": "homeport-ca.pem"},
        "go": {"DETA_BASE_ROOT_ENDPOINT": f"https://{host}/v1", "DETA_DRIVE_ROOT_ENDPOINT": f"https://{host}/v1"}
        | trust,
    }
    behind_a_proxy = new_key_lines(people, browser, secure=True)
    assert {name for each in behind_a_proxy.values() for name in each} == {
        "DETA_PROJECT_KEY",
        "HOMEPORT_URL",
        *hosts,
        "DETA_BASE_ROOT_ENDPOINT",
        "DETA_DRIVE_ROOT_ENDPOINT",
    }


def test_certificate_of_the_authority_is_offered(people: Cast, browser: Browser) -> None:
    answer = browser(people.reader).get(f"/collections/{people.collection.id}/connect/homeport-ca.pem")
    assert answer.content.startswith(b"-----BEGIN CERTIFICATE-----")
    assert "attachment" in answer["Content-Disposition"]


def test_light_waits_then_is_green(people: Cast, browser: Browser) -> None:
    reader, path = browser(people.reader), f"/collections/{people.collection.id}/connect/light/"
    assert "every 1s" in reader.get(path).content.decode()
    use_key(people, "<b>evil</b>/1.0")
    text = reader.get(path).content.decode()
    assert "light-on" in text
    assert "every 1s" not in text
    assert "<b>evil" not in text


@pytest.mark.parametrize(
    "user_agent, name",
    [
        ("node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "JavaScript"),
        ("Go-http-client/1.1", "Go"),
        ("", "Python"),
        ("curl/8.5.0", "curl"),
        ("Mozilla/5.0 (X11)", "Browser"),
        ("my-app/3", "my-app"),
    ],
)
def test_keys_say_which_client_used_them(people: Cast, browser: Browser, user_agent: str, name: str) -> None:
    use_key(people, user_agent)
    page = browser(people.owner).get(f"/collections/{people.collection.id}/keys/").content.decode()
    assert f"by {name}</span>" in " ".join(page.split())


def test_uses_are_kept_in_one_statement_and_only_move_forward(people: Cast) -> None:
    use_key(people, "first/1\x00\n" + "x" * 500)
    mine = DataKeyUse.objects.filter(data_key__collection=people.collection)
    first = mine.get()
    assert len(first.client) == 80
    assert first.client.isprintable()
    use_key(people, "second/2", first.data_key_id)
    second = mine.get()
    assert second.client == "second/2"
    assert second.first_used_at == first.first_used_at
    assert second.last_used_at > first.last_used_at


def use_key(people: Cast, user_agent: str, key_id: int | None = None) -> None:
    if key_id is None:
        text = keys.create_key(collection_id=people.collection.id, name="app").text
        digest = hashlib.sha256(text.encode()).digest()
    else:
        digest = bytes(keys.find_key(collection_id=people.collection.id, key_id=key_id).digest)
    key_uses._uses[digest] = (time.monotonic(), user_agent)
    key_uses.flush_uses()
