"""The reverse proxies' configurations under `deploy/`, word for word, in front of a real server.

Only what a test cannot have is replaced in them: the name, the ports and the certificate. Beside them the way without a proxy
for clients whose host is fixed (docs/connect.md), as the server is there, and what other proxies tell.
"""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from storage.embedded import ports
from tests.engines import make_data_folder, remove_data_folder
from tests.serving import ROOT, Server
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS, eventually

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CADDY = shutil.which("caddy", path=sysconfig.get_path("scripts"))
NAME = "home.example.org"
FIXED_HOSTS = ("database.deta.sh", "drive.deta.sh")
PASSWORD = "correct horse staple"
KB, MB = 1024, 1_048_576


class Proxy(NamedTuple):
    """A proxy in front of the server: its address, and the authority that signed its certificate."""

    url: str
    trust: ssl.SSLContext

    def client(self, address: str = "127.0.0.1", **options: object) -> httpx.Client:
        """A browser, or an app, on the machine with this address."""
        transport = httpx.HTTPTransport(local_address=address, verify=self.trust)
        return httpx.Client(base_url=self.url, transport=transport, timeout=MOMENT_SECONDS, trust_env=False, **options)  # type: ignore[arg-type]


class App(NamedTuple):
    """What an app knows: where its collection is, and its data key."""

    path: str
    headers: dict[str, str]


@pytest.fixture(scope="module")
def proxied() -> Iterator[Server]:
    """A server with the settings that docs/deploy.md asks for, and an https port as well."""
    settings = {
        "HOMEPORT_ALLOWED_HOSTS": f"{NAME},{','.join(FIXED_HOSTS)}",
        "HOMEPORT_TRUSTED_PROXIES": "127.0.0.1",
        "HOMEPORT_HTTPS_ONLY": "true",
        "HOMEPORT_WORKERS": "1",
    }
    with running_server(settings) as server:
        yield server


@contextmanager
def running_server(settings: dict[str, str]) -> Iterator[Server]:
    data = make_data_folder()
    port, tls_port = ports.free_ports(2)
    server = Server(data, port, tls_port, settings).start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
        remove_data_folder(data)


@pytest.fixture(scope="module")
def app(proxied: Server) -> App:
    collection_id, key = proxied.make_key("Behind a proxy")
    return App(f"/v1/{collection_id}", {"X-API-Key": key})


@contextmanager
def run_nginx(server: Server, folder: Path, *, below: bool = False) -> Iterator[Proxy]:
    """With the configuration for a host of its own, or the one for a path below another's."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    plain, secure = ports.free_ports(2)
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    (folder / "fullchain.pem").write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(folder / "privkey.pem"))
    text = (ROOT / "deploy/nginx.conf").read_text()
    if below:
        # Where a host of its own has its locations, the host of others has those lines.
        own, _, _ = text.partition("    location / {")
        text = own + (ROOT / "deploy/nginx-below-a-path.conf").read_text() + "}\n"
    site = replaced(
        text,
        {
            f"/etc/letsencrypt/live/{NAME}": str(folder),
            NAME: "localhost",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
            "127.0.0.1:8000": f"127.0.0.1:{server.url.rpartition(':')[2]}",
        },
    )
    (folder / "homeport.conf").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    around = [
        "user root;" if os.geteuid() == 0 else "",
        "daemon off; worker_processes 1;",
        f"pid {folder}/nginx.pid; error_log {folder}/nginx.log;",
        "events { worker_connections 8192; } worker_rlimit_nofile 16384;",
        f"http {{ access_log off; {''.join(f'{kind}_temp_path {folder}/{kind};' for kind in kinds)}",
        f"include {folder}/homeport.conf; }}",
    ]
    (folder / "nginx.conf").write_text("\n".join(around))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    command = [NGINX, "-e", str(folder / "nginx.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running(command, folder / "nginx.log"):
        proxy = Proxy(f"https://localhost:{secure}", trust)
        wait_for(proxy, folder / "nginx.log", below=below)
        answer = httpx.get(f"http://127.0.0.1:{plain}/sign-in/?a=b", headers={"Host": "localhost"}, trust_env=False)
        assert (answer.status_code, answer.headers["Location"]) == (301, "https://localhost/sign-in/?a=b")
        yield proxy


@contextmanager
def run_caddy(server: Server, folder: Path, *, below: bool = False) -> Iterator[Proxy]:
    """With the configuration for a host of its own, or the one for a path below another's."""
    assert CADDY is not None, "caddy comes with the packages of the tests"
    plain, secure = ports.free_ports(2)
    site = replaced(
        (ROOT / f"deploy/Caddyfile{'-below-a-path' if below else ''}").read_text(),
        {NAME: "localhost", "127.0.0.1:8000": f"127.0.0.1:{server.url.rpartition(':')[2]}"},
    )
    # For the name localhost Caddy makes a certificate of its own, and must not enter it into this machine's trust.
    around = f"{{\n\tskip_install_trust\n\tadmin off\n\thttp_port {plain}\n\thttps_port {secure}\n}}\n"
    (folder / "Caddyfile").write_text(around + site)
    command = [CADDY, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with running(command, folder / "caddy.log", XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder)):
        root = folder / "caddy/pki/authorities/local/root.crt"
        eventually(root.is_file, what=folder / "caddy.log")
        proxy = Proxy(f"https://localhost:{secure}", ssl.create_default_context(cafile=str(root)))
        wait_for(proxy, folder / "caddy.log", below=below)
        yield proxy


