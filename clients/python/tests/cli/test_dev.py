"""`deta dev`: an app finds what it would find in a Micro, and its key ends with it, whatever ends it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from clients.python.tests.conftest import Place
from storage.models import DataKey, Role
from tests.people import make_member
from tests.terminals import Terminal, make_terminal
from tests.waiting import MOMENT_SECONDS, eventually

from deta.cli.dev import processes

NAMES = ("PORT", "DETA_PROJECT_KEY", "HOMEPORT_URL", "DETA_BASE_HOST", "DETA_DRIVE_HOST", "NODE_EXTRA_CA_CERTS")
# What this machine may be set up with, as if it was not.
UNSET = dict.fromkeys(("PORT", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), "")
SHOW = f"import json, os; print(json.dumps({{name: os.environ.get(name) for name in {NAMES}}}))"
USE = "from deta import Deta; base = Deta().Base('dev'); base.put({'n': 1}, 'a'); print(base.get('a')['n'])"
# An app that says which one it is, and ends when it is asked to.
APP = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/end":
            os._exit(3)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{sys.argv[1]} {self.path} {'DETA_PROJECT_KEY' in os.environ}".encode())
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(len(self.rfile.read(length))).encode())
print("began", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
SPACEFILE = """
v: 0
micros:
  - {name: web, src: web, engine: react, primary: true, dev: "PYTHON ../app.py web"}
  - {name: backend, src: back, engine: python3.9, path: api, dev: "PYTHON ../app.py back"}
"""


@pytest.fixture
def member(place: Place, tmp_path: Path) -> Terminal:
    """A member's terminal: no owner is needed."""
    person = make_member(place.collection_id, Role.MEMBER)
    return make_terminal(tmp_path, server_url=place.server.url, person=person)


def dev_keys(place: Place) -> list[DataKey]:
    return list(DataKey.objects.filter(collection_id=place.collection_id, name__startswith="deta dev").order_by("id"))


