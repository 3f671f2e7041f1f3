"""No secret stands where it should not (promise P7): canaries are made, then looked for in everything that is kept."""

import hashlib
import io
import secrets as random_secrets
import zipfile
from typing import NamedTuple
from urllib.parse import quote

import httpx
from django.db import connection

from storage.archive.exporting import exports
from storage.events import blocks as event_blocks
from storage.events import queries as event_queries
from storage.postgres.database import run
from storage.postgres.statements import Statement
from tests.factories import item_path, make_client
from tests.matching import search
from tests.people import PASSWORD, make_cast, make_person, make_session
from tests.serving import Server
from tests.visor import make_recorded
from tests.waiting import eventually

PAGES = (
    "/",
    "/people/",
    "/account/",
    "/jump/?q=canary",
    "/collections/{}/keys/",
    "/collections/{}/connect/?client=curl",
    "/collections/{}/settings/",
    "/collections/{}/base/",
    "/collections/{}/audit/",
    "/audit/",
    "/audit/export/?format=csv",
    "/audit/export/?format=jsonl",
    "/server/",
)


def test_secrets_are_kept_nowhere(server: Server, database: None) -> None:
    cast = make_cast()
    with httpx.Client(base_url=server.url, cookies={"sessionid": make_session(cast.server_owner)}) as browser:
        path = f"/collections/{cast.collection.id}/keys/new/"
        browser.get(path)
        form = {
            "name": "canary",
            "rights": "write",
            "scope": "all",
            "days": "0",
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        key = search(rf"{cast.collection.id}_(\w{{32}})", browser.post(path, data=form).text)
        invited = browser.post("/people/invite/", data={**form, "note": "canary"}).text
        link = search(r"/join/([^/<]+)/", invited).group(1)
        client = make_client(server, collection_id=cast.collection.id)
        for text in (key.group(), client.key_text, client.key_text[:-1] + "x"):
            client.send("GET", item_path("a"), headers={"X-API-Key": text})
            client.send("PUT", "/items", {"items": [{"key": "a", "bad": [[]]}]}, headers={"X-API-Key": text})
        wrong = "a-canary-of-a-password"
        anybody = httpx.Client(base_url=server.url)
        anybody.get("/sign-in/")
        for name in (make_person().username, wrong):
            tried = {"username": name, "password": wrong, "csrfmiddlewaretoken": anybody.cookies["csrftoken"]}
            assert anybody.post("/sign-in/", data=tried).status_code == 422
        anybody.close()
        verifier, token = sign_in_a_terminal(server, browser)
        secrets = {
            verifier,
            token.removeprefix("hp_"),
            key.group(1),
            client.key_text.split("_")[1],
            link,
            wrong,
            PASSWORD,
            browser.cookies["sessionid"],
        }
        pages = "\n".join(browser.get(page.format(cast.collection.id)).text for page in PAGES)
    client.put({"key": "a", "text": "no secret"})
    exported = read_export(cast.collection.id)
    assert "no secret" in exported
    everything = {"pages": pages, "log": server.log, "database": dump(), "export": exported}
    # The session's row is named by the cookie: Django's own way, readable by who reads the database alone.
    allowed = {("database", browser.cookies["sessionid"])}
    found = {(where, secret) for where, text in everything.items() for secret in secrets if secret in text}
    assert found <= allowed


def sign_in_a_terminal(server: Server, browser: httpx.Client) -> tuple[str, str]:
    """What a terminal keeps to itself, and the token that it gets: each sent in many places, rightly and wrongly."""
    verifier = random_secrets.token_urlsafe(32)
    challenge = hashlib.sha256(verifier.encode()).hexdigest()
    terminal = httpx.Client(base_url=f"{server.url}/cli/")
    asked = terminal.post("sign-ins", json={"challenge": challenge, "device": "canary"}).json()
    browser.post(asked["page"], data={"answer": "allow", "csrfmiddlewaretoken": browser.cookies["csrftoken"]})
    token: str = terminal.post(f"sign-ins/{asked['id']}/token", json={"verifier": verifier}).json()["token"]
    for text in (token, token[:-1] + "x"):
        headers = {"Authorization": f"Bearer {text}"}
        for method, path in (
            ("GET", ""),
            ("PUT", "collections"),
            ("GET", "nothing"),
            ("GET", f"collections/{text}/page"),
        ):
            terminal.request(method, path, params={"base": text}, headers=headers)
    terminal.post(f"sign-ins/{asked['id']}/token", json={"verifier": verifier})
    terminal.close()
    return verifier, token


def test_secrets_in_recorded_requests_are_kept_nowhere(server: Server, database: None) -> None:
    """A key and a cookie, in headers, query and body, of requests that fail and that succeed."""
    # From an address of its own, which is soon told to wait, as its keys are wrong.
    client = make_recorded(server, source_address="127.0.7.7")
    cast = make_cast()
    cookie = f"canaryCookie{random_secrets.token_hex(12)}"
    key, secret = client.key_text, client.key_text.split("_")[1]
    encoded = "".join(f"%{ord(each):02X}" for each in key)
    cookies = {"Cookie": f"sessionid={cookie}; other={cookie}x", "Authorization": f"Bearer {cookie}y"}
    headers = {
        **cookies,
        "X-Debug": f"I am {key} with {cookie}",
        "Referer": f"http://a/?key={encoded}",
        "Content-Type": f"x/{key}",
    }
    texts = [key, secret, cookie, f"sessionid={cookie}", f"Bearer {cookie}y"]
    queries = [f"?key={key}&a={quote(cookie)}", f"?key={encoded}&b={secret}", "?" + quote(f"sessionid={cookie}")]
    sent = 0
    for query in queries:
        for headers_too in (headers, {**headers, "X-API-Key": f"{key}x"}, {**headers, "X-API-Key": secret}):
            for text in texts:
                value = {"query": [{"a": text, "cookie": cookie, "x-api-key": key}]}
                assert client.send("POST", f"/query{query}", value, headers=headers_too).status_code in (200, 401, 429)
                client.send("POST", f"/query{query}", {"query": [{f"a?{text}": 1}]}, headers=headers_too)
                client.send("PUT", f"/items{query}", {"items": [{"key": 1, "text": text}]}, headers=headers_too)
                client.send("GET", f"/items/{quote(text, safe='')}{query}", headers=headers_too)
                sent += 4
    # Half a secret at the place where a body is cut.
    for before in range(65_500, 65_537, 6):
        client.send("POST", "/query", content=b'{"a": "' + b"x" * before + key.encode(), headers=cookies)
        sent += 1
    # A body that only names what it holds, with no such header beside it.
    client.send("POST", "/query", {"query": [{"cookie": f"sessionid={cookie}", "Authorization": cookie}]})
    sent += 1
    eventually(lambda: sum(each.requests for each in _chart(client.collection_id)) >= sent)

    with httpx.Client(base_url=server.url, cookies={"sessionid": make_session(cast.server_owner)}) as browser:
        url = f"/collections/{client.collection_id}/visor/"
        lines = event_queries.list_events(collection_id=client.collection_id, limit=2 * sent).lines
        assert len(lines) == sent
        some = [
            f"{line.id}/?tab={tab}" for line in lines[:: sent // 6] for tab in ("response", "request", "log", "code")
        ]
        pages = "".join(browser.get(url + page).text for page in ["", *some])
    everything = {
        "pages": pages,
        "log": server.log,
        "database": dump(),
        "events": opened(client.collection_id),
        "export": read_export(client.collection_id),
    }
    halves = {secret[:16], secret[-16:], cookie[:20], cookie[-16:], encoded[36:66]}
    found = {(where, each) for where, text in everything.items() for each in halves if each in text}
    assert found == set()


def _chart(collection_id: str) -> list[event_queries.Slice]:
    return event_queries.chart_events(collection_id=collection_id, minutes=60, width=1)


class Block(NamedTuple):
    lines: bytes
    contents: bytes


def opened(collection_id: str) -> str:
    """All that stands in the blocks of a collection, which are compressed."""
    text = "SELECT lines, contents FROM storage_eventblock WHERE collection_id = $1"
    texts = []
    for lines, contents in run(Statement(text, [collection_id], Block)):
        texts += [repr(line) for line in event_blocks.open_lines(lines)]
        texts += [repr(content) for content in event_blocks.open_contents(contents)[0]]
    assert texts
    return "\n".join(texts)


def read_export(collection_id: str) -> str:
    """All that stands in the zip of a collection, names included."""
    with zipfile.ZipFile(io.BytesIO(b"".join(exports.stream_export(collection_id)))) as archive:
        assert "manifest.json" in archive.namelist()
        return "\n".join(f"{name}\n{archive.read(name).decode()}" for name in archive.namelist())


def dump() -> str:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows: list[str] = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)