def replaced(text: str, changes: dict[str, str]) -> str:
    """The text with these changes, each of which must have something to change."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=MOMENT_SECONDS)


def wait_for(proxy: Proxy, log: Path, *, below: bool) -> None:
    """Until the server answers through it. Outside of its path others do, so there it is asked for within."""
    path = "/homeport/healthz" if below else "/healthz"

    def answers() -> bool:
        try:
            return client.get(path).status_code == 200
        except httpx.TransportError:
            return False

    with proxy.client() as client:
        eventually(answers, what=log)


@pytest.fixture(scope="module")
def person(proxied: Server) -> str:
    """The name of somebody who signs in with `PASSWORD`."""
    proxied.run_code(
        "import django; django.setup(); from django.contrib.auth.models import User; "
        f"User.objects.create_superuser('ada', password={PASSWORD!r})"
    )
    return "ada"


@pytest.fixture(scope="module", params=[run_nginx, run_caddy], ids=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, proxied: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    start: Callable[[Server, Path], AbstractContextManager[Proxy]] = request.param
    with start(proxied, tmp_path_factory.mktemp("proxy")) as running_proxy:
        yield running_proxy


def test_a_person_signs_in_through_the_proxy(person: str, proxy: Proxy) -> None:
    with proxy.client() as browser:
        assert browser.get("/").headers["Location"] == "/sign-in/?next=/"
        page = browser.get("/sign-in/")
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text))
        form = {"username": person, "password": PASSWORD, "csrfmiddlewaretoken": token}

        forged = browser.post("/sign-in/", data=form, headers={"Origin": "https://elsewhere.example"})
        signed_in = browser.post(
            "/sign-in/", data=form, headers={"Origin": proxy.url, "Referer": f"{proxy.url}/sign-in/"}
        )

        assert forged.status_code == 403
        assert (signed_in.status_code, signed_in.headers["Location"]) == (302, "/")
        assert "secure" in signed_in.headers["Set-Cookie"].lower()
        assert signed_in.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert "Collections" in browser.get("/").text


@pytest.mark.parametrize("key", ["plain", "a//b", "a%2Fb", "%C3%A4%20%2B%25%23", ".%2F..%2Fx"])
def test_an_item_keeps_its_key(proxy: Proxy, app: App, key: str) -> None:
    with proxy.client(headers=app.headers) as client:
        written = client.put(f"{app.path}/things/items", json={"items": [{"key": "plain"}]})
        assert written.status_code == 207

        found = client.get(f"{app.path}/things/items/{key}")

        assert (
            found.json()["key"] == bytes(re.sub("%..", lambda code: chr(int(code[0][1:], 16)), key), "latin-1").decode()
        )


def test_a_body_of_16_mb_and_one_in_chunks_come_through(proxy: Proxy, app: App) -> None:
    items = [{"key": f"k{index}", "text": "x" * 400_000} for index in range(25)]
    with proxy.client(headers=app.headers) as client:
        whole = client.put(f"{app.path}/large/items", json={"items": items})
        pieces = iter([b'{"items": [{"ke', b'y": "piecewise"}]}'])
        chunked = client.put(f"{app.path}/large/items", content=pieces)

        assert (whole.status_code, chunked.status_code) == (207, 207)
        assert client.get(f"{app.path}/large/items/piecewise").json() == {"key": "piecewise"}


def test_an_answer_tells_the_id_that_the_proxy_gave_and_no_clients(proxy: Proxy, app: App, proxied: Server) -> None:
    made_up = {"X-Request-ID": "made-up"}
    path = f"{app.path}/things/items/plain"
    with proxy.client(headers=made_up) as client:
        told = {client.get(path).headers["X-Request-ID"] for _ in range(3)}
    assert len(told) == 3
    assert "made-up" not in told
    # Straight from a trusted address it counts.
    assert httpx.get(f"{proxied.url}{path}", headers=made_up, trust_env=False).headers["X-Request-ID"] == "made-up"


def test_changes_come_as_they_are_made(proxy: Proxy, app: App) -> None:
    """None of them keeps a part back until there is more of it."""
    with proxy.client() as http, proxy.client() as other:
        followed = http.stream(
            "GET", f"{app.path}/followed/changes?since=now", headers=app.headers | {"Accept": "text/event-stream"}
        )
        with followed as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("retry: ")
            for n in range(3):
                other.put(
                    f"{app.path}/followed/items", json={"items": [{"key": "followed", "n": n}]}, headers=app.headers
                )
                change = next(line for line in lines if line.startswith("data: "))
                assert json.loads(change[6:])["value"] == {"key": "followed", "n": n}


def test_an_upload_in_parts_comes_back_whole_and_by_ranges(proxy: Proxy, app: App) -> None:
    content = os.urandom(10 * MB + 300 * KB)
    parts = [content[: 10 * MB], content[10 * MB :]]
    with proxy.client(headers=app.headers) as client:
        upload_id = client.post(f"{app.path}/files/uploads?name=long.bin").json()["upload_id"]
        upload = f"{app.path}/files/uploads/{upload_id}"
        for number, part in enumerate(parts, 1):
            assert client.post(f"{upload}/parts?name=long.bin&part={number}", content=part).status_code == 200
        assert client.patch(f"{upload}?name=long.bin").status_code == 200

        download = f"{app.path}/files/files/download?name=long.bin"
        whole = client.get(download)
        some = client.get(download, headers={"Range": f"bytes={10 * MB - 5}-{10 * MB + 4}"})

    assert whole.content == content
    assert (some.status_code, some.content) == (206, content[10 * MB - 5 : 10 * MB + 5])
    assert some.headers["Content-Range"] == f"bytes {10 * MB - 5}-{10 * MB + 4}/{len(content)}"


def test_the_real_address_of_a_client_is_seen(proxy: Proxy, app: App) -> None:
    """Only who sends wrong keys is told to wait, whatever it says of itself, and not the proxy as a whole."""
    path = f"{app.path}/things/items/plain"
    wrong = {"X-API-Key": f"{app.path.rpartition('/')[2]}_{'0' * 32}", "X-Forwarded-For": "203.0.113.9"}
    with proxy.client("127.0.0.77", headers=wrong) as guesser, proxy.client("127.0.0.78", headers=wrong) as other:
        assert any(guesser.get(path).status_code == 429 for _ in range(400))
        assert other.get(path).status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        "nothing",
        "half a head",
        "half a body",
        "half a body of a stranger's",
    ],
)
def test_a_thousand_slow_clients_hold_up_nobody(proxy: Proxy, app: App, sent: str) -> None:
    """As they hold up nobody without a proxy (`tests/server/`)."""
    address = urlsplit(proxy.url)
    key = app.headers["X-API-Key"] if sent == "half a body" else f"abcdefghij_{'x' * 32}"
    head = f"PUT {app.path}/things/items HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Length: 1000\r\n"
    what = {"nothing": "", "half a head": head}.get(sent, f"{head}\r\n{{")
    with ExitStack() as stack:
        for _ in range(1000):
            plain = stack.enter_context(socket.create_connection((address.hostname, address.port), MOMENT_SECONDS))
            slow = stack.enter_context(proxy.trust.wrap_socket(plain, server_hostname="localhost"))
            slow.sendall(what.encode())
        for _ in range(5):
            with proxy.client(headers=app.headers) as client:
                began = time.monotonic()
                assert client.put(f"{app.path}/things/items", json={"items": [{"key": "served"}]}).status_code == 207
                assert client.get("/sign-in/").status_code == 200
                assert time.monotonic() - began < PROMISED_SECONDS


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X_API_Key"])
def test_headers_with_underscores_are_nothing(proxy: Proxy, app: App, name: str) -> None:
    path = f"{app.path}/things/items/plain"
    with proxy.client("127.0.0.79" if name == "X_API_Key" else "127.0.0.80") as client:
        if name == "X_API_Key":
            assert client.get(path, headers={name: app.headers["X-API-Key"]}).status_code == 401
        else:
            wrong = [
                {"X-API-Key": f"abcdefghij_{'0' * 32}", name: f"203.0.113.{number % 250}"} for number in range(400)
            ]
            assert any(client.get(path, headers=headers).status_code == 429 for headers in wrong)


# Each way in which a proxy tells that the browser is at https://NAME, or at its port 8443.
TOLD = {
    "host kept": (NAME, {"Host": NAME, "X-Forwarded-Proto": "https"}),
    "host kept, with a client": (NAME, {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}),
    "forwarded host": (NAME, {"X-Forwarded-Host": NAME, "X-Forwarded-Proto": "https"}),
    "forwarded host of two": (NAME, {"X-Forwarded-Host": f"{NAME}, inner", "X-Forwarded-Proto": "https, http"}),
    "two schemes": (NAME, {"Host": NAME, "X-Forwarded-Proto": "https, http"}),
    "two schemes, with clients": (
        NAME,
        {"Host": NAME, "X-Forwarded-Proto": "https, http", "X-Forwarded-For": "192.0.2.7, 127.0.0.1"},
    ),
    "rfc 7239": (NAME, {"Forwarded": f"for=192.0.2.7;proto=https;host={NAME}"}),
    "rfc 7239, of two": (f"{NAME}:8443", {"Forwarded": f'proto=https;host="{NAME}:8443", for=127.0.0.1;proto=http'}),
    "host without its port": (f"{NAME}:8443", {"Host": NAME, "X-Forwarded-Proto": "https"}),
    "host with the inner port": (f"{NAME}:8443", {"Host": f"{NAME}:443", "X-Forwarded-Proto": "https"}),
    "forwarded port": (
        f"{NAME}:8443",
        {"X-Forwarded-Host": NAME, "X-Forwarded-Port": "8443", "X-Forwarded-Proto": "https"},
    ),
}


def test_a_form_is_taken_in_however_a_proxy_tells_where_the_browser_is(proxied: Server) -> None:
    for way, (host, told) in TOLD.items():
        page = f"https://{host}/sign-in/"
        with httpx.Client(base_url=proxied.url, trust_env=False, timeout=MOMENT_SECONDS, headers=told) as proxy:
            got = proxy.get("/sign-in/", headers={"Referer": page})
            assert got.status_code == 200, way
            ((cookie, token),) = proxy.cookies.items()
            sent = {"Cookie": f"{cookie}={token}", "X-CSRFToken": token, "Referer": page}
            origins = (f"https://{host}", "", f"http://{host}", "https://evil.example")
            said = [
                proxy.post("/welcome/no-link/", headers=sent | ({"Origin": each} if each else {})).status_code
                for each in origins
            ]
            # A link that is none is answered with 410 once the form was taken in.
            assert said == [410, 410, 403, 403], way


def test_nobody_else_is_believed(proxied: Server) -> None:
    transport = httpx.HTTPTransport(local_address="127.0.0.77")
    with httpx.Client(base_url=proxied.url, transport=transport, timeout=MOMENT_SECONDS) as stranger:
        for way, (_, told) in TOLD.items():
            answer = stranger.get("/sign-in/", headers=told)
            # Asked for over http, under the name that the request itself has.
            asked = told.get("Host", urlsplit(proxied.url).netloc)
            assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{asked}/sign-in/"), way


@pytest.mark.parametrize("host", [FIXED_HOSTS[0], pytest.param(FIXED_HOSTS[1], marks=pytest.mark.slow)])
def test_a_client_with_a_fixed_host_reaches_the_server(proxied: Server, app: App, host: str) -> None:
    """As with a line in the hosts file: the name is the client's, the address is ours."""
    trust = ssl.create_default_context(cafile=str(proxied.ca_path))
    with httpx.Client(
        verify=trust, timeout=MOMENT_SECONDS, trust_env=False, headers={**app.headers, "Host": host}
    ) as client:
        url = f"https://127.0.0.1:{proxied.tls_url.rpartition(':')[2]}{app.path}/nothing/query"
        answer = client.post(url, json={}, extensions={"sni_hostname": host})

    assert (answer.status_code, answer.json()["items"]) == (200, [])
