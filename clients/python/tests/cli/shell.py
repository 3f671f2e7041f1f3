"""Somebody at a server who has no folder of their own: `TerminalHere`, wherever the tests are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from clients.python.tests.cli.here import TerminalHere
from django.contrib.auth.models import User
from storage.access_tokens import tokens


@dataclass
class Done:
    """How it ended, and what it printed; the line of an error is the last of `stderr`."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Shell:
    """Somebody at a server; `folder` is where paths begin."""

    server_url: str
    token: str
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, given: "str | bytes" = "") -> Done:
        own = {"HOMEPORT_URL": self.server_url, "DETA_ACCESS_TOKEN": self.token, "DETA_HOME": str(self.home)}
        done = TerminalHere(self.home, Path.cwd(), own | self.variables).run(*arguments, given=given)
        return Done(done.returncode, done.stdout, done.stderr)

    def does(self, *arguments: str, given: "str | bytes" = "") -> str:
        """What it prints on standard output; it must exit with 0."""
        done = self.run(*arguments, given=given)
        assert done.code == 0, f"deta {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def fails(self, *arguments: str, given: "str | bytes" = "") -> str:
        """The line of an error, without `Error: `."""
        done = self.run(*arguments, given=given)
        assert done.code == 1, f"deta {' '.join(arguments)}\n{done.code}: {done.stdout}{done.stderr}"
        *_, line = done.stderr.splitlines()
        assert line.startswith("Error: "), done.stderr
        return line.removeprefix("Error: ")


def make_shell(folder: Path, *, server_url: str, person: User) -> Shell:
    """Signed in as the person, with a home below the folder."""
    token = tokens.create_token(person=person, name="Made by a test").text
    return Shell(server_url, token, folder / "home")


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """With this folder as the one that relative paths begin in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield
