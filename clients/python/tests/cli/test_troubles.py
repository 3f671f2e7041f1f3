"""What can be wrong around a command: each is one line that says what, and what to do."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from clients.python.tests.cli.here import TerminalHere
from clients.python.tests.conftest import Place
from django.contrib.auth.models import User
from django.utils import timezone
from storage.access_tokens import tokens
from storage.embedded.ports import free_ports
from storage.models import AccessToken
from storage.postgres import clock

NO_HOMEPORT = "{} is not the address of a Homeport server. Write it as the Connect page does, with its port"


class Foreign(BaseHTTPRequestHandler):
    """A server that is none of ours: it answers as its class attributes say, and keeps what it was sent."""

    status, kind, body, date = 404, "text/html", b"<h1>Not here</h1>", ""
    location, is_homeport, request_id = "", False, ""
    seen: "list[str | None]"

    def do_GET(self) -> None:
        type(self).seen.append(self.headers.get("Authorization"))
        self.send_response_only(self.status)
        self.send_header("Date", self.date or self.date_time_string())
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        if self.is_homeport:
            self.send_header("Homeport", "cli")
        if self.request_id:
            self.send_header("X-Request-ID", self.request_id)
        if self.location:
            self.send_header("Location", self.location)
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 (what http.server calls)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Foreign]]]:
    kind = type("Asked", (Foreign,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", kind
        server.shutdown()


def test_no_server_there(here: TerminalHere) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    said = f"No server answers at {url}. Is the address right, port included, and is the server running?"
    assert here.fails("projects", "--server", url) == said
    assert here.fails("login", "--server", url) == said


def test_name_that_nobody_knows(here: TerminalHere) -> None:
    said = here.fails("projects", "--server", "https://nobody.invalid")
    assert said == "There is no server https://nobody.invalid: nobody knows that name. Is the address right?"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a.example",
        "http://",
        "http://a b",
        "https://a:port",
        "https://ada@a.example",
        "https://a..b",
        "https://xn--a",
    ],
)
def test_what_is_no_address(here: TerminalHere, url: str) -> None:
    said = here.fails("login", "--server", url or "?")
    assert "server's address" in said


@pytest.mark.parametrize("command", ["projects", "login"])
@pytest.mark.parametrize(("status", "body"), [(404, b"<h1>Not here</h1>"), (200, b"<h1>Welcome</h1>"), (200, b"[1]")])
def test_foreign_server(
    here: TerminalHere, foreign: tuple[str, type[Foreign]], command: str, status: int, body: bytes
) -> None:
    url, kind = foreign
    kind.status, kind.body = status, body
    said = f"{url} does not answer as a Homeport server does (HTTP {status}). Is the address right, port included?"
    if (command, status) == ("login", 404):
        said = NO_HOMEPORT.format(url)
    assert here.fails(command, "--server", url) == said


def test_foreign_server_that_speaks_json(here: TerminalHere, foreign: tuple[str, type[Foreign]]) -> None:
    url, kind = foreign
    kind.status, kind.kind, kind.body = 200, "application/json", b'{"server": "another"}'
    said = here.fails("login", "--server", url)
    assert said == f"{url} does not answer as a Homeport server does (HTTP 200). Is the address right, port included?"


def test_address_with_a_path_of_the_server(here: TerminalHere, place: Place) -> None:
    assert here.fails("login", "--server", f"{place.server.url}/v1/") == NO_HOMEPORT.format(f"{place.server.url}/v1")


def test_server_that_leads_elsewhere_gets_no_token_there(
    here: TerminalHere, foreign: tuple[str, type[Foreign]]
) -> None:
    url, kind = foreign
    kind.status, kind.location = 301, "https://home.example.org/cli/collections"
    said = here.fails("projects", "--server", url)
    assert said == f"{url} leads elsewhere, to {kind.location}. Is the address right, https included?"


def test_https_where_there_is_http(here: TerminalHere, place: Place) -> None:
    url = place.server.url.replace("http:", "https:")
    assert here.fails("projects", "--server", url) == f"{url} does not speak https there. Is it http://?"


def test_http_where_there_is_https(here: TerminalHere, place: Place) -> None:
    url = place.server.tls_url.replace("https:", "http:")
    assert here.fails("projects", "--server", url) == "This port speaks https: write https:// in the address"


def test_certificate_of_the_servers_own(here: TerminalHere, place: Place) -> None:
    url = place.server.tls_url
    here.variables.update(HOMEPORT_URL=url)
    said = here.fails("projects")
    assert said.startswith(f"This machine does not trust the certificate of {url}. If the server made it itself,")
    here.variables.update(SSL_CERT_FILE=str(place.server.ca_path))
    assert json.loads(here.does("projects"))[0]["id"] == place.collection_id
    elsewhere = url.replace("localhost", "other.localhost")
    if "other.localhost" in (said := here.fails("projects", "--server", elsewhere)):
        assert said in (
            f"The certificate of {elsewhere} is for another name. Is the address right?",
            f"There is no server {elsewhere}: nobody knows that name. Is the address right?",
        )


def test_certificate_file_that_is_not_there(here: TerminalHere, place: Place) -> None:
    here.variables.update(HOMEPORT_URL=place.server.tls_url, SSL_CERT_FILE="/nothing/ca.pem")
    assert here.fails("projects") == "SSL_CERT_FILE names /nothing/ca.pem, which cannot be read as certificates"


def test_token_that_was_revoked(here: TerminalHere, place: Place, owner: User) -> None:
    (token,) = tokens.list_tokens(owner.pk)
    here.does("projects")
    tokens.revoke_token(person_id=owner.pk, token_id=token.pk)
    said = f"The access token was revoked: sign in to {place.server.url} again with `deta login`"
    assert here.fails("projects") == said


def test_token_that_is_too_old(here: TerminalHere, place: Place, owner: User) -> None:
    AccessToken.objects.filter(person=owner).update(expires_at=clock.now() - timedelta(days=1))
    said = here.fails("projects")
    assert said.startswith("The access token expired on ")
    assert said.endswith(f": sign in to {place.server.url} again with `deta login`")


@pytest.mark.parametrize("text", ["hp_" + "x" * 40, "nothing", "hp_é", "hp_\n"])
def test_token_that_is_none(here: TerminalHere, text: str) -> None:
    here.variables.update(DETA_ACCESS_TOKEN=text)
    said = here.fails("projects")
    assert "sign in" in said
    assert text.strip() not in said or text == "nothing"


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (timedelta(hours=1), "1 hour behind"),
        (timedelta(hours=-1), "1 hour ahead of"),
        (timedelta(minutes=-95), "1 hour and 35 minutes ahead of"),
        (timedelta(days=-30), "30 days ahead of"),
    ],
)
def test_clock_that_is_off(here: TerminalHere, foreign: tuple[str, type[Foreign]], off: timedelta, said: str) -> None:
    url, kind = foreign
    kind.status, kind.kind, kind.body, kind.is_homeport = 200, "application/json", b'{"collections": []}', True
    kind.date = format_datetime(timezone.now() + off, usegmt=True)
    done = here.run("projects", "--server", url)
    assert (done.returncode, done.stdout) == (0, "[]\n")
    assert done.stderr == f"Warning: this machine's clock is {said} the server's.\n"


@pytest.mark.parametrize(
    "text", ['{"http://127.0.0.1:1": {"tok', "", "[]", "\x00", '{"%s": {"token": 5}}', '{"%s": null}']
)
def test_tokens_file_that_is_damaged(here: TerminalHere, place: Place, text: str) -> None:
    del here.variables["DETA_ACCESS_TOKEN"]
    path = here.home / ".deta" / "tokens"
    path.parent.mkdir()
    path.write_text(text.replace("%s", place.server.url))
    said = f"{path} is damaged: delete it, then sign in again with `deta login`"
    assert here.fails("projects") == said
    if "%s" not in text:
        assert here.fails("login") == said
        assert here.fails("logout") == said
    assert path.read_text() == text.replace("%s", place.server.url)


@pytest.mark.parametrize("text", ['{"server": "http', "[]", '{"server": 5}', "{}", '{"server": null, "files": []}'])
def test_state_file_that_is_damaged(here: TerminalHere, text: str) -> None:
    path = here.folder / ".deta" / "state.json"
    path.parent.mkdir()
    path.write_text(text)
    said = here.fails("open")
    assert said.endswith("state.json is damaged: delete it, then get the Micro again with `deta clone`")


def test_no_server_is_named(here: TerminalHere) -> None:
    del here.variables["HOMEPORT_URL"]
    del here.variables["DETA_ACCESS_TOKEN"]
    assert here.fails("projects") == "Which server? Sign in with `deta login --server URL`, or set HOMEPORT_URL"


def test_tokens_go_to_their_own_server_alone(
    here: TerminalHere, place: Place, foreign: tuple[str, type[Foreign]]
) -> None:
    url, kind = foreign
    here.fails("projects", "--server", url)
    del here.variables["DETA_ACCESS_TOKEN"]
    path = here.home / ".deta" / "tokens"
    path.parent.mkdir()
    path.write_text(json.dumps({place.server.url: {"token": "hp_" + "k" * 40}}))
    here.fails("projects", "--server", url)
    here.fails("login", "--server", url)
    assert kind.seen == [None, None, None]


def test_token_of_the_environment_does_not_go_to_a_folders_server(
    here: TerminalHere, place: Place, foreign: tuple[str, type[Foreign]]
) -> None:
    """Somebody else may have made the folder, and the server in it."""
    url, kind = foreign
    state = {"server": url, "collection_id": "0" * 10, "micro_id": "0" * 12, "name": "app"}
    path = here.folder / ".deta" / "state.json"
    path.parent.mkdir()
    path.write_text(json.dumps(state))
    said = here.fails("open")
    assert said == f"This folder's Micro is on {url}, and DETA_ACCESS_TOKEN is for {place.server.url}"
    del here.variables["HOMEPORT_URL"]
    assert here.fails("open") == "DETA_ACCESS_TOKEN is set, but not the server that it is for: set HOMEPORT_URL"
    assert kind.seen == []


def test_defect_is_one_line_too(here: TerminalHere, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("deta.cli.commands.version.say", lambda _: fail())
    said = here.fails("version")
    assert said == "ZeroDivisionError: on purpose. This is a defect of deta: DETA_DEBUG=1 shows where it is."
