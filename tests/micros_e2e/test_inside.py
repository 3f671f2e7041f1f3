"""What an app finds inside, and what it reaches from there: its own data, and the internet without private networks."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from storage.collections import collections, keys
from storage.micros import micros
from tests.micros_e2e.conftest import OBEDIENT
from tests.micros_e2e.neighbours import COMPILED_ANEW, run_inside
from tests.people import Cast
from tests.running_micros import MicroClient
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS

ASK = """
import json, urllib.error, urllib.request
def ask(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
            return [answer.status, answer.read(2_000).decode("utf-8", "replace")]
    except urllib.error.HTTPError as error:
        return [error.code, error.read(2_000).decode("utf-8", "replace")]
    except OSError as error:
        return [0, str(error)]
"""
# 169.254.169.254, where clouds keep their secrets, and other places next door, in every way that one can be written.
PRIVATE = [
    "169.254.169.254",
    "2852039166",
    "0xA9FEA9FE",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "025177524776",
    "169.254.43518",
    "169.16689662",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "[::1]",
    "[::]",
    "0.0.0.0",
    "0",
    "127.1",
    "2130706433",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "localhost.",
    "LOCALHOST%2e",
]


def test_what_it_finds_in_its_environment(obedient: MicroClient) -> None:
    found = run_inside(obedient, "import os; found = dict(os.environ)")
    assert found["DETA_PATH"] == obedient.micro.subdomain
    assert found["DETA_RUNTIME"] == "true"
    assert found["DETA_PROJECT_KEY"] == micros.read_data_key(obedient.micro)
    assert found["HOMEPORT_URL"] == "https://127.0.0.1:4443"
    assert {found[name] for name in ("DETA_BASE_HOST", "DETA_DRIVE_HOST")} == {"127.0.0.1:4443"}
    assert not [name for name in found if name.startswith("HOMEPORT_") and name != "HOMEPORT_URL"]


def test_base_and_drive_with_its_own_key(obedient: MicroClient) -> None:
    code = """
from deta import Base, Deta, Drive, _async
base, drive = Base("inside"), Drive("inside")
base.put({"n": 1}, key="a")
base.update({"n": base.util.increment(2)}, key="a")
drive.put("a/b.txt", data=b"x" * 300_000)
found = [base.get("a"), len(drive.get("a/b.txt").read()), drive.list()["names"], Deta().Base("inside").fetch().count]
drive.delete("a/b.txt")
""".replace(", _async", "")
    assert run_inside(obedient, code) == [{"key": "a", "n": 3}, 300_000, ["a/b.txt"], 1]


def test_nothing_is_compiled_at_a_start(obedient: MicroClient) -> None:
    assert run_inside(obedient, f"import deta, httpx\n{COMPILED_ANEW}") == []


def test_another_collections_data_is_not_reached(obedient: MicroClient) -> None:
    other = collections.create_collection("Another one")
    path = f"https://127.0.0.1:4443/v1/{other.id}/things/items/a"
    found = run_inside(
        obedient, f"{ASK}\nimport os\nfound = ask({path!r}, **{{'X-API-Key': os.environ['DETA_PROJECT_KEY']}})"
    )
    assert found[0] in (401, 403, 404)
    assert "errors" in found[1]


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/readyz", "/static/", "/v1", "/__homeport/enter"])
def test_nothing_but_the_api_is_behind_the_door(obedient: MicroClient, path: str) -> None:
    status, body = run_inside(obedient, f"{ASK}\nfound = ask('https://127.0.0.1:4443{path}')")
    assert status in (401, 404)
    assert "<html" not in body


def test_its_own_name_does_not_lead_back_through_the_door(obedient: MicroClient) -> None:
    status, _ = run_inside(obedient, f"{ASK}\nfound = ask('https://127.0.0.1:4443/', Host={obedient.host!r})")
    assert status in (401, 404)


def test_no_private_address_is_reached_however_it_is_written(obedient: MicroClient) -> None:
    code = f"{ASK}\nfound = {{host: ask(f'http://{{host}}/latest/meta-data/') for host in {PRIVATE!r}}}"
    found = run_inside(obedient, code)
    reached = {host: answer for host, answer in found.items() if answer[0] not in (400, 403, 502)}
    assert reached == {}
    assert "HOMEPORT_MICROS_MAY_REACH" in found["169.254.169.254"][1]


def test_nor_by_a_tunnel(obedient: MicroClient) -> None:
    code = """
import socket
found = {}
for host in HOSTS:
    for port in (80, 443, 22, 5432):
        with socket.create_connection(("127.0.0.1", 4280), 30) as proxy:
            proxy.sendall(f"CONNECT {host}:{port} HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n".encode())
            found[f"{host}:{port}"] = proxy.recv(12).decode()
"""
    found = run_inside(obedient, f"HOSTS = {PRIVATE!r}\n{code}")
    assert {answer[9:] for answer in found.values()} <= {"403", "400", "502"}


@pytest.mark.slow
def test_a_network_that_the_owner_allows_is_reached(make_server: Callable[..., Server]) -> None:
    with _serving("127.0.0.2") as allowed, _serving("127.0.0.3") as other:
        server = make_server(
            HOMEPORT_MICROS="true", HOMEPORT_MICROS_MAY_REACH="127.0.0.2/32", HOMEPORT_TLS_PORT="0"
        ).start()
        server.wait_ready()
        asked = f"[ask('http://127.0.0.2:{allowed}/'), ask('http://127.0.0.3:{other}/')]"
        # By the proxy, although these addresses look like its own.
        code = f"import os\nos.environ['no_proxy'] = os.environ['NO_PROXY'] = ''\n{ASK}\nfound = {asked}"
        reached, refused = server.run_code(_RUN.format(server.url, OBEDIENT, code)).splitlines()[-1].split("|")
    assert reached == "200 hello"
    assert refused.startswith("403 127.0.0.3 can't be reached")


_RUN = """
import django
django.setup()
from storage.collections import collections
from tests.micros_e2e.neighbours import COMPILED_ANEW, run_inside
from tests.running_micros import deploy_micro
made = collections.create_collection("Reaching")
app = deploy_micro({!r}, made.id, {{"main.py": {!r}}})
print("|".join(f"{{status}} {{text.strip()}}" for status, text in run_inside(app, {!r})))
"""


@contextlib.contextmanager
def _serving(address: str) -> Iterator[int]:
    """Something that answers in a network of its own."""
    with socket.create_server((address, 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted, _ = listening.accept()
                    with accepted:
                        accepted.settimeout(MOMENT_SECONDS)
                        accepted.recv(65_536)
                        accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def test_a_revoked_key_reaches_nothing(obedient: MicroClient, guides: Cast, server: Server) -> None:
    made = keys.create_key(collection_id=guides.collection.id, name="Revoked")
    keys.revoke_key(collection_id=guides.collection.id, key_id=made.data_key.id)
    path = f"https://127.0.0.1:4443/v1/{guides.collection.id}/things/items/a"
    status, _ = run_inside(obedient, f"{ASK}\nfound = ask({path!r}, **{{'X-API-Key': {made.text!r}}})")
    assert status == 401