@contextmanager
def running(
    terminal: Terminal, *arguments: str, variables: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """`deta dev` at work, once what it runs has printed its first line."""
    process = subprocess.Popen(
        terminal.command("dev", *arguments),
        cwd=terminal.folder,
        env=terminal.environment | dict(variables or {}),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline()
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=MOMENT_SECONDS)


def test_an_app_finds_what_it_needs_and_its_key_ends_with_it(place: Place, member: Terminal) -> None:
    done = member.run("dev", "--", sys.executable, "-c", SHOW, variables=UNSET)
    found = json.loads(done.stdout)
    assert found["HOMEPORT_URL"] == place.server.url
    assert found["DETA_BASE_HOST"] == found["DETA_DRIVE_HOST"]
    assert found["DETA_BASE_HOST"].startswith("127.0.0.1:")
    assert Path(found["NODE_EXTRA_CA_CERTS"]).read_text() == (place.server.data / "tls" / "ca.pem").read_text()
    assert found["PORT"].isdigit()
    (key,) = dev_keys(place)
    assert found["DETA_PROJECT_KEY"].startswith(f"{place.collection_id}_{key.secret_start}")
    assert key.revoked_at is not None
    assert key.expires_at is not None
    assert "It is revoked when this ends." in done.stderr


def test_the_library_works_as_it_stands(member: Terminal) -> None:
    done = member.run("dev", "--", sys.executable, "-c", USE, variables=UNSET)
    assert (done.stdout, done.returncode) == ("1\n", 0)


def test_exit_codes_pass_through(member: Terminal) -> None:
    assert member.run("dev", "--", "sh", "-c", "exit 7").returncode == 7
    assert member.run("dev", "kill -9 $$").returncode == 137
    assert member.run("dev", "--", "no-such-command").returncode == 127
    assert member.run("dev").returncode == 2


def test_what_the_person_has_set_stays(place: Place, member: Terminal) -> None:
    own = {"DETA_PROJECT_KEY": f"{place.collection_id}_mine", "PORT": "5999", "NODE_EXTRA_CA_CERTS": "/mine.pem"}
    done = member.run("dev", "--", sys.executable, "-c", SHOW, variables=own)
    found = json.loads(done.stdout)
    assert {name: found[name] for name in own} == own
    assert found["DETA_BASE_HOST"].startswith("127.0.0.1:")
    assert "you have set NODE_EXTRA_CA_CERTS" in done.stderr
    assert dev_keys(place) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_both_and_the_key(place: Place, member: Terminal, number: signal.Signals) -> None:
    with running(member, "--", sys.executable, "-u", "-c", "import time; print('began'); time.sleep(600)") as process:
        os.kill(process.pid, number)
        process.communicate(timeout=MOMENT_SECONDS)
        assert process.returncode in (128 + number, 1)
    assert [key.revoked_at is not None for key in dev_keys(place)] == [True]


def test_a_signal_while_a_command_is_being_started_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []

    def start_slowly(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        started.append(real(*arguments, **options))
        os.kill(os.getpid(), signal.SIGTERM)
        return started[0]

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start_slowly)
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    with processes.heeding_signals() as signals, signals.held():
        one = processes.start(sleeper, os.environ, is_one_of_many=False)
        assert processes.wait_for_one(one, signals) == 128 + signal.SIGTERM
    assert [process.poll() for process in started] == [-signal.SIGTERM]


def test_what_was_killed_is_revoked_by_the_next(place: Place, member: Terminal) -> None:
    with running(member, "--", sys.executable, "-u", "-c", "import time; print('began'); time.sleep(600)") as process:
        process.kill()
        process.wait(timeout=MOMENT_SECONDS)
    assert [key.revoked_at for key in dev_keys(place)] == [None]
    member.does("dev", "true")
    assert all(key.revoked_at is not None for key in dev_keys(place))


def test_who_may_only_read_gets_no_key(place: Place, tmp_path: Path) -> None:
    reader = make_terminal(tmp_path, server_url=place.server.url, person=make_member(place.collection_id, Role.READER))
    assert reader.run("dev", "true").returncode == 1
    assert dev_keys(place) == []


def test_the_micros_of_a_spacefile_are_behind_one_port_and_end_together(place: Place, member: Terminal) -> None:
    (member.folder / "Spacefile").write_text(SPACEFILE.replace("PYTHON", f"{sys.executable} -u"))
    (member.folder / "app.py").write_text(APP)
    for name in ("web", "back"):
        (member.folder / name).mkdir()
    with running(member) as process:
        assert process.stderr
        while "http://localhost:" not in (line := process.stderr.readline()):
            assert line
        url = line.rpartition(" ")[2].strip().rstrip("/")
        assert ask(f"{url}/page?x=1") == "web /page?x=1 True"
        assert ask(f"{url}/api/items?x=1") == "back /items?x=1 True"
        assert ask(f"{url}/api") == "back / True"
        assert ask(f"{url}/apis") == "web /apis True"
        assert ask(f"{url}/api/", body=bytes(3_000_000)) == "3000000"
        with suppress(OSError):
            ask(f"{url}/api/end")
        said, told = process.communicate(timeout=MOMENT_SECONDS)
        assert process.returncode == 3
        assert "backend ended with 3, and so did the others." in told
        assert "web     | 127.0.0.1 - - " in said
    eventually(lambda: not _answers(url))
    assert [key.revoked_at is not None for key in dev_keys(place)] == [True]


@pytest.mark.parametrize(
    ("spacefile", "sentence"),
    [
        ("a: [", "Spacefile: it is no YAML that can be read"),
        ("micros: x", "Spacefile: it has no list of `micros`"),
        ("micros: [{name: a, engine: python3.9}]", "Spacefile: “a” has no `dev`, the command that starts it"),
        ("micros: [{name: a, dev: x, src: none}]", "Spacefile: the `src` of “a” is no folder"),
        ("micros: [{name: a, dev: x, path: p}, {name: p, dev: x}]", "Spacefile: two of its micros are at /p"),
    ],
)
def test_a_spacefile_that_cannot_be_run_says_why(member: Terminal, spacefile: str, sentence: str) -> None:
    (member.folder / "Spacefile").write_text(spacefile)
    assert member.fails("dev").startswith(sentence)


def ask(url: str, *, body: bytes | None = None) -> str:
    with urllib.request.urlopen(url, data=body, timeout=MOMENT_SECONDS) as answer:
        text: str = answer.read().decode()
        return text


def _answers(url: str) -> bool:
    with suppress(OSError):
        ask(url)
        return True
    return False
