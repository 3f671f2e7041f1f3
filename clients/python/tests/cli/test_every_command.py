"""Every command that asks a server, with each thing that can be wrong around it: one line that says what, and exit code 1."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from clients.python.tests.cli.here import TerminalHere
from clients.python.tests.cli.test_troubles import Foreign, foreign
from clients.python.tests.conftest import Place
from django.contrib.auth.models import User
from storage.access_tokens import tokens
from storage.embedded.ports import free_ports
from storage.micros import micros

from deta.cli import server as cli_server
from deta.cli.main import COMMANDS

__all__ = ["foreign"]

# In the folder of a Micro.
OF_A_MICRO = (
    *("auth enable", "auth create-api-key -n x", "auth list-api-keys", "cron set 5 minutes", "cron remove", "deploy"),
    *("details", "logs", "logs -f", "pull -f", "run", "run x -- --n 1", "update --name x", "visor enable", "watch"),
)
OF_A_COLLECTION = (
    *("base ls", "base get things a", "base query things", "base export things", "base rm -y things a", "drive ls"),
    *(
        "base put things {}",
        "drive get files a",
        "drive rm -y files a",
        "drive sync -y . files:",
        "key ls",
        "key create x",
    ),
    *("dev -- true", "visor tail", "open", "open base things"),
)
OF_A_PERSON = ("clone --name x", "collection create x", "collection ls", "new --python x", "projects")
ASKING = (*OF_A_MICRO, *OF_A_COLLECTION, *OF_A_PERSON)
# These ask no server, or have troubles of their own.
OTHERS = {"completion", "login", "logout", "version"}


@pytest.fixture
def folder(here: TerminalHere, place: Place, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Micro's, with something to deploy."""
    monkeypatch.setattr(cli_server, "_DELAYS", ())
    made = micros.create_micro(collection_id=place.collection_id, name="app")
    (here.folder / "main.py").write_text("app = 1\n")
    about = {"server": place.server.url, "collection_id": place.collection_id, "micro_id": made.id, "name": "app"}
    write(state_of(here), json.dumps(about))
    return here.folder


def state_of(here: TerminalHere) -> Path:
    return here.folder / ".deta" / "state.json"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def move_to(here: TerminalHere, url: str) -> None:
    """Another server in place of the one that the folder, the environment and the token are for."""
    here.variables.update(HOMEPORT_URL=url)
    path = state_of(here)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"server": url}))


def each_fails(here: TerminalHere, commands: tuple[str, ...], is_right: Callable[[str], bool]) -> None:
    said = {command: here.run(*command.split()) for command in commands}
    wrong = {
        command: done
        for command, done in said.items()
        if (done.returncode, done.stderr.count("Error")) != (1, 1)
        or not is_right(done.stderr.rpartition("Error: ")[2].rstrip("\n"))
    }
    assert not wrong


def test_all_are_here() -> None:
    assert {command.split()[0] for command in ASKING} | OTHERS == set(COMMANDS)


def test_server_that_is_not_there(here: TerminalHere, folder: Path) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    move_to(here, url)
    each_fails(here, ASKING, lambda said: said.startswith(f"No server answers at {url}."))


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (404, "text/html", b"<h1>Not here</h1>"),
        (200, "text/html", b"<h1>Welcome</h1>"),
        (200, "application/json", b'{"hello": 1}'),
        (503, "text/html", b"<h1>Later</h1>"),
    ],
)
def test_server_of_somebody_else(
    here: TerminalHere, folder: Path, foreign: tuple[str, type[Foreign]], status: int, kind: str, body: bytes
) -> None:
    url, asked = foreign
    asked.status, asked.kind, asked.body = status, kind, body
    move_to(here, url)
    words = "cannot answer now (HTTP 503)" if status == 503 else "does not answer as a Homeport server does"
    each_fails(here, ASKING, lambda said: said.startswith(f"{url} {words}"))


@pytest.mark.parametrize(
    ("status", "request_id", "named"),
    [(500, "of-a.proxy_1", " (request of-a.proxy_1)"), (500, "a b\x1b[2J", ""), (404, "abc", "")],
)
def test_server_that_failed_is_named_with_the_request(
    here: TerminalHere, folder: Path, foreign: tuple[str, type[Foreign]], status: int, request_id: str, named: str
) -> None:
    url, asked = foreign
    asked.status, asked.kind, asked.body = status, "application/json", b'{"errors":["It failed"]}'
    asked.is_homeport, asked.request_id = True, request_id
    move_to(here, url)
    each_fails(here, ASKING, lambda said: said.endswith(named) and ("(request" in said) == bool(named))


def test_token_that_was_revoked(here: TerminalHere, place: Place, owner: User, folder: Path) -> None:
    (token,) = tokens.list_tokens(owner.pk)
    tokens.revoke_token(person_id=owner.pk, token_id=token.pk)
    words = f"The access token was revoked: sign in to {place.server.url} again with `deta login`"
    each_fails(here, ASKING, lambda said: said == words)


def test_nobody_is_signed_in(here: TerminalHere, place: Place, folder: Path) -> None:
    del here.variables["DETA_ACCESS_TOKEN"]
    words = f"You are not signed in to {place.server.url}: run `deta login`"
    each_fails(here, ASKING, lambda said: said == words)


def test_tokens_of_which_half_was_written(here: TerminalHere, place: Place, folder: Path) -> None:
    del here.variables["DETA_ACCESS_TOKEN"]
    path = here.home / ".deta" / "tokens"
    write(path, '{"http://127.0.0.1:1": {"tok')
    words = f"{path} is damaged: delete it, then sign in again with `deta login`"
    each_fails(here, (*ASKING, "login", "logout"), lambda said: said == words)


def test_certificate_of_which_half_was_written(here: TerminalHere, place: Place, folder: Path) -> None:
    del here.variables["DETA_ACCESS_TOKEN"]
    half = here.home / ".deta" / "authorities" / "x.pem"
    half.parent.mkdir(parents=True)
    half.write_text(place.server.ca_path.read_text()[:200])
    kept = {place.server.url: {"token": f"hp_{'x' * 40}", "authority": str(half)}}
    write(here.home / ".deta" / "tokens", json.dumps(kept))
    words = f"{half} is damaged: sign in again with `deta login --server {place.server.url} --ca homeport-ca.pem`"
    each_fails(here, ASKING, lambda said: said == words)
    said = here.fails("logout")
    assert said == f"The token is forgotten here, but not revoked: do that on your account page. {words}"


def test_state_of_which_half_was_written(here: TerminalHere, folder: Path) -> None:
    state_of(here).write_text(state_of(here).read_text()[:30])
    each_fails(
        here,
        (*OF_A_MICRO, *OF_A_COLLECTION),
        lambda said: said.endswith("state.json is damaged: delete it, then get the Micro again with `deta clone`"),
    )


def test_notes_of_development_keys_of_which_half_was_written(here: TerminalHere, folder: Path) -> None:
    """The server ends those keys by itself: nothing is in anybody's way."""
    path = here.home / ".deta" / "dev-keys"
    write(path, '{"http://127.0.0.1:1": {"coll')
    here.does("dev", "--", "true")
    assert json.loads(path.read_text()) == {}


def test_clock_of_this_machine_that_is_off(here: TerminalHere, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time
    for off, words in ((3_600, "1 hour ahead of"), (-5_400, "1 hour and 30 minutes behind")):
        monkeypatch.setattr(time, "time", lambda off=off: now() + off)
        done = here.run("projects")
        assert (done.returncode, json.loads(done.stdout)[0]["id"]) == (0, place.collection_id)
        assert done.stderr == f"Warning: this machine's clock is {words} the server's.\n"
