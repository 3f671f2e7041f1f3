"""Caddy in front, as `serve` runs it: certificates on demand for names that are ours, and who asks is told truly."""

import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from storage.embedded import caddy, ports
from tests.embedded.servers import making_servers
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, eventually


@pytest.fixture(scope="module")
def behind(server: Server) -> Iterator[tuple[Server, int, int]]:
    """A server with its Caddy, which is an authority of its own, and the two ports."""
    plain, secure = ports.free_ports(2)
    with making_servers() as make:
        made = make(
            HOMEPORT_CADDY="true",
            HOMEPORT_CADDY_HTTP_PORT=str(plain),
            HOMEPORT_CADDY_HTTPS_PORT=str(secure),
            HOMEPORT_CADDY_ISSUER="internal",
            HOMEPORT_ALLOWED_HOSTS="console.example.org",
        )
        made.start().wait_ready()
        eventually(authority(made).is_file)
        yield made, plain, secure


def authority(server: Server) -> Path:
    return server.data / "caddy/certificates/pki/authorities/local/root.crt"


def ask(server: Server, port: int, name: str, path: str = "/", **headers: str) -> httpx.Response:
    """Over https, as a browser that was told the name's address."""
    trust = ssl.create_default_context(cafile=str(authority(server)))
    with httpx.Client(verify=trust, trust_env=False, timeout=MOMENT_SECONDS) as client:
        return client.get(
            f"https://127.0.0.1:{port}{path}", headers={"Host": name, **headers}, extensions={"sni_hostname": name}
        )


@pytest.mark.slow
def test_the_consoles_name_gets_a_certificate(behind: tuple[Server, int, int]) -> None:
    server, _, secure = behind
    answer = ask(server, secure, "console.example.org", "/sign-in/")
    assert answer.status_code == 200
    assert caddy.has_certificate(server.data, "console.example.org")
    assert not caddy.has_certificate(server.data, "other.example.org")
    # Told of https, it sets cookies that plain http can't read.
    assert all(name.startswith("__Host-") for name in answer.cookies)


def test_a_name_that_is_not_ours_gets_none(behind: tuple[Server, int, int]) -> None:
    server, _, secure = behind
    with pytest.raises(httpx.ConnectError):
        ask(server, secure, "other.example.org")


def test_plain_http_leads_to_https(behind: tuple[Server, int, int]) -> None:
    _, plain, _ = behind
    answer = httpx.get(f"http://127.0.0.1:{plain}/a?b=c", headers={"Host": "console.example.org"}, trust_env=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://console.example.org/a?b=c")


def test_every_answer_has_one_id_that_no_client_made(behind: tuple[Server, int, int]) -> None:
    _, plain, secure = behind
    name = "console.example.org"
    by_the_server = ask(behind[0], secure, name, "/sign-in/", **{"X-Request-ID": "made-up"})
    by_caddy = httpx.get(f"http://127.0.0.1:{plain}/", headers={"Host": name}, trust_env=False)
    for answer in (by_the_server, by_caddy):
        (told,) = answer.headers.get_list("X-Request-ID")
        assert len(told) == 36


def test_nobody_is_believed_to_be_somebody_else(behind: tuple[Server, int, int]) -> None:
    """Whoever asks has the address that Caddy saw, whatever they write themselves."""
    server, _, secure = behind
    name = "console.example.org"
    page = ask(server, secure, name, "/sign-in/")
    ((cookie, token),) = page.cookies.items()
    headers = {
        "Host": name,
        "Referer": f"https://{name}/sign-in/",
        "Cookie": f"{cookie}={token}",
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "http",
    }
    form = {"csrfmiddlewaretoken": token, "username": "nobody", "password": "wrong"}
    trust = ssl.create_default_context(cafile=str(authority(server)))
    with httpx.Client(verify=trust, trust_env=False, timeout=MOMENT_SECONDS) as client:
        client.post(
            f"https://127.0.0.1:{secure}/sign-in/", data=form, headers=headers, extensions={"sni_hostname": name}
        )
    assert server.run_code(_ADDRESSES) == "['127.0.0.1']"


_ADDRESSES = """
import django
django.setup()
from storage.models import AuditEntry
print(sorted(set(AuditEntry.objects.filter(verb="sign-in.failed").values_list("address", flat=True))))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a program another user")
def test_it_runs_as_a_user_of_its_own(behind: tuple[Server, int, int]) -> None:
    server, _, _ = behind
    (caddy,) = server.children("caddy.json")
    assert caddy.username() == "homeport-caddy"
    with socket.socket(socket.AF_UNIX) as stranger:
        os.seteuid(65534)
        try:
            with pytest.raises(PermissionError):
                stranger.connect(str(server.data / "caddy/web.sock"))
        finally:
            os.seteuid(0)
