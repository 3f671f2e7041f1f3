"""What only the real server shows: static files, headers, compression, and both workers at once."""

import json
import re
import ssl
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from storage.collections import keys
from storage.models import DataKeyUse
from tests.factories import BaseClient, make_client
from tests.matching import search
from tests.people import make_cast, make_session
from tests.serving import Server
from tests.waiting import eventually

# When a request was sent, when it was answered, and with which status.
Answer = tuple[float, float, int]

FAR_FUTURE = "max-age=315360000, public, immutable"


@pytest.fixture
def signed_in(server: Server, database: None) -> Iterator[httpx.Client]:
    """A browser of somebody who owns the server."""
    with httpx.Client(base_url=server.url, cookies={"sessionid": make_session(make_cast().server_owner)}) as client:
        yield client


def test_static_files_are_hashed_compressed_and_kept(signed_in: httpx.Client) -> None:
    page = signed_in.get("/").text
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(names) >= 4
    seen: set[str] = set()
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        answer = signed_in.get(name)
        assert answer.status_code == 200, name
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", name), name
        assert answer.headers["Cache-Control"] == FAR_FUTURE, name
        if name.endswith((".css", ".js")) and len(answer.content) > 1000:
            assert answer.headers["Content-Encoding"] == "gzip", name
        if name.endswith(".css"):
            names += [str(httpx.URL(name).join(inner)) for inner in re.findall(r'url\("([^"]+)"\)', answer.text)]
    assert {name.rpartition(".")[2] for name in seen} >= {"css", "js", "svg"}


def test_inner_imports_lead_to_hashed_files(signed_in: httpx.Client) -> None:
    page = signed_in.get("/").text
    modules = json.loads(search(r'<script type="importmap"[^>]*>(.*?)</script>', page, re.S).group(1))["imports"]
    for plain, hashed in modules.items():
        answer = signed_in.get(hashed)
        assert answer.headers["Cache-Control"] == FAR_FUTURE
        for inner in re.findall(r'(?:from|import) "(\.[^"]+)"', answer.text):
            assert str(httpx.URL(plain).join(inner)) in modules, f"{plain} imports {inner}, which the map does not know"


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/nothing/", "/people/", "/account/"])
def test_headers_leave_an_attacker_nothing(signed_in: httpx.Client, path: str) -> None:
    answer = signed_in.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert re.fullmatch(r"'self'( 'nonce-[\w+/=-]+')?", policy["script-src"])
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", answer.text)
    assert all('type="importmap"' in attributes for attributes in inline)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|//cdn|https?://(?!127\.0\.0\.1|localhost)", answer.text)


def test_pages_are_compressed(signed_in: httpx.Client) -> None:
    assert signed_in.get("/").headers["Content-Encoding"] == "gzip"


def test_unknown_host_is_refused(signed_in: httpx.Client) -> None:
    assert signed_in.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_session_is_no_key(signed_in: httpx.Client) -> None:
    collection_id = make_client_id()
    assert signed_in.get(f"/v1/{collection_id}/notes/items/a").status_code == 401


def make_client_id() -> str:
    return make_cast().collection.id


@pytest.mark.parametrize("_round", range(3))
def test_revoked_key_is_refused_by_the_next_request_in_every_worker(
    server: Server, database: None, _round: int
) -> None:
    """Many connections keep asking, so that every worker of both listeners has just served the key; then it is revoked."""
    client = make_client(server)
    client.put({"key": "a"})
    answers: list[Answer] = []
    stop = threading.Event()
    threads = [threading.Thread(target=_ask, args=(client, server, answers, stop, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(answers) > 200)
    before = time.monotonic()
    keys.revoke_key(collection_id=client.collection_id, key_id=client.key_id)
    revoked = time.monotonic()
    eventually(lambda: sum(began > revoked for began, _, _ in answers) > 20)
    stop.set()
    for thread in threads:
        thread.join()
    assert {status for began, _, status in answers if began > revoked} <= {401, 429}
    assert {status for _, ended, status in answers if ended < before} == {200}


def _ask(client: BaseClient, server: Server, answers: list[Answer], stop: threading.Event, number: int) -> None:
    url = server.tls_url if number % 2 else server.url
    while not stop.is_set():
        # A new connection each time: whichever worker accepts it.
        with _from_elsewhere(server) as http:
            for _ in range(5):
                began = time.monotonic()
                status = http.get(f"{url}{client.path}/items/a", headers={"X-API-Key": client.key_text}).status_code
                answers.append((began, time.monotonic(), status))


def _from_elsewhere(server: Server) -> httpx.Client:
    """A client at an address of its own: after a hundred refusals it is told to wait, which others must not be."""
    trust = ssl.create_default_context(cafile=str(server.ca_path))
    return httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.77", verify=trust), trust_env=False)


def test_last_use_is_kept_within_seconds(server: Server, database: None) -> None:
    client = make_client(server)
    client.send("GET", "/items/a", headers={"User-Agent": "Go-http-client/1.1"})
    eventually(lambda: DataKeyUse.objects.filter(data_key_id=client.key_id, client="Go-http-client/1.1").exists())


def test_refused_request_is_no_use(server: Server, database: None) -> None:
    client = make_client(server)
    keys.revoke_key(collection_id=client.collection_id, key_id=client.key_id)
    assert client.get("a").status_code == 401
    time.sleep(4)
    assert not DataKeyUse.objects.filter(data_key_id=client.key_id).exists()
