"""`deta deploy`, `watch` and `logs` with an app that runs: what is shown while it is made, when it fails, and as it prints."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.embedded.servers import making_servers
from tests.terminal.shell import Shell
from tests.terminals import Terminal
from tests.waiting import MOMENT_SECONDS, eventually

APP = """def app(environ, start_response):
    print("asked for", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello"]
"""
TRACEBACK = """The new version does not serve. main.py failed while it was imported: ZeroDivisionError: division by zero.

Traceback (most recent call last):
  File "/app/main.py", line 5, in <module>"""


@contextmanager
def running(terminal: Terminal, *arguments: str, folder: Path) -> Iterator[Callable[[], tuple[str, str]]]:
    """A command that goes on until it is ended; what it printed so far, on standard output and error."""
    out, err = folder.parent / "out", folder.parent / "err"
    with out.open("wb") as said, err.open("wb") as told:
        process = subprocess.Popen(
            terminal.command(*arguments), cwd=folder, env=terminal.environment, stdout=said, stderr=told
        )
    try:
        yield lambda: (out.read_text(), err.read_text())
        assert process.poll() is None, err.read_text()
    finally:
        process.kill()
        process.wait(timeout=MOMENT_SECONDS)


@pytest.fixture
def folder(shell: Shell) -> Path:
    """A Micro's folder, with its code deployed."""
    made = shell.terminal.folder / "app"
    made.mkdir()
    (made / "main.py").write_text(APP)
    shell.terminal.does("new", "app")
    return made


@pytest.mark.slow
def test_a_version_that_does_not_start_fails_with_its_traceback_and_the_one_before_serves(
    shell: Shell, folder: Path
) -> None:
    (folder / "main.py").write_text(f"{APP}1/0\n")
    for _ in range(2):
        done = shell.terminal.run("deploy", folder=folder)
        assert (done.returncode, done.stdout) == (1, "Deploying...\n")
        assert done.stderr.startswith(f"Error: {TRACEBACK}")
    (folder / "main.py").write_text(APP)
    assert shell.terminal.does("deploy", folder=folder) == "Everything up to date\n"


@pytest.mark.slow
def test_packages_that_can_not_be_had_fail_with_the_installers_words(shell: Shell, folder: Path) -> None:
    (folder / "requirements.txt").write_text("bottle==0.0.0.1\n")
    done = shell.terminal.run("deploy", folder=folder)
    assert done.returncode == 1
    head = "Deploying...\nSuccessfully deployed changes\nUpdating dependencies...\n"
    assert done.stdout.startswith(head)
    assert "bottle==0.0.0.1" in done.stdout.removeprefix(head)
    assert "bottle==0.0.0.1" in done.stderr


@pytest.mark.slow
def test_watch_deploys_what_changes_and_goes_on_after_a_failure(shell: Shell, folder: Path) -> None:
    success = "Deploying...\nSuccessfully deployed changes\n"
    with running(shell.terminal, "watch", folder=folder) as printed:
        eventually(lambda: printed()[0] == "Watching changes\n")
        (folder / "main.py").write_text(APP.replace("Hello", "Bye"))
        eventually(lambda: printed()[0] == f"Watching changes\n{success}")
        (folder / "main.py").write_text(f"{APP}1/0\n")
        eventually(lambda: printed()[1].startswith(f"Error: {TRACEBACK}"))
        (folder / ".env").write_text("A=1\n")
        (folder / "main.py").write_text(APP.replace("Hello", "Again"))
        eventually(lambda: printed()[0] == f"Watching changes\n{success}Deploying...\n{success}")


@pytest.mark.slow
def test_logs_go_on_across_a_restart_of_the_server_without_gap_or_double(tmp_path: Path) -> None:
    with making_servers() as make:
        server = make(HOMEPORT_MICROS="true", HOMEPORT_TLS_PORT="0").start()
        server.wait_ready()
        collection_id, token = server.run_code(_MAKE).split()
        terminal = Terminal(tmp_path, tmp_path / "app", {"HOMEPORT_URL": server.url, "DETA_ACCESS_TOKEN": token})
        terminal.folder.mkdir()
        (terminal.folder / "main.py").write_text(APP)
        terminal.does("new", "--project", collection_id)
        server.run_code(_PRINT.format(0))
        with running(terminal, "logs", "-f", folder=terminal.folder) as said:
            eventually(lambda: "line 9\n" in said()[0])
            server.stop()
            eventually(lambda: "Waiting..." in said()[1])
            server.start().wait_ready()
            server.run_code(_PRINT.format(10))
            eventually(lambda: "line 1009\n" in said()[0])
            lines = [line.split("] ")[1] for line in said()[0].splitlines() if "] line " in line]
        assert lines == [f"line {number}" for number in range(1010)]


_MAKE = """
import django
django.setup()
from storage.access_tokens import tokens
from storage.collections import collections
from storage.models import Membership
from tests.people import make_person
person = make_person("ada")
made = collections.create_collection("Logs")
Membership.objects.create(collection=made, person=person, role="owner")
print(made.id, tokens.create_token(person=person, name="laptop").text)
"""
# More than one answer holds, when it goes on.
_PRINT = """
import django
django.setup()
from storage.micro_host import Line
from storage.micro_logs import logs
from storage.models import Micro
from storage.postgres import clock
micro = Micro.objects.get()
logs.add_lines([Line(micro.id, clock.now(), f"line {{number}}") for number in range({0}, {0} + ({0} * 100 or 10))])
"""
