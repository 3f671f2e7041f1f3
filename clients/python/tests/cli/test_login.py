"""Signing in as a person does: the command prints an address, a browser allows it, and from then on commands work."""

import json
import re
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
import pytest
from clients.python.tests.conftest import Place
from django.contrib.auth.models import User
from storage.access_tokens import tokens
from storage.models import AccessToken
from tests.people import make_session
from tests.terminals import Terminal
from tests.waiting import LONG_SECONDS


class Login:
    """`deta login` under way: the page's address and the code that it printed, and how it ended."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdout
        assert process.stderr
        self._said: Queue[str] = Queue()
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()
        assert self._said.get(timeout=LONG_SECONDS) == "Please, log in from the web page. Waiting...\n"
        self.page = self._said.get(timeout=LONG_SECONDS).strip()
        line = process.stderr.readline()
        while "The page shows a code" not in line:
            assert line, "no code was printed"
            line = process.stderr.readline()
        self.code = line.split()[-1]

    def _read(self, stream: Any) -> None:
        for line in stream:
            self._said.put(line)

    def end(self) -> tuple[int, str, str]:
        """Exit code, what else was printed, and on standard error."""
        assert self.process.stderr
        code = self.process.wait(LONG_SECONDS)
        err = self.process.stderr.read()
        out = ""
        while not self._said.empty():
            out += self._said.get()
        return code, out, err


@contextmanager
def login(terminal: Terminal, *options: str) -> Iterator[Login]:
    with subprocess.Popen(
        terminal.command("login", *options),
        cwd=terminal.folder,
        env=terminal.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where this run is a job in the background, a shell has had it ignore Control-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            yield Login(process)
        finally:
            process.kill()


def answer(page: str, person: User, how: str) -> str:
    """What the page shows before a person answers it."""
    with httpx.Client(cookies={"sessionid": make_session(person)}) as browser:
        shown = browser.get(page)
        assert shown.status_code == 200, shown.text
        form = {"answer": how, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post(page, data=form).status_code == 200
        return shown.text


def test_person_signs_in_and_out(stranger: Terminal, place: Place, owner: User) -> None:
    del stranger.variables["HOMEPORT_URL"]
    with login(stranger, "--server", place.server.url, "--no-browser") as waiting:
        assert waiting.page.startswith(f"{place.server.url}/terminal/")
        assert httpx.get(waiting.page).headers["Location"].startswith("/sign-in/?next=/terminal/")
        shown = answer(waiting.page, owner, "allow")
        assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", waiting.code)
        assert waiting.code in shown
        assert waiting.end() == (0, "Logged in successfully.\n", "")

    kept = stranger.home / ".deta" / "tokens"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    (told,) = json.loads(kept.read_text()).items()
    assert told[0] == place.server.url
    assert told[1].keys() == {"token", "person", "expires_at", "authority"}
    assert told[1]["person"] == owner.username
    # The server is known by now: no other was signed in to.
    assert [each["id"] for each in json.loads(stranger.does("projects"))] == [place.collection_id]

    assert stranger.does("logout") == f"Logged out of {place.server.url}\n"
    assert json.loads(kept.read_text()) == {}
    assert tokens.list_tokens(owner.pk) == []
    refused = stranger.fails("projects", "--server", place.server.url)
    assert refused == f"You are not signed in to {place.server.url}: run `deta login`"


def test_certificate_of_the_servers_own_is_kept(stranger: Terminal, place: Place, owner: User, tmp_path: Path) -> None:
    del stranger.variables["HOMEPORT_URL"]
    given = tmp_path / "homeport-ca.pem"
    given.write_bytes(place.server.ca_path.read_bytes())
    with login(stranger, "--server", place.server.tls_url, "--ca", str(given), "--no-browser") as waiting:
        page = waiting.page.replace(place.server.tls_url, place.server.url)
        answer(page, owner, "allow")
        assert waiting.end() == (0, "Logged in successfully.\n", "")
    given.unlink()
    assert [each["id"] for each in json.loads(stranger.does("projects"))] == [place.collection_id]
    assert stranger.does("logout") == f"Logged out of {place.server.tls_url}\n"
    assert tokens.list_tokens(owner.pk) == []
    given.write_text("no certificate")
    said = stranger.fails("login", "--server", place.server.tls_url, "--ca", str(given))
    assert said == f"{given} is no certificate"


def test_person_refuses(stranger: Terminal, owner: User) -> None:
    with login(stranger) as waiting:
        answer(waiting.page, owner, "refuse")
        assert waiting.end() == (1, "", "Error: The sign-in was refused in the browser\n")
    assert not (stranger.home / ".deta").exists()
    assert not AccessToken.objects.filter(person=owner).exists()


def test_page_is_opened_in_the_browser_that_there_is(stranger: Terminal, owner: User, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o700)
    stranger.variables["BROWSER"] = f"{browser} %s"
    with login(stranger) as waiting:
        answer(waiting.page, owner, "allow")
        assert waiting.end()[0] == 0
        assert opened.read_text().strip() == waiting.page


def test_who_gives_up_leaves_nothing(stranger: Terminal, owner: User) -> None:
    with login(stranger) as waiting:
        waiting.process.send_signal(signal.SIGINT)
        code, _, err = waiting.end()
    assert code == 130
    assert "Traceback" not in err
    assert not (stranger.home / ".deta").exists()


@pytest.mark.parametrize("path", ["sign-ins/{}/token"])
def test_who_sees_the_page_gets_no_token(stranger: Terminal, place: Place, owner: User, path: str) -> None:
    """Neither before the terminal collects it nor after: the address and the code are all that anybody sees."""
    with login(stranger) as waiting:
        sign_in_id = waiting.page.rstrip("/").rpartition("/")[2]
        address = f"{place.server.url}/cli/{path.format(sign_in_id)}"
        for verifier in (sign_in_id, waiting.code):
            assert httpx.post(address, json={"verifier": verifier}).status_code == 404
        answer(waiting.page, owner, "allow")
        assert waiting.end()[0] == 0
        assert httpx.post(address, json={"verifier": sign_in_id}).status_code == 404
    assert AccessToken.objects.filter(person=owner).count() == 1
